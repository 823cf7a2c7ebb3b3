"""What arrived: the server's own record, against which a client's is checked."""

from __future__ import annotations

from collections import deque
from typing import TypeVar

from attrs import define, field

from .weather import Fault

KEPT = 100_000
"""Entries of each record that are kept; the oldest go first."""

_BODY_BYTES = 64 * 1024**2

_Entry = TypeVar("_Entry")


def append_bounded(entries: list[_Entry], entry: _Entry) -> None:
    """Add an entry, and drop the oldest one beyond `KEPT`."""
    entries.append(entry)
    if len(entries) > KEPT:
        del entries[0]


@define(kw_only=True, eq=False)
class Received:
    """One request. `at` is seconds since the sandbox started; `path` is percent-encoded.

    `status` is None as long as no answer was given, and stays so when the connection was cut. `refused` means turned
    away with 429 or 503, `executed` that it took its normal way, whatever came of it. `body` is kept on demand only.
    `with_key` tells whether it carried a key, be it the right one or not.
    """

    method: str
    path: str
    query: str = field(repr=False)
    at: float
    status: int | None = None
    refused: bool = False
    executed: bool = False
    fault: Fault | None = None
    body: bytes | None = field(default=None, repr=False)
    with_key: bool = False

    def matches(self, method: str | None, path_prefix: str, status: int | None) -> bool:
        """Whether it has this method, this beginning of the path and this status, where given."""
        return method in (None, self.method) and self.path.startswith(path_prefix) and status in (None, self.status)


@define(eq=False)
class Bodies:
    """The requests that keep their bodies, oldest first: at most 64 MiB in all."""

    _kept: deque[Received] = field(factory=deque)
    _size: int = 0

    def add(self, received: Received) -> None:
        """Count the body of a request, if it is kept, and drop the oldest bodies beyond the bound."""
        if not received.body:
            return
        self._kept.append(received)
        self._size += len(received.body)
        while self._size > _BODY_BYTES:
            oldest = self._kept.popleft()
            self._size -= len(oldest.body or b"")
            oldest.body = None
