"""Workers and their store: leases, and an inbox that fails or hangs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.webhooks.deliveries import incoming
from tests.webhooks.desk import BrokenError, Desk, VirtualClock, virtually
from voxloud_async.webhooks import Received
from voxloud_async.webhooks.inbox.memory import MemoryInbox
from voxloud_async.webhooks.inbox.protocol import EVERY, InboxError, Lease, Selection
from voxloud_async.webhooks.notices import InboxFailed, Overtaken

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from voxloud_async.models import CallEvent


def test_a_lease_is_extended_as_long_as_a_slow_handler_runs() -> None:
    async def main() -> None:
        desk, runs = Desk(lease=30.0, handler_timeout=500.0), []

        @desk.receiver.on()
        async def slow(_event: object, received: Received) -> None:
            runs.append(received.run)
            await asyncio.sleep(400.0)

        async with desk.receiver:
            await desk.deliver(incoming())
            await desk.settled()
        assert runs == [1]
        assert desk.receiver.stats.overtaken == 0

    virtually(main)


def test_a_run_whose_lease_went_to_another_is_ended() -> None:
    async def main() -> None:
        desk, ended = Desk(lease=30.0, concurrency=1), []

        @desk.receiver.on()
        async def slow(_event: object) -> None:
            try:
                await asyncio.sleep(50.0)
            except asyncio.CancelledError:
                ended.append(True)
                raise

        async with desk.receiver:
            await desk.deliver(incoming())
            await asyncio.sleep(1.0)
            (held,) = desk.inbox._waiting.values()
            held.token = "of another worker"
            await asyncio.sleep(15.0)
            assert ended == [True]
            assert len(desk.told(Overtaken)) == 1
            await desk.settled()

    virtually(main)


def test_a_lease_that_runs_out_unnoticed_does_not_double_a_run_under_way() -> None:
    async def main() -> None:
        clock, ahead = VirtualClock(), [0.0]
        desk, runs = Desk(MemoryInbox(wall=lambda: clock.wall() + ahead[0]), lease=30.0), []

        @desk.receiver.on("CALL_INCOMING")
        async def slow(event: CallEvent, received: Received) -> None:
            runs.append((event.call_id, received.run))
            await asyncio.sleep(50.0)

        async with desk.receiver:
            await desk.deliver(incoming("a"))
            await asyncio.sleep(1.0)
            ahead[0] = 3600.0  # the clock was wrong, or the machine slept
            await desk.deliver(incoming("b"))
            await desk.settled()
        assert runs == [("a", 1), ("b", 1)]
        assert (desk.receiver.stats.handled, desk.receiver.stats.overtaken) == (2, 0)

    virtually(main)


def test_a_run_goes_on_under_a_lease_that_came_while_the_last_was_to_be_extended() -> None:
    async def main() -> None:
        inbox = Late(wall=VirtualClock().wall)
        desk, runs = Desk(inbox, lease=30.0), 0

        @desk.receiver.on()
        async def slow(_event: object) -> None:
            nonlocal runs
            runs += 1
            await asyncio.sleep(50.0)

        async with desk.receiver:
            await desk.deliver(incoming())
            await desk.settled()
        assert (runs, inbox.leases, desk.receiver.stats.overtaken) == (1, 2, 0)

    virtually(main)


class Late(MemoryInbox):
    """An inbox that the first extension reaches when the lease is over."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.leases = 0
        self.late = True

    async def lease(self, limit: int, seconds: float, of: Selection = EVERY) -> Sequence[Lease]:
        found = await super().lease(limit, seconds, of)
        self.leases += len(found)
        return found

    async def extend(self, lease: Lease, seconds: float) -> Lease | None:
        if self.late:
            self.late = False
            await asyncio.sleep(25.0)
        return await super().extend(lease, seconds)


def test_a_handler_that_ends_after_its_lease_changes_nothing() -> None:
    async def main() -> None:
        desk = Desk(lease=30.0, concurrency=1)

        @desk.receiver.on()
        async def late(_event: object) -> None:
            (held,) = desk.inbox._waiting.values()
            held.token = "of another worker"

        async with desk.receiver:
            await desk.deliver(incoming())
            await asyncio.sleep(1.0)
        assert (desk.receiver.stats.overtaken, desk.receiver.stats.handled) == (1, 0)

    virtually(main)


class Flaky(MemoryInbox):
    """An inbox that fails where it is told to."""

    broken: frozenset[str] = frozenset()

    def _check(self, what: str) -> None:
        if what in self.broken:
            raise InboxError

    async def lease(self, limit: int, seconds: float, of: Selection = EVERY) -> Any:
        self._check("lease")
        return await super().lease(limit, seconds, of)

    async def extend(self, lease: Lease, seconds: float) -> Lease | None:
        self._check("extend")
        return await super().extend(lease, seconds)

    async def done(self, lease: Lease) -> bool:
        self._check("done")
        return await super().done(lease)

    async def retry(self, lease: Lease, delay: float, error: str) -> bool:
        self._check("retry")
        return await super().retry(lease, delay, error)

    async def bury(self, lease: Lease, error: str) -> bool:
        self._check("bury")
        return await super().bury(lease, error)

    async def announce(self, types: Collection[str], seconds: float) -> None:
        self._check("announce")
        await super().announce(types, seconds)

    async def announced(self) -> frozenset[str]:
        self._check("announced")
        return await super().announced()

    async def due_in(self, of: Selection = EVERY) -> float | None:
        self._check("due_in")
        return await super().due_in(of)


@pytest.mark.parametrize("what", ["lease", "extend", "done", "retry", "bury", "due_in", "announce", "announced"])
def test_an_inbox_that_fails_for_a_while_loses_nothing(what: str) -> None:
    async def main() -> None:
        desk = Desk(max_runs=1 if what == "bury" else 3)
        inbox = Flaky(wall=desk.inbox._wall)
        desk.receiver._lifetime.choice = inbox
        runs: list[int] = []

        @desk.receiver.on()
        async def work(_event: object, received: Received) -> None:
            runs.append(received.run)
            if what == "extend":
                await asyncio.sleep(25.0)
            if received.run == 1 and what in {"retry", "bury"}:
                raise BrokenError

        async with desk.receiver:
            inbox.broken = frozenset({what})
            await desk.deliver(incoming())
            await asyncio.sleep(15.0)
            assert len(desk.told(InboxFailed)) >= 1
            inbox.broken = frozenset()
            await asyncio.sleep(60.0)
        assert (await inbox.counts()).waiting == 0
        assert runs == ([1, 2] if what in {"done", "retry"} else [1])

    virtually(main)


def test_a_store_that_hangs_holds_up_no_worker_for_long() -> None:
    async def main() -> None:
        desk = Desk(concurrency=1)
        plain, hung = desk.inbox.done, []

        async def hang(lease: Lease) -> bool:
            hung.append(lease)
            return await (asyncio.Event().wait() if len(hung) == 1 else plain(lease))

        desk.inbox.done = hang  # type: ignore[method-assign]

        @desk.receiver.on()
        async def take(_event: object) -> None: ...

        async with desk.receiver:
            await desk.deliver(incoming())
            await desk.settled()
        assert [notice.error for notice in desk.told(InboxFailed)] == ["TimeoutError"]
        assert len(hung) == 2

    virtually(main)
