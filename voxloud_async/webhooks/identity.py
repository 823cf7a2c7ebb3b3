"""By what a delivery is known again: the service gives its deliveries no id (anomaly W12). Pure."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from ..models import CallEvent, EventType, Fax, FaxCall, TelephonyEvent, UnknownEvent, Webhook
from ..protocol import codec

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def delivery_key(webhook: Webhook) -> str:
    """The key of a delivery: 64 hexadecimal digits, the same for every copy of one event, enveloped or bare."""
    return _key(webhook.data, webhook.data.timestamp or webhook.timestamp)


def event_key(event: CallEvent | TelephonyEvent) -> str:
    """The key that a delivery of this event has, for one that was read from the telephony events API."""
    return _key(event, event.timestamp)


def _key(event: CallEvent | TelephonyEvent, at: datetime | None) -> str:
    text = json.dumps([1, *_facts(event), _milliseconds(at)], sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def _facts(event: CallEvent | TelephonyEvent) -> list[Any]:
    """What tells one event from all others.

    The number of the PBX is none of it: bare deliveries (anomaly P1) and records of the API lack it, and one inbox
    serves one PBX. The user is: a call that rings at several comes once for each (anomaly P8). A record has its id
    beside its call's, because the records of a transferred call share that (anomaly T3).
    """
    if isinstance(event, CallEvent):
        # The phase alone: `CALL_STARTED` and `STARTED` are two words for it (anomaly P2).
        return [f"CALL_{event.type}", event.call_id, *_user(event)]
    if isinstance(event, UnknownEvent):
        # Nobody knows which of its fields tell it from the next one, so all of them do.
        return [event.type, codec.unstructure(event)]
    if isinstance(event, Fax | FaxCall):
        # The record of a fax names a call, its delivery does not (anomaly P15).
        return [EventType.FAX_CALL, event.id]
    return [event.type, event.call_id, event.id]


def _user(event: CallEvent) -> list[str | None]:
    """Whose event it is; by the address, which may change, only where nothing else names the user."""
    names = [_text(event.user_extension), event.sip_username]
    return names if event.user_email is None or any(names) else [*names, event.user_email]


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _milliseconds(at: datetime | None) -> int | None:
    """One instant has one number, whichever of its spellings came (anomaly P5)."""
    return None if at is None else (at - _EPOCH) // _MILLISECOND
