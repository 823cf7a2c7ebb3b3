"""A record that comes again is a duplicate or, with other content, a revision: by its id, not by its time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.webhooks.deliveries import NOON, enveloped, incoming, packed, record
from tests.webhooks.desk import Desk, VirtualClock, virtually
from tests.webhooks.test_backfill import Records
from voxloud_async.webhooks.inbox.memory import MemoryInbox
from voxloud_async.webhooks.notices import Revised

if TYPE_CHECKING:
    from voxloud_async.models import PhoneCall
    from voxloud_async.webhooks import Received

TRANSCRIBED = record(transcription="Good morning")


def test_w5_a_webhook_in_milliseconds_and_its_record_in_whole_seconds_are_one() -> None:
    async def main() -> None:
        desk, handled = Desk(), []

        @desk.receiver.on(revisions=True)
        async def book(event: Any) -> None:
            handled.append(event.id)

        sent, row = record(timestamp=NOON + 345), record(timestamp="2026-01-02T14:00:00.000+0000", labels=None)
        async with desk.receiver:
            await desk.deliver(packed(sent))
            since = datetime.fromtimestamp(NOON / 1000, UTC) - timedelta(hours=1)
            report = await desk.receiver.backfill(Records(row), since=since)
            await desk.settled()
        assert (handled, report.read, report.added, report.revised) == ([1], 1, 0, 0)

    virtually(main)


@pytest.mark.parametrize("again", [TRANSCRIBED, record(duration=13), record(timestamp=NOON + 5000)])
def test_w5_a_revision_is_dropped_and_counted(again: dict[str, Any]) -> None:
    async def main() -> None:
        desk, handled = Desk(), []

        @desk.receiver.on("PHONE_CALL")
        async def book(event: PhoneCall) -> None:
            handled.append(event.id)

        async with desk.receiver:
            for body in (packed(record()), packed(again), enveloped(again, "PHONE_CALL"), packed(record())):
                notice = await desk.receiver._lifetime.add(desk.stored(body))
                desk.receiver._intake.notify(notice("PHONE_CALL"))
            await desk.settled()
        stats = desk.receiver.stats
        assert (stats.accepted, stats.revisions_dropped, stats.doubled, stats.revised) == (1, 2, 1, 0)
        assert handled == [1]
        assert desk.told(Revised) == [Revised("PHONE_CALL", dropped=True)] * 2

    virtually(main)


def test_w5_a_handler_may_ask_for_revisions() -> None:
    async def main() -> None:
        inbox = MemoryInbox(wall=VirtualClock().wall)
        plain, asking = Desk(inbox), Desk(inbox)
        seen: list[tuple[str, bool, str | None]] = []

        @plain.receiver.on()
        async def book(event: Any, received: Received) -> None:
            seen.append(("all", received.revision, event.transcription))

        @asking.receiver.on("PHONE_CALL", revisions=True)
        async def transcribe(event: PhoneCall, received: Received) -> None:
            seen.append(("asked", received.revision, event.transcription))

        async with asking.receiver:
            await asking.deliver(packed(record()))
            await asking.settled()
            async with plain.receiver:
                await plain.deliver(packed(TRANSCRIBED), packed(TRANSCRIBED), packed(record()))
                await plain.settled()
        assert seen == [("asked", False, None), ("asked", True, "Good morning")]

    virtually(main)


def test_a_revision_that_no_process_asks_for_any_more_is_dropped_in_the_end() -> None:
    async def main() -> None:
        inbox = MemoryInbox(wall=VirtualClock().wall)
        plain, asking = Desk(inbox, unhandled_wait=60.0), Desk(inbox, unhandled_wait=60.0, concurrency=0)
        asking.receiver.on("*", revisions=True)(_ignore)
        plain.receiver.on("*")(_ignore)
        await asking.deliver(packed(record()), packed(TRANSCRIBED), incoming(), incoming())
        assert (await inbox.counts()).waiting == 3
        async with plain.receiver:
            await plain.settled(1)
            await plain.settled()
        assert plain.receiver.stats.handled == 2
        assert plain.told(Revised) == [Revised("PHONE_CALL", dropped=True)]
        assert list(await inbox.dead_letters()) == []

    virtually(main)


async def _ignore(_event: object) -> None: ...


def test_a_record_without_an_id_and_its_row_with_one_are_one() -> None:
    async def main() -> None:
        desk, handled = Desk(), []

        @desk.receiver.on("PHONE_CALL")
        async def book(event: PhoneCall) -> None:
            handled.append(event.id)

        table = record()
        del table["id"]
        async with desk.receiver:
            await desk.deliver(
                packed(table), packed({**table, "timestamp": NOON + 5}), packed({**table, "callId": "d"})
            )
            await desk.settled()
            since = datetime.fromtimestamp(NOON / 1000, UTC) - timedelta(hours=1)
            report = await desk.receiver.backfill(Records(record(), record(2)), since=since)
            await desk.settled()
        assert handled == [None, None, 2]
        assert (report.read, report.added) == (2, 1)

    virtually(main)


def test_a_backfill_may_bring_a_revision() -> None:
    async def main() -> None:
        desk, seen = Desk(), []

        @desk.receiver.on("PHONE_CALL", revisions=True)
        async def book(event: PhoneCall, received: Received) -> None:
            seen.append((event.transcription, received.origin, received.revision))

        async with desk.receiver:
            await desk.deliver(packed(record()))
            await desk.settled()
            since = datetime.fromtimestamp(NOON / 1000, UTC) - timedelta(hours=72)
            report = await desk.receiver.backfill(Records(TRANSCRIBED), since=since)
            await desk.settled()
        assert seen == [(None, "webhook", False), ("Good morning", "backfill", True)]
        assert (report.added, report.revised) == (0, 1)

    virtually(main)
