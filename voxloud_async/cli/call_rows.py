"""Calls as JSON, and the words of a table for them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ..webhooks import Call, CallState, Leg

_MINUTE = 60


def call_row(call: Call) -> dict[str, Any]:
    """A call with the API's names where it has any."""
    return {
        "callId": call.call_id,
        "state": str(call.state),
        "direction": _text(call.direction),
        "originatorNumber": call.originator_number,
        "originatorName": call.originator_name,
        "destinationNumber": call.destination_number,
        "destinationName": call.destination_name,
        "answeredBy": _text(call.answered_by.extension) if call.answered_by else None,
        "beganAt": _moment(call.began_at),
        "answeredAt": _moment(call.answered_at),
        "endedAt": _moment(call.ended_at),
        "ringTime": call.ring_time,
        "talkTime": call.talk_time,
        "settled": call.is_settled,
        "legs": [{"userExtension": _text(leg.extension), "state": str(leg.state)} for leg in call.legs],
    }


def end_of_call(number: str | None, name: str | None) -> str:
    """One end of a call: its number, and its name where that is another."""
    return " ".join(dict.fromkeys(filter(None, (number, name))))


def extensions(call: Call) -> str:
    """Who answered, else those whose phones ring."""
    legs = [call.answered_by] if call.answered_by else [leg for leg in call.legs if _rings(leg)]
    return ", ".join(_text(leg.extension) or leg.sip_username or leg.email or "?" for leg in legs)


def ring_seconds(call: Call, now: datetime) -> float | None:
    """How long it rang, or rings by now."""
    return _since(call.began_at, now) if call.state is CallState.RINGING else call.ring_time


def talk_seconds(call: Call, now: datetime) -> float | None:
    """How long it was talked on, or is by now."""
    return _since(call.answered_at, now) if call.state is CallState.ANSWERED else call.talk_time


def as_clock(seconds: float | None) -> str:
    """Seconds as 0:07 or 1:02:03."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), _MINUTE)
    if minutes < _MINUTE:
        return f"{minutes}:{rest:02}"
    return f"{minutes // _MINUTE}:{minutes % _MINUTE:02}:{rest:02}"


def _rings(leg: Leg) -> bool:
    return leg.state is CallState.RINGING and not leg.is_caller


def _since(begin: datetime | None, now: datetime) -> float | None:
    """The service's clock may be ahead of ours."""
    return None if begin is None else max(0.0, (now - begin).total_seconds())


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="milliseconds")
