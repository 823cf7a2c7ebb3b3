"""Workers that turn items into outcomes, no faster than somebody takes the outcomes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from attrs import define, field

from .source import Source

ItemT = TypeVar("ItemT")
T = TypeVar("T")


@define(eq=False)
class Pool(Generic[ItemT, T]):
    """At most `size` items are read whose outcome nobody has taken; those are `pending`."""

    _source: Source[ItemT]
    _make: Callable[[int, ItemT], Awaitable[T]]
    _size: int
    pending: dict[int, ItemT] = field(factory=dict, init=False)
    _ready: deque[tuple[int, T]] = field(factory=deque, init=False)
    _news: asyncio.Event = field(factory=asyncio.Event, init=False)
    _room: asyncio.Semaphore = field(init=False)
    _workers: set[asyncio.Task[None]] = field(factory=set, init=False)
    _closed: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self._room = asyncio.Semaphore(self._size)

    def start(self) -> None:
        """Let the workers begin."""
        for _ in range(self._size):
            worker = asyncio.create_task(self._work())
            self._workers.add(worker)
            worker.add_done_callback(self._left)

    async def take(self) -> T | None:
        """The next outcome, or None when there will be no more."""
        while not self._ready:
            if not self._workers:
                return None
            self._news.clear()
            await self._news.wait()
        index, made = self._ready.popleft()
        del self.pending[index]
        self._room.release()
        return made

    async def aclose(self) -> None:
        """Cancel what is under way and wait until it is gone."""
        self._closed = True
        workers = list(self._workers)
        for worker in workers:
            worker.cancel()
        await self._source.aclose()
        if workers:
            await asyncio.wait(workers)

    async def _work(self) -> None:
        while True:
            # Each worker keeps the room of its last item, so that the last outcome taken ends the last worker.
            await self._room.acquire()
            entry = await self._source.read()
            if entry is None:
                return
            index, item = entry
            self.pending[index] = item
            try:
                made = await self._make(index, item)
            except Exception as error:  # noqa: BLE001 - raised to whoever takes the outcomes
                self._source.end(error)  # at once: nobody shall read on meanwhile
                return
            self._ready.append((index, made))
            self._news.set()

    def _left(self, worker: asyncio.Task[None]) -> None:
        self._workers.discard(worker)
        if worker.cancelled() and not self._closed:  # by what it called: its item has no outcome
            self._source.end(asyncio.CancelledError())
        self._news.set()
