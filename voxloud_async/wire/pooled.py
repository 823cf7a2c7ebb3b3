"""What the transports have in common: a library whose pools belong to one event loop at a time."""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING

from attrs import frozen

from .attempt import attempt
from .lifetime import LoopBound

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from types import FrameType

    from .library import Library
    from .message import Request, Response

KEEP_ALIVE = 10.0
"""Seconds an idle connection is kept: less than servers and balancers commonly keep theirs."""

_PACKAGE = __name__.partition(".")[0]


class PooledTransport:
    """Sends over the pools that `lifespan` opens in the running loop, closes them and yields them once.

    One that is dropped with open pools warns of the client, or other object, that it was made for.
    """

    def __init__(self, lifespan: Callable[[], AsyncGenerator[Library, None]]) -> None:
        self._library = LoopBound(lifespan)
        self._origin = _origin(sys._getframe())  # noqa: SLF001 - cheaper than `inspect`, as `logging` does it

    async def send(self, request: Request, *, timeout: float) -> Response:  # noqa: ASYNC109 - the contract's clock
        """Send one request and read its answer; see `Transport`."""
        return await attempt(await self._library.get(), request, timeout)

    async def aclose(self) -> None:
        """Give back every connection; see `Transport`."""
        await self._library.aclose()

    def __del__(self) -> None:
        library: LoopBound[Library] | None = getattr(self, "_library", None)  # None where an argument was refused
        if library is not None and library.is_open:
            made = self._origin
            message = f"unclosed {made.kind}, made at {made.file}:{made.line}: use `async with` or `aclose()`"
            warnings.warn_explicit(message, ResourceWarning, made.file, made.line, source=self)


@frozen
class _Origin:
    """What a transport is part of, and the line outside of this package that made it."""

    kind: str
    file: str
    line: int


def _origin(frame: FrameType) -> _Origin:
    """The outermost object of this package that is being made; not its frame, which would keep all its locals."""
    kind, maker = "transport", frame
    while (caller := frame.f_back) is not None and frame.f_globals.get("__name__", "").partition(".")[0] == _PACKAGE:
        if frame.f_code.co_name == "__init__":
            kind, maker = frame.f_code.co_qualname.rpartition(".")[0], caller
        frame = caller
    return _Origin(kind, maker.f_code.co_filename, maker.f_lineno)
