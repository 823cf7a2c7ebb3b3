"""Fetches pages before they are wanted, and hands them over in order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from attrs import define, field, frozen

Asked = TypeVar("Asked")
Got = TypeVar("Got")


@frozen
class _Failed:
    error: Exception


@define(eq=False)
class Ahead(Generic[Asked, Got]):
    """What is being fetched, in the order it was asked for. A fetch that fails fails when its turn comes.

    It starts nothing by itself: how many are under way is for its owner to say.
    """

    _fetch: Callable[[Asked], Awaitable[Got]]
    _queue: deque[tuple[Asked, asyncio.Task[Got | _Failed]]] = field(factory=deque, init=False)
    _dropped: set[asyncio.Task[Got | _Failed]] = field(factory=set, init=False)

    def __len__(self) -> int:
        return len(self._queue)

    def start(self, asked: Asked) -> None:
        """Begin to fetch."""
        self._queue.append((asked, asyncio.get_running_loop().create_task(self._outcome(asked))))

    async def take(self) -> tuple[Asked, Got]:
        """What was asked for first, once it is there; raises what its fetch raised."""
        asked, task = self._queue[0]
        # A caller that is cancelled here cancels the fetch as well, as if it had awaited it itself.
        outcome = await task
        self._queue.popleft()
        if isinstance(outcome, _Failed):
            raise outcome.error
        return asked, outcome

    def drop(self) -> None:
        """Cancel all that is under way; `aclose` waits for it."""
        for _, task in self._queue:
            if not task.done():
                self._dropped.add(task)
                task.add_done_callback(self._dropped.discard)
                task.cancel()
        self._queue.clear()

    def abandon(self) -> None:
        """Cancel all that is under way, from any thread, whether or not its loop still runs."""
        for _, task in self._queue:
            loop = task.get_loop()
            if loop is _running_loop():
                task.cancel()
            elif not loop.is_closed():
                loop.call_soon_threadsafe(task.cancel)
        self._queue.clear()

    async def aclose(self) -> None:
        """Cancel all that is under way and wait until it has let go."""
        self.drop()
        if self._dropped:
            await asyncio.wait(self._dropped)

    def upcoming(self) -> list[Asked]:
        """What is under way."""
        return [asked for asked, _ in self._queue]

    async def _outcome(self, asked: Asked) -> Got | _Failed:
        # The error is kept as a value: of a fetch that nobody waits for any more, nobody shall hear.
        try:
            return await self._fetch(asked)
        except Exception as error:  # noqa: BLE001 - raised by `take`
            return _Failed(error)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
