"""Takes deliveries out of the inbox and has them handled, so many at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import suppress
from typing import TypeVar

from attrs import define, field

from .handlers import unclaimed
from .handling import Desk, Handling
from .inbox.protocol import Inbox, Selection
from .notices import InboxFailed
from .telling import logger

T = TypeVar("T")

_ENDING = 1.0
"""Seconds for a handler to end after it was cancelled, and for its event to be given back."""

_POLL = 1.0
"""Seconds after which the inbox is asked anew: another process may have put something in."""

_LEAST = 0.01
"""Seconds: what is due and yet not to be had has most likely gone to another process."""


@define(eq=False)
class Workers:
    """At most `concurrency` handlings at once, from `start` to `stop`."""

    _desk: Desk
    _inbox: Inbox
    _concurrency: int
    _running: dict[asyncio.Task[None], Handling] = field(factory=dict, init=False)
    _news: asyncio.Event = field(factory=asyncio.Event, init=False)
    _announced: frozenset[str] = field(default=frozenset(), init=False)
    _announce_at: float = field(default=0.0, init=False)
    _late_at: float = field(default=0.0, init=False)
    _wanted: list[Selection] = field(factory=list, init=False)
    _draining: bool = field(default=False, init=False)
    _task: asyncio.Task[None] = field(init=False)

    def start(self) -> None:
        """Begin, in the running loop."""
        self._want(frozenset())
        self._task = asyncio.create_task(self._work())

    def wake(self) -> None:
        """Look into the inbox at once."""
        self._news.set()

    async def stop(self, grace: float) -> None:
        """Handle what is due, `grace` seconds at the most; end the rest and leave it in the inbox.

        A handler that does not end when it is cancelled is left behind after another second.
        """
        self._draining = True
        self._news.set()
        try:
            await asyncio.wait({self._task}, timeout=grace)
        finally:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _work(self) -> None:
        try:
            while not (self._draining and not self._running and await self._due_in() != 0.0):
                self._news.clear()
                taken = await self._take()
                if not taken:
                    await self._idle(failed=taken is None)
        finally:
            await self._end(dict(self._running))

    async def _end(self, running: Mapping[asyncio.Task[None], Handling]) -> None:
        for task in running:
            task.cancel()
        left = (await asyncio.wait(running, timeout=_ENDING))[1] if running else ()
        if left:
            logger.warning("%d handlers did not end when they were cancelled", len(left))
            await asyncio.wait([asyncio.ensure_future(running[task].give_back()) for task in left], timeout=_ENDING)

    async def _take(self) -> int | None:
        """Begin to handle what is due; how many there were, None where the inbox could not say."""
        now = self._desk.clock.now()
        await self._announce(now)
        counts = [await self._lease(of) for of in await self._selections(now)]
        return None if None in counts else sum(filter(None, counts))

    async def _lease(self, of: Selection) -> int | None:
        free = self._concurrency - len(self._running)
        leases = await self._ask("lease", self._inbox.lease(free, self._desk.lease, of)) if free else ()
        for lease in leases or ():
            if not any(each.hold(lease) for each in self._running.values()):
                self._begin(Handling(self._desk, self._inbox, lease))
        return None if leases is None else len(leases)

    async def _announce(self, now: float) -> None:
        """Let other processes know what is handled here, from time to time."""
        queues = self._desk.handlers.queues
        if not queues or (queues == self._announced and now < self._announce_at):
            return
        done = _completed(self._inbox.announce(queues, self._desk.unhandled_wait))
        if await self._ask("announce", done):
            self._announced, self._announce_at = queues, now + self._desk.unhandled_wait / 3

    async def _selections(self, now: float) -> Sequence[Selection]:
        """What to take: what handlers here want, and for streams, or when it is late, what no process handles."""
        late = now >= self._late_at and not self._draining
        if not late and not self._desk.broadcast:
            self._want(frozenset())
            return self._wanted
        announced = await self._ask("read what is handled", self._inbox.announced())
        if announced is None:
            return self._wanted
        self._want(announced)
        if not late:
            return self._wanted
        self._late_at = now + self._desk.unhandled_wait / 10
        rest = unclaimed(announced | self._desk.handlers.queues, self._desk.unhandled_wait)
        return [*self._wanted, rest] if rest else self._wanted

    def _want(self, announced: frozenset[str]) -> None:
        handlers = self._desk.handlers
        streamed = [unclaimed(announced | handlers.queues, 0.0)] if self._desk.broadcast else []
        self._wanted = [*filter(None, [handlers.selection(), *streamed])]

    def _begin(self, handling: Handling) -> None:
        task = asyncio.create_task(handling.run())
        self._running[task] = handling
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        if self._draining or len(self._running) == self._concurrency:  # else all that was due is under way
            self._news.set()
        del self._running[task]

    async def _due_in(self) -> float | None:
        """Seconds until something is due that is wanted here."""
        asked = [await self._ask("read what is due", self._inbox.due_in(of)) for of in self._wanted]
        return min((each for each in asked if each is not None), default=None)

    async def _idle(self, *, failed: bool) -> None:
        """Until something comes, a place is free, or something is due again; after a failure, a while."""
        due = None if failed else await self._due_in()
        wait = _POLL if due is None or len(self._running) == self._concurrency else min(_POLL, max(_LEAST, due))
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await self._news.wait()

    async def _ask(self, what: str, asking: Awaitable[T]) -> T | None:
        try:
            return await asking
        except Exception as error:  # noqa: BLE001 - whatever a store raises, it may be well again in a second
            self._desk.notify(InboxFailed(what, type(error).__name__, error))
            return None


async def _completed(asking: Awaitable[object]) -> bool:
    await asking
    return True
