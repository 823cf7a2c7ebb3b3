"""Fetches pages before they are wanted and returns them in the order of their requests."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from attrs import define, field, frozen

from .._streams import cancel

RequestT = TypeVar("RequestT")
PageT = TypeVar("PageT")


@frozen
class _Failed:
    error: Exception


@define(eq=False)
class Prefetcher(Generic[RequestT, PageT]):
    """The fetches under way, each a task. The error of a fetch is raised when its turn comes.

    How many run at once is up to the owner, who starts each one.
    """

    _fetch: Callable[[RequestT], Awaitable[PageT]]
    _queue: deque[tuple[RequestT, asyncio.Task[PageT | _Failed]]] = field(factory=deque, init=False)
    _dropped: set[asyncio.Task[PageT | _Failed]] = field(factory=set, init=False)

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def requests(self) -> list[RequestT]:
        """The requests under way."""
        return [request for request, _ in self._queue]

    def start(self, request: RequestT) -> None:
        """Begin to fetch."""
        self._queue.append((request, asyncio.get_running_loop().create_task(self._outcome(request))))

    async def first(self) -> tuple[RequestT, PageT | BaseException]:
        """Wait for the oldest fetch and return its request with the page or the error.

        A cancelled caller cancels no fetch: the next call waits for the same one.
        """
        request, task = self._queue[0]
        if not task.done():
            await asyncio.wait({task})
        self._queue.popleft()
        if task.cancelled():  # by its event loop, which ended
            return request, asyncio.CancelledError()
        outcome = task.result()
        return request, outcome.error if isinstance(outcome, _Failed) else outcome

    def drop(self) -> None:
        """Cancel all fetches; `aclose` waits until they have ended."""
        for _, task in self._queue:
            if not task.done():
                self._dropped.add(task)
                task.add_done_callback(self._dropped.discard)
                task.cancel()
        self._queue.clear()

    def abandon(self) -> None:
        """Cancel all fetches from any thread, also where their event loop has ended."""
        for _, task in self._queue:
            cancel(task)
        self._queue.clear()

    async def aclose(self) -> None:
        """Cancel all fetches and wait until they have ended."""
        self.drop()
        if self._dropped:
            await asyncio.wait(self._dropped)

    async def _outcome(self, request: RequestT) -> PageT | _Failed:
        # As a value: an error of a fetch that is no longer wanted must not be reported as never retrieved.
        try:
            return await self._fetch(request)
        except Exception as error:  # noqa: BLE001 - raised by the reader in its turn
            return _Failed(error)
