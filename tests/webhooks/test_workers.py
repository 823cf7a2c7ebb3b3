"""Handling in virtual time: order, retries, time-outs, leases, dead letters, the end (W6, W9)."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from tests.webhooks.deliveries import incoming, stored
from tests.webhooks.desk import Desk, virtually
from voxloud_async.models import CallEvent
from voxloud_async.webhooks import Received
from voxloud_async.webhooks.inbox.memory import MemoryInbox
from voxloud_async.webhooks.inbox.protocol import InboxError, Lease
from voxloud_async.webhooks.notices import Buried, Handled, InboxFailed, Overtaken, Retrying, Unheard


class BrokenError(Exception):
    """What the handlers of these tests raise."""


def test_every_event_is_handled_once_and_its_key_is_kept() -> None:
    async def main() -> None:
        desk, seen = Desk(), []

        @desk.receiver.on("CALL_INCOMING")
        async def note(event: CallEvent) -> None:
            seen.append(event.call_id)

        async with desk.receiver:
            await desk.deliver(*(incoming(f"c{n}") for n in range(50)), incoming("c0"))
            await desk.settled()
        assert sorted(seen) == sorted(f"c{n}" for n in range(50))
        assert (await desk.inbox.counts()).done == 50
        assert [notice.run for notice in desk.told(Handled)] == [1] * 50

    virtually(main)


def test_w6_a_handler_that_raises_is_run_again_with_growing_pauses() -> None:
    async def main() -> None:
        desk, runs, at = Desk(), [], []

        @desk.receiver.on("CALL_INCOMING")
        async def fail(_event: CallEvent, received: Received) -> None:
            runs.append(received.run)
            at.append(asyncio.get_running_loop().time())
            if received.run < 5:
                raise BrokenError("+390612345678")

        async with desk.receiver:
            await desk.deliver(incoming())
            await desk.settled()
        assert runs == [1, 2, 3, 4, 5]
        pauses = [round(later - earlier, 1) for earlier, later in pairwise(at)]
        assert pauses == [1.0, 2.0, 4.0, 8.0]
        told = desk.told(Retrying)
        assert [(notice.delay, notice.error) for notice in told] == [(n, "BrokenError") for n in (1.0, 2.0, 4.0, 8.0)]
        assert told[0].place.startswith("test_workers.py:")
        assert "+39" not in repr(desk.notices)
        assert desk.receiver.stats.retried == 4

    virtually(main)


def test_w6_a_handler_that_never_succeeds_ends_as_a_dead_letter_that_can_be_replayed() -> None:
    async def main() -> None:
        desk, runs = Desk(max_runs=3), []
        well = False

        @desk.receiver.on()
        async def fail(_event: object, received: Received) -> None:
            runs.append(received.run)
            if not well:
                raise BrokenError

        async with desk.receiver:
            await desk.deliver(incoming())
            await desk.settled()
            assert runs == [1, 2, 3]
            assert [(notice.runs, notice.error) for notice in desk.told(Buried)] == [(3, "BrokenError")]
            (letter,) = await desk.receiver.inbox.dead_letters()
            well = True
            assert await desk.receiver.inbox.replay([letter.delivery.key]) == 1
            await desk.settled()
        assert runs == [1, 2, 3, 1]
        assert desk.receiver.stats.handled == 1

    virtually(main)


def test_w6_a_handler_that_hangs_is_ended_and_the_others_go_on() -> None:
    async def main() -> None:
        desk, ended, seen = Desk(handler_timeout=5.0, concurrency=2), [], []

        @desk.receiver.on("CALL_INCOMING")
        async def hang(event: CallEvent, received: Received) -> None:
            if event.call_id == "hangs" and received.run == 1:
                try:
                    await asyncio.Event().wait()
                finally:
                    ended.append(asyncio.get_running_loop().time())
            seen.append(event.call_id)

        async with desk.receiver:
            started = asyncio.get_running_loop().time()
            await desk.deliver(incoming("hangs"), incoming("a"), incoming("b"))
            await desk.settled(1)
            assert seen == ["a", "b"]
            await desk.settled()
        assert ended == [pytest.approx(started + 5.0)]
        assert seen == ["a", "b", "hangs"]
        assert [notice.error for notice in desk.told(Retrying)] == ["TimeoutError"]

    virtually(main)


def test_all_handlers_run_in_order_also_after_one_that_failed_and_all_of_them_again() -> None:
    async def main() -> None:
        desk, seen = Desk(), []

        @desk.receiver.on("CALL_INCOMING")
        async def first(_event: CallEvent) -> None:
            seen.append("first")

        @desk.receiver.on("*")
        async def second(_event: object, received: Received) -> None:
            seen.append("second")
            if received.run == 1:
                raise BrokenError

        @desk.receiver.on("CALL_HANGUP")
        async def other(_event: CallEvent) -> None:
            seen.append("other")

        @desk.receiver.on()
        async def third(_event: object) -> None:
            seen.append("third")

        async with desk.receiver:
            await desk.deliver(incoming())
            await desk.settled()
        assert seen == ["first", "second", "third"] * 2

    virtually(main)


def test_a_cancellation_that_a_handler_met_is_a_failure_like_any_other() -> None:
    async def main() -> None:
        desk = Desk(max_runs=2)

        @desk.receiver.on()
        async def fail(_event: object) -> None:
            raise asyncio.CancelledError

        async with desk.receiver:
            await desk.deliver(incoming())
            await desk.settled()
        assert [type(notice) for notice in desk.told(Retrying, Buried)] == [Retrying, Buried]

    virtually(main)


def test_no_more_than_so_many_are_handled_at_once() -> None:
    async def main() -> None:
        desk, under_way, most = Desk(concurrency=3), 0, 0

        @desk.receiver.on()
        async def slow(_event: object) -> None:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(1.0)
            under_way -= 1

        async with desk.receiver:
            started = asyncio.get_running_loop().time()
            await desk.deliver(*(incoming(f"c{n}") for n in range(9)))
            await desk.settled()
        assert most == 3
        assert asyncio.get_running_loop().time() - started == pytest.approx(3.0, abs=0.2)

    virtually(main)


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


def test_an_event_that_nobody_waits_for_is_done_and_told() -> None:
    async def main() -> None:
        desk = Desk()
        async with desk.receiver:
            await desk.deliver(incoming())
            await desk.settled()
        assert desk.told(Unheard, Handled) == [Unheard("CALL_INCOMING"), *desk.told(Handled)]

    virtually(main)


def test_what_lies_unreadable_in_the_inbox_ends_as_a_dead_letter() -> None:
    async def main() -> None:
        desk = Desk(max_runs=1)
        async with desk.receiver:
            await desk.inbox.add([stored(incoming())])
            (held,) = desk.inbox._waiting.values()
            object.__setattr__(held.delivery, "body", b"{")
            await desk.settled()
        assert [(notice.type, notice.error) for notice in desk.told(Buried)] == [("unknown", "WebhookError")]

    virtually(main)


class Flaky(MemoryInbox):
    """An inbox that fails where it is told to."""

    broken: frozenset[str] = frozenset()

    def _check(self, what: str) -> None:
        if what in self.broken:
            raise InboxError

    async def lease(self, limit: int, seconds: float) -> Any:
        self._check("lease")
        return await super().lease(limit, seconds)

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

    async def due_in(self) -> float | None:
        self._check("due_in")
        return await super().due_in()


@pytest.mark.parametrize("what", ["lease", "extend", "done", "retry", "bury", "due_in"])
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
        async with desk.receiver:
            await desk.deliver(incoming())
            await desk.settled()
        assert [notice.error for notice in desk.told(InboxFailed)] == ["TimeoutError"]
        assert len(hung) == 2

    virtually(main)


def test_w9_at_the_end_what_is_due_is_handled_first() -> None:
    async def main() -> None:
        desk, seen = Desk(concurrency=2, grace=10.0), []

        @desk.receiver.on("CALL_INCOMING")
        async def slow(event: CallEvent) -> None:
            await asyncio.sleep(1.0)
            seen.append(event.call_id)

        async with desk.receiver:
            await desk.deliver(*(incoming(f"c{n}") for n in range(6)))
        assert sorted(seen) == [f"c{n}" for n in range(6)]
        assert (await desk.inbox.counts()).waiting == 0

    virtually(main)


def test_w9_after_the_grace_the_rest_stays_in_the_inbox_and_is_due_at_once() -> None:
    async def main() -> None:
        desk, ended = Desk(concurrency=2, grace=3.0), 0

        @desk.receiver.on()
        async def slow(_event: object) -> None:
            nonlocal ended
            try:
                await asyncio.sleep(2.0)
            except asyncio.CancelledError:
                ended += 1
                raise

        async with desk.receiver:
            await desk.deliver(*(incoming(f"c{n}") for n in range(20)))
            started = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - started == pytest.approx(3.0, abs=0.1)
        counts = await desk.inbox.counts()
        assert (counts.done, counts.waiting, counts.leased, ended) == (2, 18, 0, 2)
        assert len(await desk.inbox.lease(100, 1.0)) == 18

    virtually(main)


def test_w9_what_is_to_be_retried_later_does_not_hold_up_the_end() -> None:
    async def main() -> None:
        desk = Desk(grace=100.0)

        @desk.receiver.on()
        async def fail(_event: object) -> None:
            raise BrokenError

        async with desk.receiver:
            await desk.deliver(incoming())
            await asyncio.sleep(20.0)
            started = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - started < 1.0
        assert (await desk.inbox.counts()).waiting == 1

    virtually(main)


def test_w9_the_end_itself_may_be_cancelled() -> None:
    async def main() -> None:
        desk = Desk(grace=100.0)

        @desk.receiver.on()
        async def slow(_event: object) -> None:
            await asyncio.sleep(50.0)

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2.0), desk.receiver:
                await desk.deliver(incoming())
        await asyncio.sleep(1.0)
        assert (await desk.inbox.counts()).waiting == 1

    virtually(main)
