"""A connection to a store: opened by the first call for all, closed when the last has ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

from .protocol import InboxError

T = TypeVar("T")


class Opened(Generic[T]):
    """Holds what `open_` returns; what failed, or went with its event loop, the next call opens anew.

    What calls raise of the kinds `faults` becomes an InboxError with their first argument alone: the rest of what a
    database says may show the row it is about.
    """

    def __init__(
        self,
        open_: Callable[[], Awaitable[T]],
        close: Callable[[T], Awaitable[object]],
        *,
        faults: tuple[type[Exception], ...],
    ) -> None:
        self._open = open_
        self._close = close
        self._faults = faults
        self._opening: asyncio.Task[T] | None = None
        self._users = 0
        self._closed = False
        self._idle = asyncio.Event()

    @asynccontextmanager
    async def use(self) -> AsyncIterator[T]:
        """The connection, which stays open meanwhile. Raises InboxError."""
        if self._closed:
            raise InboxError("the inbox is closed")
        self._users += 1
        try:
            yield await self._get()
        except self._faults as error:
            facts = ": ".join([type(error).__name__, *map(str, error.args[:1])])
            raise InboxError(f"the inbox cannot be used: {facts}") from error
        finally:
            self._users -= 1
            if not self._users:
                self._idle.set()

    async def aclose(self) -> None:
        """Refuse further calls, wait for those under way and close."""
        self._closed = True
        while self._users:
            self._idle.clear()
            await self._idle.wait()
        opening, self._opening = self._opening, None
        if opening is not None and not _is_lost(opening):
            await asyncio.wait({opening})
            if not _is_lost(opening):
                await self._close(opening.result())

    async def _get(self) -> T:
        if self._opening is None or _is_lost(self._opening):
            self._opening = asyncio.ensure_future(self._begin())
        return await asyncio.shield(self._opening)  # one caller's cancellation is not the others'

    async def _begin(self) -> T:
        return await self._open()


def _is_lost(opening: asyncio.Task[T]) -> bool:
    """Whether it failed, or what it opened went with its event loop."""
    if opening.get_loop().is_closed():
        return True
    return opening.done() and (opening.cancelled() or opening.exception() is not None)
