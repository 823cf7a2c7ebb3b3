"""Workers side by side: what is of one call goes through one of them, so that it is sent in order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from zlib import crc32

from attrs import define, field

from .deliveries import Delivery


@define
class Lanes:
    """So many workers, which start with the first delivery."""

    count: int
    work: Callable[[Delivery], Awaitable[None]]
    _queues: list[asyncio.Queue[Delivery]] = field(factory=list, init=False, repr=False)
    _workers: list[asyncio.Task[None]] = field(factory=list, init=False, repr=False)

    def put(self, delivery: Delivery, *, beside: bool = False) -> None:
        """Hand a delivery to the lane of its call, or to the one beside it."""
        if not self._queues:
            self._queues = [asyncio.Queue() for _ in range(self.count)]
            self._workers = [asyncio.create_task(self._serve(queue)) for queue in self._queues]
        place = crc32((delivery.call_id or str(delivery.event_id)).encode()) + beside
        self._queues[place % self.count].put_nowait(delivery)

    async def aclose(self) -> None:
        """End all workers, whatever they do."""
        workers, self._workers, self._queues = self._workers, [], []
        for each in workers:
            each.cancel()
        if workers:
            await asyncio.wait(workers)

    async def _serve(self, queue: asyncio.Queue[Delivery]) -> None:
        while True:
            await self.work(await queue.get())
