"""What an answer says of the version of a recording, and whether another one is its continuation. Pure."""

from __future__ import annotations

import re
from http import HTTPStatus

from attrs import frozen

from ..wire.message import Headers, Request, Response

_STRONG = re.compile(r'"[\x21\x23-\x7e]*"', re.ASCII)  # a weak tag does not promise the same bytes: RFC 9110, 8.8.3
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)", re.ASCII | re.IGNORECASE)
_LENGTH = re.compile(r"[0-9]{1,18}", re.ASCII)


@frozen
class Version:
    """One version: `tag` where its bytes can be asked for from the middle, `size` in bytes where that is known."""

    tag: str | None = None
    size: int | None = None

    @classmethod
    def of(cls, headers: Headers) -> Version:
        """The version that a whole answer is of. The place in a coded body is not that in the decoded one."""
        if _coded(headers):
            return cls()
        tag, length = headers.get("ETag", ""), headers.get("Content-Length", "")
        return cls(
            tag=tag if _STRONG.fullmatch(tag) else None,
            size=int(length) if _LENGTH.fullmatch(length) else None,
        )

    def rest(self, whole: Request, received: int) -> Request | None:
        """The request for what follows so many bytes, where the version allows it."""
        if self.tag is None or not received:
            return None
        return whole.with_header("Range", f"bytes={received}-").with_header("If-Range", self.tag)

    def goes_on_in(self, answer: Response, received: int) -> bool:
        """Whether an answer is of the same version and begins behind so many bytes."""
        found = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        if answer.status != HTTPStatus.PARTIAL_CONTENT or found is None or _coded(answer.headers):
            return False
        start, _, size = found.groups()
        same_size = size == "*" or self.size in (None, int(size))
        return answer.headers.get("ETag") == self.tag and int(start) == received and same_size


def _coded(headers: Headers) -> bool:
    return headers.get("Content-Encoding", "identity").strip().lower() not in {"", "identity"}
