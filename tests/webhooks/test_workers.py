"""Handling in virtual time: order, retries, time-outs, dead letters (W6)."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from tests.webhooks.deliveries import incoming, stored
from tests.webhooks.desk import BrokenError, Desk, virtually
from voxloud_async.models import CallEvent
from voxloud_async.webhooks import Received
from voxloud_async.webhooks.inbox.protocol import Counts
from voxloud_async.webhooks.notices import Buried, Handled, Retrying


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


def test_w6_a_discarded_event_that_is_delivered_again_is_not_handled() -> None:
    async def main() -> None:
        desk, runs = Desk(max_runs=1), []

        @desk.receiver.on()
        async def fail(_event: object, received: Received) -> None:
            runs.append(received.run)
            raise BrokenError

        async with desk.receiver:
            await desk.deliver(incoming())
            await desk.settled()
            (letter,) = await desk.receiver.inbox.dead_letters()
            assert await desk.receiver.inbox.discard([letter.delivery.key]) == 1
            await desk.deliver(incoming())
            await desk.settled()
            assert await desk.receiver.inbox.counts() == Counts(waiting=0, leased=0, dead=0, done=1)
        assert runs == [1]

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


def test_what_lies_unreadable_in_the_inbox_ends_as_a_dead_letter() -> None:
    async def main() -> None:
        desk = Desk(max_runs=1)

        @desk.receiver.on()
        async def take(_event: object) -> None: ...

        async with desk.receiver:
            await desk.inbox.add([stored(incoming())])
            (held,) = desk.inbox._waiting.values()
            object.__setattr__(held.delivery, "body", b"{")
            await desk.settled()
        assert [(notice.type, notice.error) for notice in desk.told(Buried)] == [("unknown", "WebhookError")]

    virtually(main)
