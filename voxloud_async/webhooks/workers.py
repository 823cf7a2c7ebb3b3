"""Takes deliveries out of the inbox and has them handled, so many at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from typing import TypeVar

from attrs import define, field

from .handling import Desk, Handling
from .inbox.protocol import Inbox
from .notices import InboxFailed

T = TypeVar("T")

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
    _draining: bool = field(default=False, init=False)
    _task: asyncio.Task[None] = field(init=False)

    def start(self) -> None:
        """Begin, in the running loop."""
        self._task = asyncio.create_task(self._work())

    def wake(self) -> None:
        """Look into the inbox at once."""
        self._news.set()

    async def stop(self, grace: float) -> None:
        """Handle what is due, `grace` seconds at the most; end the rest and leave it in the inbox."""
        self._draining = True
        self._news.set()
        try:
            await asyncio.wait({self._task}, timeout=grace)
        finally:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _work(self) -> None:
        try:
            while not (self._draining and not self._running and not await self._due()):
                self._news.clear()
                taken = await self._take()
                if not taken:
                    await self._idle(failed=taken is None)
        finally:
            for task in self._running:
                task.cancel()
            if self._running:
                await asyncio.wait(self._running)

    async def _take(self) -> int | None:
        """Begin to handle what is due; how many there were, None where the inbox could not say."""
        free = self._concurrency - len(self._running)
        leases = await self._ask("lease", self._inbox.lease(free, self._desk.lease)) if free else ()
        for lease in leases or ():
            if not any(each.hold(lease) for each in self._running.values()):
                self._begin(Handling(self._desk, self._inbox, lease))
        return None if leases is None else len(leases)

    def _begin(self, handling: Handling) -> None:
        task = asyncio.create_task(handling.run())
        self._running[task] = handling
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        if self._draining or len(self._running) == self._concurrency:  # else all that was due is under way
            self._news.set()
        del self._running[task]

    async def _due(self) -> bool:
        return await self._ask("tell what is due", self._inbox.due_in()) == 0.0

    async def _idle(self, *, failed: bool) -> None:
        """Until something comes, a place is free, or something is due again; after a failure, a while."""
        due = None if failed else await self._ask("tell what is due", self._inbox.due_in())
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
