"""Which links may be followed. One may come from a webhook, and so from anybody."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from attrs import field, frozen

from ..errors import InvalidArgumentError
from ..protocol import arguments
from ..wire.message import SecretText

S3_HOSTS = ("s3.amazonaws.com", "*.s3.amazonaws.com", "s3.*.amazonaws.com", "*.s3.*.amazonaws.com")
"""The hosts of Amazon S3, where the samples' links lead (anomaly P16).

Not all of amazonaws.com: the name of a load balancer there may lead into a private network.
"""

_PATTERN = re.compile(r"(?!\*$)([a-z0-9_-]+|\*)(\.([a-z0-9_-]+|\*))*|[0-9a-f:]+", re.IGNORECASE)
_LABEL = "[a-z0-9_-]+"


def private(url: Any) -> Any:
    """The link, shown by no repr and in no traceback with locals: who knows it may be let in."""
    return SecretText(url) if isinstance(url, str) else url


@frozen
class Hosts:
    """The hosts that links may lead to. A `*` stands for one label of a name, in front for several."""

    names: tuple[str, ...]
    _expression: re.Pattern[str] = field(repr=False, alias="expression")

    @classmethod
    def of(cls, hosts: Sequence[str]) -> Hosts:
        """Raises TypeError or ValueError for what are no hosts."""
        names = tuple(arguments.texts("hosts", hosts) or ())
        if not names:
            raise InvalidArgumentError("hosts", "must not be empty")
        for index, name in enumerate(names):
            if not _PATTERN.fullmatch(name):
                raise InvalidArgumentError(
                    f"hosts[{index}]", "must be a host, such as media.example.com or *.example.com"
                )
        return cls(names, re.compile("|".join(map(_expression, names)), re.IGNORECASE))

    def check(self, url: str) -> str:
        """The host of a link; raises TypeError or ValueError, without the link, where it may not be followed."""
        scheme, host = _origin(arguments.http_url("url", url))
        if not url.isascii():
            raise InvalidArgumentError("url", "must be in ASCII, with other characters percent-encoded")
        if scheme != "https" and host not in arguments.LOOPBACK:
            raise InvalidArgumentError("url", "must be https")
        if not self._expression.fullmatch(host):
            raise InvalidArgumentError("url", f"must lead to one of the hosts {', '.join(self.names)}")
        return host


def _origin(url: str) -> tuple[str, str]:
    """Scheme and host; the other parts are in no frame that a traceback shows."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or ""


def _expression(name: str) -> str:
    first, *rest = name.split(".")
    labels = [_LABEL if label == "*" else re.escape(label) for label in rest]
    return r"\.".join([rf"{_LABEL}(?:\.{_LABEL})*" if first == "*" else re.escape(first), *labels])
