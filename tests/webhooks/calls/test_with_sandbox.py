"""What the sandbox tells, folded, is what happened in it: under every reading, out of order, doubled, with losses."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from attrs import frozen

from tests.sandbox.receiving import LIVE, receiving
from voxloud_async.models import ClickToCallCall, PhoneCall
from voxloud_async.sandbox import Misfortune, Quirks, Sandbox, Traffic
from voxloud_async.webhooks import CallBook, CallState, parse_webhook

if TYPE_CHECKING:
    from collections.abc import Iterable

    from voxloud_async.sandbox import Delivery

READINGS = [Quirks(), *(each for each in Quirks.every() if set(each.changed()) & {
    *("delivery_envelope", "delivery_phase", "delivery_times", "delivery_extension", "delivery_fax"),
    *("internal_incoming", "hangup", "live_call_id", "empty_fields", "undocumented_fields"),
    *("delivery_record_time", "delivery_transcription", "delivery_pbx_id", "delivery_envelope_time"),
})]  # fmt: skip
SHUFFLED = Misfortune(doubled=0.2, overtaken=0.3)


@frozen
class Heard:
    bodies: list[bytes]
    sandbox: Sandbox


async def a_day(quirks: Quirks, misfortune: Misfortune, *, calls: int = 120) -> Heard:
    sandbox = Sandbox(events=0, quirks=quirks, misfortune=misfortune)
    async with receiving() as receiver, sandbox:
        receiver.subscribe(sandbox)
        sandbox.change_traffic(Traffic(calls_per_second=1e6, calls=calls))
        await sandbox.drain()
        return Heard(receiver.bodies, sandbox)


def fold(bodies: Iterable[bytes]) -> CallBook:
    book = CallBook()
    for body in bodies:
        book.fold(parse_webhook(body))
    return book


def rows_by_call(sandbox: Sandbox) -> dict[str, list[dict[str, Any]]]:
    rows = [sandbox.state.events[each] for each in sandbox.state.events.ids]
    calls = {row["callId"] for row in rows if row["type"] != "FAX_CALL"}
    return {call_id: [row for row in rows if row["callId"] == call_id] for call_id in calls}


@pytest.mark.parametrize("quirks", READINGS, ids=lambda quirks: str(quirks.changed() or "defaults"))
async def test_every_call_is_what_its_records_say(quirks: Quirks) -> None:
    heard = await a_day(quirks, SHUFFLED)
    book, truth = fold(heard.bodies), rows_by_call(heard.sandbox)
    assert {call.call_id for call in book} == set(truth)
    assert book.live() == []
    for call_id, rows in truth.items():
        call, first = book[call_id], rows[0]
        assert [record.id for record in call.records] == [row["id"] for row in rows]
        assert (call.originator_number, call.destination_number) == (
            first["originatorNumber"],
            first["destinationNumber"],
        )
        assert call.direction == first["direction"]
        assert call.is_settled
        answered = first["type"] == "CLICK_TO_CALL" or first["lastEvent"] in ("CALL_TERMINATED", "CALL_TRANSFERRED")
        assert call.state is (CallState.ENDED if answered else CallState.MISSED)
        assert call.has_voicemail == first.get("voicemail", False)
        assert call.is_click_to_call == (first["type"] == "CLICK_TO_CALL")
        if answered:
            assert call.ring_time == first["ringTime"]
            assert call.talk_time == first["duration"] - first["ringTime"]
        if first["type"] == "PHONE_CALL" and answered and first["direction"] != "OUTBOUND":
            assert call.answered_by is not None
            assert call.answered_by.extension == first["answererNumber"]


@pytest.mark.parametrize("quirks", READINGS, ids=lambda quirks: str(quirks.changed() or "defaults"))
async def test_without_records_the_events_tell_the_same(quirks: Quirks) -> None:
    heard = await a_day(quirks, SHUFFLED)
    whole = fold(heard.bodies)
    live = fold(sent.body for sent in heard.sandbox.deliveries if sent.event_type in LIVE)
    undecided = 0
    for call in live:
        told = whole[call.call_id]
        if call.is_live:
            # Where one HANGUP stands for all who rang, only the record tells that nobody answered.
            assert quirks.hangup == "once"
            assert (call.state, told.state, len(call.legs) > 1) == (CallState.RINGING, CallState.MISSED, True)
            undecided += 1
            continue
        assert call.state is told.state
        assert call.legs == told.legs
        assert (call.ring_time or 0) == pytest.approx(told.ring_time or 0, abs=1)
        if call.talk_time is not None:
            assert call.talk_time == pytest.approx(told.talk_time, abs=1)
    assert (undecided > 0) == (quirks.hangup == "once")
    assert len(live) == len(whole)


async def test_losses_cost_what_was_lost_and_no_more() -> None:
    heard = await a_day(Quirks(), Misfortune(dropped=0.3, overtaken=0.2), calls=300)
    book, truth = fold(heard.bodies), rows_by_call(heard.sandbox)
    sent = Counter(each.call_id for each in heard.sandbox.deliveries if _came(each) and each.call_id in truth)
    assert {call.call_id for call in book} == set(sent)
    with_record = {
        each.call_id
        for each in heard.sandbox.deliveries
        if _came(each) and each.event_type in ("PHONE_CALL", "CLICK_TO_CALL")
    }
    assert {call.call_id for call in book if call.is_settled} == with_record
    assert {call.call_id for call in book.live()} & with_record == set()
    assert all(isinstance(record, PhoneCall | ClickToCallCall) for call in book for record in call.records)


def _came(delivery: Delivery) -> bool:
    return delivery.outcome == "delivered"
