"""From the first delivery, or `async with`, to the end: one inbox, its writer and its workers, in one event loop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from typing import TypeAlias

from attrs import define, field, frozen

from ..errors import ArgumentTypeError
from .handling import Desk
from .inbox import Delivery, Inbox, InboxError, open_inbox
from .inbox.memory import MemoryInbox
from .telling import logger
from .workers import Workers

Choice: TypeAlias = Inbox | str | os.PathLike[str] | None

_STORING = 5.0
"""Seconds that the sender waits for a store, before it is told to come again."""


@frozen
class _Work:
    loop: asyncio.AbstractEventLoop
    workers: Workers | None


@define(eq=False, kw_only=True)
class Lifetime:
    """Starts and stops; may be entered again, also in another loop."""

    desk: Desk
    choice: Choice = field(repr=False)  # a URL may hold a password
    concurrency: int
    grace: float
    open: bool = field(default=True, init=False)
    _inbox: Inbox | None = field(default=None, init=False)
    _work: _Work | None = field(default=None, init=False)
    _entered: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.choice, str | os.PathLike | None) and not hasattr(self.choice, "lease"):
            raise ArgumentTypeError("inbox", f"must be an Inbox, a path or None, not {type(self.choice).__name__}")

    @property
    def inbox(self) -> Inbox:
        """The inbox, opened where it is not."""
        if self._inbox is None:
            self._inbox = _opened(self.choice)
        return self._inbox

    async def add(self, delivery: Delivery) -> bool:
        """Store a delivery; whether it was new."""
        async with asyncio.timeout(_STORING):
            return bool(await self.add_all([delivery]))

    async def add_all(self, deliveries: Sequence[Delivery]) -> frozenset[str]:
        """Store deliveries; the keys that were new. Workers start with the first one where nobody started them.

        Raises InboxError once it has stopped: what would be started then, nobody would stop.
        """
        if not self.open:
            raise InboxError("the receiver has stopped")
        work = self._started()
        new = await self.inbox.add(deliveries)
        if work.workers is not None:
            work.workers.wake()
        return new

    async def enter(self) -> None:
        """Start. It may be entered twice, as by an application and by its server: the last to leave stops it."""
        self._started()
        self.open = True
        self._entered += 1

    async def leave(self) -> None:
        """Take nothing in any more, handle what is due as long as `grace` allows, and close what was opened here."""
        self._entered -= 1
        if self._entered > 0:
            return
        self.open = False
        work, self._work = self._work, None
        try:
            if work is not None and work.workers is not None and work.loop is asyncio.get_running_loop():
                await work.workers.stop(self.grace)
        finally:
            if self._work is None:  # else somebody has entered meanwhile, and is at work on the same inbox
                self.desk.broadcast.end()
                await self._close()

    def _started(self) -> _Work:
        loop = asyncio.get_running_loop()
        if self._work is not None and self._work.loop is not loop and self._work.loop.is_running():
            raise RuntimeError("the receiver is at work in another event loop, on another thread")
        if self._work is None or self._work.loop is not loop:
            workers = Workers(self.desk, self.inbox, self.concurrency) if self.concurrency else None
            self._work = _Work(loop, workers)
            if workers is not None:
                workers.start()
        return self._work

    async def _close(self) -> None:
        inbox = self._inbox
        if isinstance(inbox, MemoryInbox):
            left = (await inbox.counts()).waiting
            if left:
                logger.warning("%d events are left in memory, and lost with the process", left)
        elif inbox is not None and inbox is not self.choice:
            self._inbox = None
            await inbox.aclose()


def _opened(choice: Choice) -> Inbox:
    if choice is None:
        return MemoryInbox()
    return open_inbox(choice) if isinstance(choice, str | os.PathLike) else choice
