"""What a call says after this or that event."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from tests.webhooks.calls.making import (
    CALL,
    OFFICE,
    OUTSIDE,
    answered,
    at,
    click_to_call,
    event,
    hangup,
    incoming,
    missed,
    record,
    started,
)
from voxloud_async.models import CallEvent, CallPhase, Direction, EventType, Fax, FaxCall, UnknownEvent, Webhook
from voxloud_async.webhooks import Call, CallBook, CallState
from voxloud_async.webhooks.calls.facts import MOST

RINGING, ANSWERED, ENDED, MISSED = CallState


def folded(*events: Any, verified: bool = False) -> Call:
    book = CallBook()
    for each in events:
        book.fold(each, verified=verified)
    (call,) = book
    return call


def states(call: Call) -> list[CallState]:
    return [call.state, *(leg.state for leg in call.legs)]


def test_an_answered_call_step_by_step() -> None:
    ring = folded(incoming(0), incoming(0, 102))
    assert states(ring) == [RINGING, RINGING, RINGING]
    assert ring.is_live
    assert ring.answered_by is None
    talk = folded(incoming(0), incoming(0, 102), answered(5, 102))
    assert states(talk) == [ANSWERED, MISSED, ANSWERED]
    assert talk.answered_by == talk.legs[1]
    assert (talk.ring_time, talk.talk_time) == (5, None)
    over = folded(incoming(0), incoming(0, 102), answered(5, 102), hangup(30, 102))
    assert states(over) == [ENDED, MISSED, ENDED]
    assert (over.ring_time, over.talk_time, over.ended_at) == (5, 25, at(30))
    assert not over.is_live
    assert not over.is_settled
    settled = folded(incoming(0), answered(5), hangup(30), record(ring_time=6, duration=32))
    assert settled.is_settled
    assert (settled.ring_time, settled.talk_time) == (6, 26)


def test_a_missed_call() -> None:
    call = folded(incoming(0), incoming(0, 102), hangup(20), hangup(20, 102))
    assert states(call) == [MISSED, MISSED, MISSED]
    assert (call.ring_time, call.talk_time, call.answered_at, call.ended_at) == (20, None, None, at(20))
    assert not folded(incoming(0), missed()).has_voicemail
    assert folded(missed(voicemail=True)).has_voicemail


def test_one_user_who_refuses_ends_nothing() -> None:
    assert states(folded(incoming(0), incoming(0, 102), hangup(3))) == [RINGING, MISSED, RINGING]


def test_a_user_who_loses_the_race_ends_nothing() -> None:
    call = folded(incoming(0), incoming(0, 102), answered(5), hangup(5, 102))
    assert states(call) == [ANSWERED, ANSWERED, MISSED]


def test_a_hangup_that_names_nobody_ends_all() -> None:
    assert folded(incoming(0), incoming(0, 102), hangup(9, None)).state is MISSED
    assert folded(incoming(0), answered(5), hangup(9, None)).state is ENDED
    assert folded(incoming(0), hangup(9, None), incoming(12, 103)).state is RINGING


def test_the_caller_ends_an_internal_call() -> None:
    call = folded(started(0, destination_number="102"), answered(4, 102), hangup(30, 101))
    assert states(call) == [ENDED, ENDED, ENDED]
    caller, callee = call.legs
    assert (caller.is_caller, callee.is_caller) == (True, False)
    assert call.answered_by == callee
    assert caller.answered_at == callee.answered_at == at(4)


def test_an_outbound_call_is_answered_by_nobody_here() -> None:
    call = folded(started(0), answered(5))
    assert call.state is ANSWERED
    assert call.answered_by is None
    assert call.answered_at == at(5)


def test_t3_a_transferred_call_goes_on() -> None:
    events = [incoming(0), answered(5), incoming(20, 102), hangup(21)]
    assert states(folded(*events)) == [ANSWERED, ENDED, RINGING]
    assert states(folded(*events, answered(24, 102))) == [ANSWERED, ENDED, ANSWERED]
    first = record(1, duration=21, last_event="CALL_TRANSFERRED")
    assert folded(*events, first, answered(24, 102)).state is ANSWERED
    over = folded(*events, first, answered(24, 102), hangup(60, 102), record(2, answerer_number="102"))
    assert states(over) == [ENDED, ENDED, ENDED]
    assert [each.id for each in over.records] == [1, 2]
    assert over.talk_time == 55, "what the records of several parts tell is not known to be the whole"


def test_a_record_alone() -> None:
    call = folded(record(direction=Direction.INBOUND))
    assert (call.state, call.direction, call.began_at) == (ENDED, Direction.INBOUND, at(0))
    assert (call.ring_time, call.talk_time, call.ended_at, call.answered_at) == (5, 25, None, None)
    assert call.legs == ()
    assert folded(record(timestamp=None)).began_at is None


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"last_event": "CALL_LOST_NO_ANSWER"}, MISSED),
        ({"last_event": "CALL_CANCELED_BY_ORIGINATOR"}, MISSED),
        ({"last_event": "CALL_REJECTED"}, MISSED),
        ({"last_event": "CALL_LOST_LOSE_RACE"}, MISSED),
        ({"last_event": "CALL_LOST_USER_BUSY"}, MISSED),
        ({"last_event": "CALL_TERMINATED", "answerer_number": None}, ENDED),
        ({"last_event": "CALL_TRANSFERRED", "answerer_number": None}, ENDED),
        ({"last_event": None}, ENDED),
        ({"last_event": None, "answerer_number": None, "answerer_name": "Ada"}, ENDED),
        ({"last_event": None, "answerer_number": None}, MISSED),
    ],
)
def test_whether_a_record_tells_of_an_answer(changes: dict[str, Any], state: CallState) -> None:
    assert folded(record(**changes)).state is state


@pytest.mark.parametrize(
    ("duration", "ring_time", "state"), [(40, 5, ENDED), (5, 5, MISSED), (0, 5, MISSED), (None, None, MISSED)]
)
def test_p12_whether_a_click_to_call_was_answered(duration: int, ring_time: int, state: CallState) -> None:
    assert folded(click_to_call(duration=duration, ring_time=ring_time)).state is state


def test_an_answer_that_was_heard_outdoes_a_record_that_is_silent() -> None:
    assert folded(incoming(0), answered(5), missed()).state is ENDED


def test_a_record_ends_what_never_hung_up() -> None:
    assert folded(incoming(0), answered(5), record()).state is ENDED
    assert folded(incoming(31.5), record()).state is ENDED, "two seconds between two clocks"
    assert folded(incoming(33), record()).is_live
    assert folded(incoming(500), record(timestamp=None)).state is ENDED


def test_a_duration_beyond_all_times_ends_it() -> None:
    assert folded(incoming(500), record(duration=1e18)).state is ENDED


# Words


def test_who_called_whom() -> None:
    call = folded(incoming(0))
    assert (call.originator_number, call.originator_name) == (OUTSIDE, "Ada Rossi")
    assert (call.destination_number, call.destination_name) == (OFFICE, None)
    told = folded(incoming(0), record(originator_number="0039333", destination_name="Desk"))
    assert (told.originator_number, told.destination_name) == ("0039333", "Desk")


@pytest.mark.parametrize(
    ("told", "direction"),
    [
        (incoming(0), Direction.INBOUND),
        (incoming(0, originator_number="101", destination_number="102"), Direction.INTERNAL),
        (started(0), Direction.OUTBOUND),
        (started(0, destination_number="102"), Direction.INTERNAL),
        (started(0, originator_number=OFFICE), Direction.OUTBOUND),
        (answered(0), None),
        (hangup(0, originator_number="101"), Direction.OUTBOUND),
        (incoming(0, originator_number=None), Direction.INBOUND),
        (record(), None),
    ],
)
def test_which_way_it_went(told: Any, direction: Direction | None) -> None:
    assert folded(told).direction is direction


def test_u3_a_user_is_one_however_written() -> None:
    call = folded(incoming(0, 101), answered(5, "101"), hangup(9, 101))
    assert len(call.legs) == 1
    assert call.legs[0].extension == "101"


def test_a_user_may_be_named_by_sip_or_by_address() -> None:
    sip = incoming(0, user_extension=None, sip_username="sip_a", user_email="a@b.example")
    mail = incoming(1, user_extension=None, sip_username=None, user_email="c@d.example")
    call = folded(sip, mail)
    assert [(leg.extension, leg.sip_username, leg.email) for leg in call.legs] == [
        (None, "sip_a", "a@b.example"),
        (None, None, "c@d.example"),
    ]


def test_no_repr_shows_personal_data() -> None:
    call = folded(incoming(0, user_email="ada@rossi.example"), answered(5), hangup(9), record())
    for secret in (OUTSIDE, OFFICE, "Ada", "rossi", "sip_101"):
        assert secret not in repr(call)
        assert secret not in repr(CallBook())
    assert "originator_number='***'" in repr(call) or "originator_number=***" in repr(call)
    assert "destination_name=None" in repr(call)


# What is no call


@pytest.mark.parametrize(
    "event_of_no_call",
    [
        Fax(id=1),
        FaxCall(id=1, type=EventType.FAX_CALL, call_id=CALL),
        UnknownEvent(type="VIDEO_CALL", call_id=CALL),
        record(call_id=None),
        incoming(0, call_id=""),
        Webhook(type=EventType.FAX_CALL, data=Fax(id=1)),
    ],
    ids=lambda each: type(each).__name__,
)
def test_what_is_of_no_call(event_of_no_call: Any) -> None:
    book = CallBook()
    assert book.fold(event_of_no_call) is None
    assert len(book) == 0


def test_a_webhook_is_its_event() -> None:
    book = CallBook()
    call = book.fold(Webhook(type=EventType.CALL_INCOMING, data=incoming(0)))
    assert call == book[CALL] == folded(incoming(0))


def test_a_phase_that_nobody_knows_makes_no_leg() -> None:
    book = CallBook()
    book.fold(CallEvent(type=CallPhase("PARKED"), call_id=CALL, timestamp=at(0)))
    assert len(book) == 0
    book.fold(incoming(0))
    assert book.fold(event("INCOMING", 1, type=CallPhase("PARKED"))) is None


# Verified


def test_a_call_is_verified_when_all_its_records_are() -> None:
    book = CallBook()
    first, second = record(1), record(2)
    posted = book.fold(first)
    assert posted is not None
    assert not posted.verified
    confirmed = book.fold(first, verified=True)
    assert confirmed is not None
    assert confirmed.verified
    assert confirmed.records == (first,)
    added = book.fold(second)
    assert added is not None
    assert not added.verified


def test_what_was_read_back_outdoes_what_was_posted() -> None:
    book = CallBook()
    forged = record(answerer_number="999", transcription="made up", summary="made up")
    book.fold(record(), verified=True)
    assert book.fold(forged) is None
    assert book[CALL].records == (record(),)
    other = CallBook()
    other.fold(forged)
    other.fold(record(), verified=True)
    assert other[CALL] == book[CALL]


def test_p17_a_record_that_comes_again_with_more_replaces_the_poorer() -> None:
    book = CallBook()
    fuller = record(transcription="Good morning")
    assert book.fold(record()) is not None
    assert book.fold(fuller) is not None
    assert book.fold(record()) is None
    assert book[CALL].records == (fuller,)
    extra = evolve(record(), extra={"a": 1, "b": 2})
    assert book.fold(extra) is not None


# Floods


def test_a_flood_under_one_identifier_is_bounded() -> None:
    book = CallBook()
    for user in range(MOST + 50):
        book.fold(incoming(0, 10_000 + user))
        book.fold(record(user))
    assert len(book[CALL].legs) == len(book[CALL].records) == MOST
    assert book.fold(hangup(9, 10_000)) is not None
