"""Receivers in virtual time, without a server: what is put into the inbox is handled, and told in order."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tests.virtual_time import run_virtual
from tests.webhooks.deliveries import NOON, receiver, stored
from voxloud_async._clock import LoopClock
from voxloud_async.webhooks.inbox.memory import MemoryInbox

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from voxloud_async.webhooks import WebhookReceiver
    from voxloud_async.webhooks.notices import Notice


class BrokenError(Exception):
    """What the handlers of these tests raise."""


class VirtualClock(LoopClock):
    """The loop's time, in years too."""

    def wall(self) -> float:
        """Seconds since 1970."""
        return NOON / 1000 + self.now()


class Desk:
    """A receiver, its inbox, and what it told."""

    def __init__(self, inbox: MemoryInbox | None = None, **options: Any) -> None:
        clock = VirtualClock()
        self.notices: list[Notice] = []
        self.inbox = inbox or MemoryInbox(wall=clock.wall)
        self.receiver: WebhookReceiver = receiver(
            **{
                "inbox": self.inbox,
                "clock": clock,
                "chance": lambda: 1.0,
                "subscribers": [self.notices.append],
                **options,
            }
        )

    async def deliver(self, *bodies: bytes) -> None:
        """Put deliveries in as the intake does."""
        for body in bodies:
            await self.receiver._lifetime.add(stored(body, self.inbox._wall()))

    async def settled(self, waiting: int = 0) -> None:
        """Wait until no more than so many are left."""
        while (await self.inbox.counts()).waiting > waiting:  # noqa: ASYNC110 - an inbox sends no event
            await asyncio.sleep(0.05)

    def told(self, *kinds: type) -> list[Any]:
        """The notices of these kinds."""
        return [notice for notice in self.notices if isinstance(notice, kinds)]


def virtually(main: Callable[..., Awaitable[None]], *arguments: Any) -> None:
    """Run a test in virtual time, and see that it leaves no task behind."""

    async def whole() -> None:
        await main(*arguments)
        left: Collection[asyncio.Task[Any]] = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, left

    run_virtual(whole())
