"""Records that went by while nobody listened, read back."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.webhooks.deliveries import NOON, packed, receiver, record, stored
from tests.webhooks.desk import Desk, VirtualClock, virtually
from voxloud_async import VoxloudClient
from voxloud_async.errors import AuthenticationError
from voxloud_async.models import PhoneCall, TelephonyEvent
from voxloud_async.protocol import codec
from voxloud_async.sandbox import Fault, Sandbox
from voxloud_async.testing import FakeTransport, answer
from voxloud_async.webhooks import Backfill, Received
from voxloud_async.webhooks.inbox import InboxError, InboxFullError
from voxloud_async.webhooks.inbox.memory import MemoryInbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NOON_TIME = datetime.fromtimestamp(NOON / 1000, UTC)


class Records:
    """A service that has these records; `asked` is the interval it was asked for."""

    def __init__(self, *rows: dict[str, Any]) -> None:
        self.rows = rows
        self.telephony_events = self
        self.asked: tuple[datetime, datetime] | None = None

    async def _read(self) -> AsyncIterator[TelephonyEvent]:
        for row in self.rows:
            yield codec.structure(row, TelephonyEvent)

    def query(self, *, date_time_from: datetime, date_time_to: datetime) -> AsyncIterator[TelephonyEvent]:
        self.asked = (date_time_from, date_time_to)
        return self._read()


ROWS = (
    *(record(number) for number in range(1, 451)),
    record(451, type="CALL_PARKED", lastEvent="CALL_ANSWERED"),
    {"id": 452, "timestamp": NOON},
    {"id": 453, "type": "FAX_CALL", "callId": "fax", "timestamp": NOON},
    {"id": 454, "type": "CLICK_TO_CALL", "callId": "c-clicktocall", "timestamp": NOON},
)


def test_a_field_that_does_not_fit_costs_that_field_alone() -> None:
    async def main() -> None:
        desk, handled = Desk(), list[Any]()
        odd = record(2) | {"duration": "71"}
        transport = FakeTransport(answer({"content": [record(1), odd, record(3)], "last": True}))

        @desk.receiver.on()
        async def handle(event: Any) -> None:
            handled.append(event)

        async with desk.receiver, VoxloudClient("key", transport=transport, base_url="https://api.example") as client:
            report = await desk.receiver.backfill(client, since=NOON_TIME - timedelta(hours=1))
            await desk.settled()
        assert (report.read, report.added, len(transport.requests)) == (3, 3, 1)
        found = sorted(handled, key=lambda event: event.id)
        assert [type(event) for event in found] == [PhoneCall] * 3
        assert (found[1].duration, found[1].extra["duration"]) == (None, "71")

    virtually(main)


def test_what_is_new_is_handled_and_what_was_seen_is_not() -> None:
    async def main() -> None:
        desk, service, handled = Desk(), Records(*ROWS), list[tuple[Any, Received]]()

        @desk.receiver.on()
        async def handle(event: Any, received: Received) -> None:
            handled.append((event, received))

        async with desk.receiver:
            await desk.deliver(packed(record(7)), packed(record(8)))
            await desk.settled()
            report = await desk.receiver.backfill(service, since=NOON_TIME - timedelta(hours=1))
            await desk.settled()
            again = await desk.receiver.backfill(service, since=NOON_TIME - timedelta(hours=1))
        assert (report.read, report.added) == (454, 452)
        assert (again.read, again.added) == (454, 0)
        assert report.unrecoverable == ("CALL_STARTED", "CALL_INCOMING", "CALL_ANSWERED", "CALL_HANGUP")
        assert sorted(event.id for event, _ in handled) == list(range(1, 455))
        origins = {event.id: received.origin for event, received in handled}
        assert [number for number in origins if origins[number] == "webhook"] == [7, 8]
        assert {received.verified for event, received in handled if origins[event.id] == "backfill"} == {True}
        by_id = {event.id: event for event, _ in handled}
        assert by_id[451] == codec.structure(ROWS[450], TelephonyEvent)
        assert by_id[453] == codec.structure(ROWS[452], TelephonyEvent)
        assert isinstance(by_id[1], PhoneCall)

    virtually(main)


def test_a_name_that_was_cut_amid_an_emoji_stops_no_back_fill() -> None:
    async def main() -> None:
        desk, handled = Desk(), list[PhoneCall]()
        cut = record(1, originatorName="Ada \ud83d")

        @desk.receiver.on("PHONE_CALL")
        async def handle(event: PhoneCall) -> None:
            handled.append(event)

        async with desk.receiver:
            await desk.receiver.backfill(Records(cut, record(2)), since=NOON_TIME)
            await desk.deliver(packed(cut))
            await desk.settled()
        assert [(event.id, event.originator_name) for event in handled] == [(1, "Ada \ud83d"), (2, None)]

    virtually(main)


def test_p20_a_call_counts_that_may_have_ended_since() -> None:
    def minutes_before(number: int, minutes: float, duration: float | None) -> dict[str, Any]:
        return record(number, timestamp=NOON - int(minutes * 60_000), duration=duration)

    async def main() -> None:
        desk, handled = Desk(), list[int | None]()
        rows = (
            minutes_before(1, 200.0, 60.0),
            minutes_before(2, 200.0, 194 * 60.0),
            minutes_before(3, 200.0, 195 * 60.0),  # the last five minutes count
            minutes_before(4, 6.0, None),
            minutes_before(5, 5.0, None),
            minutes_before(6, 200.0, 1e308),
            record(7, timestamp=None),
        )

        @desk.receiver.on("PHONE_CALL")
        async def handle(event: PhoneCall) -> None:
            handled.append(event.id)

        async with desk.receiver:
            report = await desk.receiver.backfill(Records(*rows), since=NOON_TIME)
            await desk.settled()
        assert handled == [3, 5, 6, 7]
        assert (report.read, report.added) == (4, 4)

    virtually(main)


def test_it_reads_from_hours_earlier_up_to_now() -> None:
    async def main() -> None:
        desk, service, since = Desk(), Records(), NOON_TIME - timedelta(hours=2)
        now = datetime.fromtimestamp(VirtualClock().wall(), UTC)
        report = await desk.receiver.backfill(service, since=since)
        assert service.asked == (since - timedelta(hours=4, minutes=5), now)
        assert report == Backfill(since=since, until=now, read=0, added=0)
        until = since + timedelta(minutes=1)
        report = await desk.receiver.backfill(service, since=since, until=until)
        assert service.asked == (since - timedelta(hours=4, minutes=5), until)
        assert report.until == until

    virtually(main)


def test_a_full_inbox_is_waited_for_while_somebody_handles() -> None:
    async def main() -> None:
        desk = Desk(MemoryInbox(limit=200, wall=lambda: NOON / 1000))
        handled: list[int | None] = []

        @desk.receiver.on("PHONE_CALL")
        async def handle(event: PhoneCall) -> None:
            handled.append(event.id)

        async with desk.receiver:
            report = await desk.receiver.backfill(Records(*ROWS[:450]), since=NOON_TIME)
            await desk.settled()
        assert (report.added, sorted(filter(None, handled))) == (450, list(range(1, 451)))

    virtually(main)


def test_an_inbox_smaller_than_a_batch_is_filled_bit_by_bit() -> None:
    async def main() -> None:
        desk = Desk(MemoryInbox(limit=10, wall=VirtualClock().wall))

        @desk.receiver.on()
        async def take(_event: object) -> None: ...

        async with desk.receiver, asyncio.timeout(600):
            report = await desk.receiver.backfill(Records(*ROWS[:450]), since=NOON_TIME)
            await desk.settled()
        assert (report.read, report.added) == (450, 450)
        assert (await desk.inbox.counts()).done == 450

    virtually(main)


def test_records_may_come_from_any_iterator() -> None:
    class Rows:
        def __init__(self) -> None:
            self.left = [*ROWS[:3]]

        def __aiter__(self) -> Rows:
            return self

        async def __anext__(self) -> TelephonyEvent:
            if not self.left:
                raise StopAsyncIteration
            event: TelephonyEvent = codec.structure(self.left.pop(), TelephonyEvent)
            return event

    async def main() -> None:
        desk, service = Desk(concurrency=0), Records()
        service._read = Rows  # type: ignore[method-assign]
        assert (await desk.receiver.backfill(service, since=NOON_TIME)).added == 3

    virtually(main)


def test_reading_ends_with_the_back_fill_that_failed() -> None:
    async def main() -> None:
        desk, service, ended = Desk(MemoryInbox(limit=1, wall=lambda: NOON / 1000), concurrency=0), Records(), []

        async def rows() -> AsyncIterator[TelephonyEvent]:
            try:
                for row in ROWS:
                    yield codec.structure(row, TelephonyEvent)
            finally:
                ended.append(True)

        service._read = rows  # type: ignore[method-assign]
        with pytest.raises(InboxFullError):
            await desk.receiver.backfill(service, since=NOON_TIME)
        assert ended == [True]

    virtually(main)


def test_a_back_fill_that_goes_on_when_the_receiver_has_stopped_starts_nothing() -> None:
    async def main() -> None:
        desk = Desk()
        async with desk.receiver:
            pass
        with pytest.raises(InboxError, match="the receiver has stopped"):
            await desk.receiver.backfill(Records(*ROWS), since=NOON_TIME)
        assert desk.receiver._lifetime._work is None
        assert (await desk.inbox.counts()).waiting == 0

    virtually(main)


def test_a_full_inbox_that_nobody_empties_is_told() -> None:
    async def main() -> None:
        desk = Desk(MemoryInbox(limit=300, wall=lambda: NOON / 1000), concurrency=0)
        with pytest.raises(InboxFullError):
            await desk.receiver.backfill(Records(*ROWS), since=NOON_TIME)
        assert (await desk.inbox.counts()).waiting == 200

    virtually(main)


def test_times_that_do_not_fit_are_refused_before_anything_is_read() -> None:
    async def main() -> None:
        desk, service = Desk(), Records(*ROWS)
        now = NOON_TIME
        bad: list[tuple[type[Exception], str, dict[str, Any]]] = [
            (ValueError, "since must carry a time zone", {"since": datetime(2026, 1, 1)}),  # noqa: DTZ001 - the slip
            (ValueError, "until must carry a time zone", {"since": now, "until": datetime(2026, 1, 1)}),  # noqa: DTZ001
            (TypeError, "since must be a datetime", {"since": "yesterday"}),
            (ValueError, "since must not be after until", {"since": now, "until": now - timedelta(hours=1)}),
            (ValueError, "within 72 hours", {"since": now - timedelta(hours=73)}),
        ]
        for kind, words, options in bad:
            with pytest.raises(kind, match=words):
                await desk.receiver.backfill(service, **options)
        assert service.asked is None

    virtually(main)


async def test_a_service_that_is_down_for_a_while_and_one_that_refuses() -> None:
    now = datetime.now(UTC)
    async with (
        Sandbox(events=400, contacts=2, users=3, groups=1, days=2, now=now) as sandbox,
        VoxloudClient(sandbox.api_key, base_url=sandbox.url) as client,
        receiver(concurrency=0) as hooks,
    ):
        sandbox.fail_next(Fault(status=503), 2)
        report = await hooks.backfill(client, since=now - timedelta(hours=70), until=now)
        assert report.added == report.read == (await hooks.inbox.counts()).waiting > 0
        sandbox.fail_next(Fault(status=401))
        with pytest.raises(AuthenticationError):
            await hooks.backfill(client, since=now - timedelta(hours=1), until=now)


async def test_calls_come_out_of_the_receiver_as_they_change() -> None:
    async with receiver() as hooks:
        calls = hooks.calls()
        first = hooks._lifetime.add(
            stored(packed({"timestamp": NOON, "callId": "c1", "type": "INCOMING", "userExtension": 102}))
        )
        await first
        assert (await anext(calls)).call_id == "c1"
