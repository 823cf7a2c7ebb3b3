"""By what a delivery is known again: the service gives its deliveries no id (anomaly W12). Pure."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from zlib import crc32

from ..models import (
    CallEvent,
    ClickToCallCall,
    EventType,
    Fax,
    FaxCall,
    PhoneCall,
    TelephonyEvent,
    UnknownEvent,
    Webhook,
)
from ..protocol import codec

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_SECOND = timedelta(seconds=1)
_DIGEST = 4  # bytes: one change in four thousand millions goes unnoticed


def delivery_key(webhook: Webhook) -> str:
    """The key of a delivery: 64 hexadecimal digits, the same for every copy of one event, enveloped or bare."""
    return _key(webhook.data, webhook.data.timestamp or webhook.timestamp)


def event_key(event: CallEvent | TelephonyEvent) -> str:
    """The key that a delivery of this event has, for one that was read from the telephony events API."""
    return _key(event, event.timestamp)


def key_without_id(event: TelephonyEvent) -> str:
    """The key that a delivery of this record has in the shape of the documented table, which has no id (L542)."""
    return _hashed(_facts_without_id(event, event.timestamp))


def fingerprint(event: CallEvent | TelephonyEvent) -> str:
    """The content of a record: a digest of each of its fields that has a value; "" for all other events.

    A live event happens once, and all fields of an undescribed one are part of its key: neither is ever revised.
    """
    if isinstance(event, CallEvent | UnknownEvent):
        return ""
    return b64encode(b"".join(sorted(_digests(event)))).decode()


def adds(new: str, known: str) -> bool:
    """Whether a fingerprint has a value that another one lacks: a record may come with fewer fields (anomaly T16)."""
    return not _parts(new) <= _parts(known)


def revision_key(key: str, content: str) -> str:
    """The key of a record that came again with other content."""
    return f"{key}-{sha256(content.encode()).hexdigest()[:16]}"


def is_revision(key: str) -> bool:
    """Whether a key is that of a revision."""
    return "-" in key


def _key(event: CallEvent | TelephonyEvent, at: datetime | None) -> str:
    if isinstance(event, CallEvent):
        # The phase alone: `CALL_STARTED` and `STARTED` are two words for it (anomaly P2).
        return _hashed([f"CALL_{event.type}", event.call_id, *_user(event), _whole(at, _MILLISECOND)])
    if isinstance(event, UnknownEvent):
        # Which of its fields distinguish it from the next one is unknown, so all of them do.
        return _hashed([event.type, codec.unstructure(event), _whole(at, _MILLISECOND)])
    identifier = _identifier(event)
    if identifier is None:
        return _hashed(_facts_without_id(event, at))
    if isinstance(event, Fax | FaxCall):
        # Whether the id of a fax document is that of its call is not documented (anomaly P15): their time must agree.
        return _hashed([EventType.FAX_CALL, identifier, _whole(at, _SECOND)])
    # The call is named for those who share an inbox between PBXs, whose ids may be the same: bare deliveries (anomaly
    # P1) and records of the API lack the number of the PBX.
    return _hashed([event.type, identifier, event.call_id])


def _facts_without_id(event: TelephonyEvent, at: datetime | None) -> list[Any]:
    """What distinguishes a record from others of its call (anomaly T3)."""
    ends = [event.originator_number, event.destination_number, getattr(event, "answerer_number", None)]
    leg = getattr(event, "click_to_call_type", None)
    return ["no id", event.type or EventType.FAX_CALL, event.call_id, event.direction, *ends, leg, _whole(at, _SECOND)]


def _identifier(event: PhoneCall | ClickToCallCall | FaxCall | Fax) -> str | None:
    """The id of a record, also where it came as a text."""
    sent = event.extra.get("id") if event.id is None else event.id
    return str(sent) if isinstance(sent, int | str) and not isinstance(sent, bool) and sent != "" else None


def _user(event: CallEvent) -> list[str | None]:
    """Whose event it is; by the address, which may change, only where nothing else names the user."""
    names = [_text(event.user_extension), event.sip_username]
    return names if event.user_email is None or any(names) else [*names, event.user_email]


def _digests(event: TelephonyEvent) -> Iterator[bytes]:
    for name, item in codec.unstructure(event).items():
        if name == "timestamp":
            yield _digest(name, _whole(event.timestamp, _SECOND))
        elif item not in (None, "", []) and name != "id":
            yield _digest(name, item)


def _digest(name: str, item: Any) -> bytes:
    return crc32(json.dumps([name, item], sort_keys=True).encode()).to_bytes(_DIGEST)


def _parts(content: str) -> set[bytes]:
    raw = b64decode(content)
    return {raw[start : start + _DIGEST] for start in range(0, len(raw), _DIGEST)}


def _hashed(facts: list[Any]) -> str:
    text = json.dumps([2, *facts], sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _whole(at: datetime | None, unit: timedelta) -> int | None:
    """One instant has one number, whichever of its spellings came (anomaly P5)."""
    return None if at is None else (at - _EPOCH) // unit
