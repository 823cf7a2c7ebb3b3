"""Events of made-up calls: moments are seconds since the call began."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from voxloud_async.models import CallEvent, CallPhase, ClickToCallCall, EventType, Extension, LastEvent, PhoneCall

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CALL = "9cb33f1b427c4d8983a064f0bd68be95"
OUTSIDE, OFFICE = "+393331234567", "+390655512345"


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def event(phase: str, seconds: float, user: int | str | None = None, **changes: Any) -> CallEvent:
    fields: dict[str, Any] = {
        "call_id": CALL,
        "type": CallPhase(phase),
        "timestamp": at(seconds),
        "originator_number": OUTSIDE,
        "originator_name": "Ada Rossi",
        "destination_number": OFFICE,
        "user_extension": None if user is None else Extension(user),
        "sip_username": None if user is None else f"sip_{user}",
    }
    return CallEvent(**(fields | changes))


def incoming(seconds: float, user: int | str | None = 101, **changes: Any) -> CallEvent:
    return event("INCOMING", seconds, user, **changes)


def started(seconds: float, user: int | str | None = 101, **changes: Any) -> CallEvent:
    return event("STARTED", seconds, user, **({"originator_number": "101", "destination_number": OUTSIDE} | changes))


def answered(seconds: float, user: int | str | None = 101, **changes: Any) -> CallEvent:
    return event("ANSWERED", seconds, user, **changes)


def hangup(seconds: float, user: int | str | None = 101, **changes: Any) -> CallEvent:
    return event("HANGUP", seconds, user, **changes)


def record(number: int = 1, seconds: float = 0, **changes: Any) -> PhoneCall:
    fields: dict[str, Any] = {
        "id": number,
        "type": EventType.PHONE_CALL,
        "call_id": CALL,
        "timestamp": at(seconds),
        "originator_number": OUTSIDE,
        "destination_number": OFFICE,
        "last_event": "CALL_TERMINATED",
        "answerer_number": "101",
        "duration": 30,
        "ring_time": 5,
    }
    fields |= changes
    if fields["last_event"] is not None:
        fields["last_event"] = LastEvent(fields["last_event"])
    return PhoneCall(**fields)


def missed(number: int = 1, **changes: Any) -> PhoneCall:
    lost: dict[str, Any] = {"last_event": "CALL_LOST_NO_ANSWER", "answerer_number": None, "ring_time": None}
    return record(number, **(lost | {"duration": 20} | changes))


def click_to_call(number: int = 1, seconds: float = 0, **changes: Any) -> ClickToCallCall:
    fields: dict[str, Any] = {
        "id": number,
        "type": EventType.CLICK_TO_CALL,
        "call_id": f"{CALL}-clicktocall",
        "timestamp": at(seconds),
        "originator_number": OFFICE.removeprefix("+"),
        "destination_number": OUTSIDE.removeprefix("+"),
        "duration": 40,
        "ring_time": 5,
    }
    return ClickToCallCall(**(fields | changes))
