"""What the transports have in common: a library whose pools belong to one event loop at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .attempt import attempt
from .lifetime import LoopBound

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from .library import Library
    from .message import Request, Response

KEEP_ALIVE = 10.0
"""Seconds an idle connection is kept: less than servers and balancers commonly keep theirs."""


class PooledTransport:
    """Sends over the pools that `lifespan` opens in the running loop, closes them and yields them once."""

    def __init__(self, lifespan: Callable[[], AsyncGenerator[Library, None]]) -> None:
        self._library = LoopBound(lifespan)

    async def send(self, request: Request, *, timeout: float) -> Response:  # noqa: ASYNC109 - the contract's clock
        """Send one request and read its answer; see `Transport`."""
        return await attempt(await self._library.get(), request, timeout)

    async def aclose(self) -> None:
        """Give back every connection; see `Transport`."""
        await self._library.aclose()
