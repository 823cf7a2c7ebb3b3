"""What is known of a call: minima, maxima and unions, so that neither order nor repetition can matter."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeAlias

from attrs import define, field, fields

from ...models import CallEvent, CallPhase, Extension
from ..identity import key_without_id
from .model import CLICK_TO_CALL, Record

MOST = 200
"""Legs, and records, that one call may have: more is no call but a flood."""

RecordKey: TypeAlias = tuple[int, str]

_NO_ID = 2**63  # after all ids

_PHASES = (CallPhase.STARTED, CallPhase.INCOMING, CallPhase.ANSWERED, CallPhase.HANGUP)


def record_key(record: Record) -> RecordKey:
    """By what a record of a call is known: its id or, without one, what distinguishes it."""
    return (record.id, "") if record.id is not None else (_NO_ID, key_without_id(record))


def call_key(call_id: str) -> str:
    """The same for a click-to-call and for its legs, should those lack the suffix (anomaly K8)."""
    return call_id.removesuffix(CLICK_TO_CALL)


@define
class LegFacts:
    """One user's events."""

    extension: Extension | None = None
    sip_username: str | None = None
    email: str | None = None
    started: bool = False
    incoming: bool = False
    rang_first: datetime | None = None
    rang_last: datetime | None = None
    answered_first: datetime | None = None
    answered_last: datetime | None = None
    hung_up: datetime | None = None

    def add(self, event: CallEvent) -> None:
        """Take in an event of this user."""
        self.extension = _least(self.extension, event.user_extension)
        self.sip_username = _least(self.sip_username, event.sip_username)
        self.email = _least(self.email, event.user_email)
        at = event.timestamp
        if event.type == CallPhase.ANSWERED:
            self.answered_first, self.answered_last = earliest(self.answered_first, at), latest(self.answered_last, at)
        elif event.type == CallPhase.HANGUP:
            self.hung_up = latest(self.hung_up, at)
        else:
            self.started |= event.type == CallPhase.STARTED
            self.incoming |= event.type == CallPhase.INCOMING
            self.rang_first, self.rang_last = earliest(self.rang_first, at), latest(self.rang_last, at)

    @property
    def began(self) -> datetime | None:
        """When it last rang or was answered."""
        return latest(self.rang_last, self.answered_last)

    @property
    def has_hung_up(self) -> bool:
        """Whether nothing began after the user hung up; of one moment, the end comes last."""
        return self.hung_up is not None and (self.began is None or self.began <= self.hung_up)


@define
class Facts:
    """Everything that came of one call."""

    call_id: str
    legs: dict[str, LegFacts] = field(factory=dict)
    records: dict[RecordKey, Record] = field(factory=dict)
    verified: set[RecordKey] = field(factory=set)
    words: CallEvent | None = None
    """The event that names the two ends best: that which started the call."""

    def add_event(self, event: CallEvent) -> None:
        """Take in a live event of a known phase."""
        self._name(event.call_id)
        user = _user(event)
        if user in self.legs or len(self.legs) < MOST:
            self.legs.setdefault(user, LegFacts()).add(event)
            self.words = event if self.words is None else min(self.words, event, key=_eloquence)

    def add_record(self, record: Record, *, verified: bool) -> None:
        """Take in a call record. One that was read back outdoes one that was posted, and a fuller one a poorer."""
        self._name(record.call_id or self.call_id)
        key = record_key(record)
        known = self.records.get(key)
        if known is None and len(self.records) >= MOST:
            return
        if known is None or self._weight(record, verified=verified) > self._weight(known):
            self.records[key] = record
        if verified:
            self.verified.add(key)

    def distinct(self) -> dict[RecordKey, Record]:
        """The records by id; one without an id only where none that has one is its copy."""
        ordered = {key: self.records[key] for key in sorted(self.records)}
        if not any(without for _, without in ordered):
            return ordered
        copies = {key_without_id(record) for (_, without), record in ordered.items() if not without}
        return {key: record for key, record in ordered.items() if key[1] not in copies}

    def _weight(self, record: Record, *, verified: bool | None = None) -> tuple[bool, int, str]:
        trusted = record_key(record) in self.verified if verified is None else verified
        known = [getattr(record, each.name) for each in fields(type(record)) if each.eq]
        extra = sorted(record.extra.items())
        return trusted, len(extra) + sum(value is not None for value in known), repr((known, extra))

    def _name(self, call_id: str) -> None:
        self.call_id = max(self.call_id, call_id, key=len)


def earliest(*moments: datetime | None) -> datetime | None:
    """The first of those that are known."""
    return min(_known(moments), default=None)


def latest(*moments: datetime | None) -> datetime | None:
    """The last of those that are known."""
    return max(_known(moments), default=None)


def _known(moments: Iterable[datetime | None]) -> list[datetime]:
    return [each for each in moments if each is not None]


def _least(one: Any, other: Any) -> Any:
    """One of two spellings, whichever came first."""
    return min((each for each in (one, other) if each is not None), key=str, default=None)


def _user(event: CallEvent) -> str:
    """Whose leg it is, empty where no user is named."""
    names = (event.user_extension, event.sip_username, event.user_email)
    return next((str(name) for name in names if name is not None), "")


def _eloquence(event: CallEvent) -> tuple[Any, ...]:
    named = (event.originator_number, event.destination_number, event.originator_name, event.destination_name)
    return _PHASES.index(event.type), event.timestamp, tuple(each or "" for each in named)
