"""Several requests, one transaction: whoever waits while the inbox writes goes with the next write."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from attrs import define, field

from .inbox.protocol import Delivery, Inbox, InboxError, InboxFullError

_MOST = 256


@define(eq=False)
class _Ask:
    delivery: Delivery
    answer: asyncio.Future[bool]


@define
class GroupCommit:
    """Adds deliveries to an inbox; `timeout` is the seconds one write may take."""

    _inbox: Inbox
    _timeout: float = 5.0
    _asked: list[_Ask] = field(factory=list, init=False)
    _writer: asyncio.Task[None] | None = field(default=None, init=False)

    async def add(self, delivery: Delivery) -> bool:
        """Store a delivery; whether it was new. Raises InboxFullError, and whatever the inbox raises."""
        ask = _Ask(delivery, asyncio.get_running_loop().create_future())
        self._asked.append(ask)
        if self._writer is None or self._writer.done():
            # A task of its own: one sender that hangs up must not end the write of the others.
            self._writer = asyncio.create_task(self._write_all())
        return await ask.answer

    async def flush(self) -> None:
        """Wait until everything asked for is written, or has failed."""
        if self._writer is not None:
            await asyncio.wait({self._writer})

    async def _write_all(self) -> None:
        while self._asked:
            batch, self._asked = self._asked[:_MOST], self._asked[_MOST:]
            try:
                await self._write(batch)
            except Exception as error:  # noqa: BLE001 - each of those who wait has to be told
                _fail(batch, error)
            except BaseException:
                _fail([*batch, *self._asked], InboxError("the process ends"))
                raise

    async def _write(self, batch: Sequence[_Ask]) -> bool:
        """Write them, or as many of the first as there is room for; whether there was room for all."""
        try:
            async with asyncio.timeout(self._timeout):
                new = set(await self._inbox.add([ask.delivery for ask in batch]))
        except InboxFullError as full:
            return await self._write_what_fits(batch, full)
        for ask in batch:
            key = ask.delivery.key
            if not ask.answer.done():
                ask.answer.set_result(key in new)
            new.discard(key)  # a second copy in the same write is a double
        return True

    async def _write_what_fits(self, batch: Sequence[_Ask], full: InboxFullError) -> bool:
        half = len(batch) // 2
        if half and await self._write(batch[:half]):
            return await self._write(batch[half:])
        _fail(batch, full)
        return False


def _fail(batch: Sequence[_Ask], error: Exception) -> None:
    for ask in batch:
        if not ask.answer.done():
            ask.answer.set_exception(error)
