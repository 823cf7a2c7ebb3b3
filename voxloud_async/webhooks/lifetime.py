"""From the first delivery, or `async with`, to the end: one inbox, its writer and its workers, in one event loop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeAlias

from attrs import define, evolve, field, frozen

from ..errors import ArgumentTypeError
from .handlers import revision_of
from .handling import Desk
from .identity import adds, revision_key
from .inbox import Delivery, Inbox, InboxError, open_inbox
from .inbox.memory import MemoryInbox
from .notices import Accepted, Doubled, Notice, Revised
from .telling import logger
from .workers import Workers

Choice: TypeAlias = Inbox | str | os.PathLike[str] | None

Outcome: TypeAlias = Callable[[str], Notice]
"""What became of a delivery: the notice of it, made from its event type."""

_REVISED = partial(Revised, dropped=False)
_REVISION_DROPPED = partial(Revised, dropped=True)

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

    async def add(self, delivery: Delivery) -> Outcome:
        """Store a delivery, and return what became of it."""
        async with asyncio.timeout(_STORING):
            return (await self.add_all([delivery]))[delivery.key]

    async def add_all(self, deliveries: Sequence[Delivery]) -> Mapping[str, Outcome]:
        """Store deliveries, and return what became of each key. Workers start with the first one, if not before.

        Raises InboxError once it has stopped: what would be started then, nothing would stop.
        """
        new = await self._stored(deliveries)
        again = {each.key: each for each in deliveries if each.key not in new}
        return {**dict.fromkeys(new, Accepted), **await self._stored_again(again)}

    async def _stored_again(self, again: Mapping[str, Delivery]) -> Mapping[str, Outcome]:
        """Store those of known keys whose content is new, where a handler in some process asks for revisions."""
        outcomes: dict[str, Outcome] = dict.fromkeys(again, Doubled)
        content = {key: each.fingerprint for key, each in again.items() if each.fingerprint}
        known = await self.inbox.fingerprints(content) if content else {}
        changed = [key for key, before in known.items() if before and adds(content[key], before)]
        if not changed:
            return outcomes
        asked = self.desk.handlers.queues | await self.inbox.announced()
        wanted = {key: _revision(again[key]) for key in changed if revision_of(again[key].type) in asked}
        new = await self._stored(list(wanted.values())) if wanted else frozenset()
        outcomes |= dict.fromkeys(changed, _REVISION_DROPPED)
        return outcomes | {key: _REVISED if each.key in new else Doubled for key, each in wanted.items()}

    async def _stored(self, deliveries: Sequence[Delivery]) -> frozenset[str]:
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


def _revision(delivery: Delivery) -> Delivery:
    key = revision_key(delivery.key, delivery.fingerprint)
    return evolve(delivery, key=key, type=revision_of(delivery.type))


def _opened(choice: Choice) -> Inbox:
    if choice is None:
        return MemoryInbox()
    return open_inbox(choice) if isinstance(choice, str | os.PathLike) else choice
