"""The text of an answer that is no JSON, whatever its encoding (anomaly T12)."""

from __future__ import annotations

import codecs
import re

from ..errors import DecodeError
from ..wire.message import Response

_CHARSET = re.compile(r";\s*charset\s*=\s*\"?([A-Za-z0-9._-]+)", re.ASCII | re.IGNORECASE)
_CHARSETS = frozenset({"ascii", "cp1252", "iso8859-1", "iso8859-15", "utf-16", "utf-16-be", "utf-16-le", "utf-8"})
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def read_text(response: Response) -> str:
    """Decode by the byte order mark, else by the charset that is named, else as UTF-8 or, failing that, as Latin-1.

    Raises DecodeError where the body is not what a mark or a name says. A charset that is not known counts as none.
    """
    body = response.body
    charset = _charset(response)
    try:
        return body.decode(charset or "utf-8")
    except UnicodeError:
        if charset is not None:
            raise DecodeError(f"the body is not {charset}", body=body) from None
        return body.decode("latin-1")


def _charset(response: Response) -> str | None:
    marked = next((charset for mark, charset in _MARKS.items() if response.body.startswith(mark)), None)
    named = _CHARSET.search(response.headers.get("Content-Type", ""))
    return marked or (_known(named[1]) if named else None)


def _known(name: str) -> str | None:
    try:
        charset = codecs.lookup(name).name
    except LookupError:
        return None
    return charset if charset in _CHARSETS else None
