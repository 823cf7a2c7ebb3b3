"""A call and its legs, as far as they are known."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from attrs import field, frozen

from ...models import ClickToCallCall, Direction, Extension, PhoneCall

Record: TypeAlias = PhoneCall | ClickToCallCall


class CallState(StrEnum):
    """Where a call or one of its legs is."""

    RINGING = "RINGING"
    """It rings, and nobody has answered yet."""
    ANSWERED = "ANSWERED"
    """Somebody is talking."""
    ENDED = "ENDED"
    """It was answered, and is over."""
    MISSED = "MISSED"
    """It is over, and nobody is known to have answered."""


def _hidden(value: object) -> str:
    """Personal data, as the models show it."""
    return "None" if value is None else "***"


@frozen(kw_only=True)
class Leg:
    """One user's part in a call. A leg without any name stands for events that name no user."""

    extension: Extension | None = field(default=None, repr=_hidden)
    """Internal number of the user."""

    sip_username: str | None = field(default=None, repr=_hidden)
    """SIP name of the user."""

    email: str | None = field(default=None, repr=_hidden)
    """E-mail address of the user."""

    is_caller: bool = False
    """Whether this user made the call."""

    state: CallState
    """Where the leg is; `MISSED` where another user answered first, too."""

    rang_at: datetime | None = None
    """When it first rang; for the caller, when the call started."""

    answered_at: datetime | None = None
    """When this user first answered; for a caller, when the other end did."""

    ended_at: datetime | None = None
    """When this user hung up; None as well where nobody said so."""


@frozen(kw_only=True)
class Call:
    """Everything that deliveries told of one call, in an order-free way. Equal by what it says.

    Live events cannot be read back from the service, so what they alone tell is a hint until a `verified` record
    confirms it. API: Phone call events, Telephony events.
    """

    call_id: str
    """The call identifier; that of a click-to-call ends in `-clicktocall`."""

    state: CallState
    """Where the call is."""

    direction: Direction | None = None
    """Which way it went: what its record says, else what its numbers tell; None where neither does."""

    originator_number: str | None = field(default=None, repr=_hidden)
    """Number of the caller, as the service writes it."""

    originator_name: str | None = field(default=None, repr=_hidden)
    """Name of the caller; it may be a number."""

    destination_number: str | None = field(default=None, repr=_hidden)
    """Number of the callee, as the service writes it."""

    destination_name: str | None = field(default=None, repr=_hidden)
    """Name of the callee; it may be a number."""

    legs: tuple[Leg, ...] = ()
    """One for each user that an event named, the earliest first."""

    began_at: datetime | None = None
    """When it first rang; the time of its record where no such event came."""

    answered_at: datetime | None = None
    """When somebody first answered; None as well where only the record says that somebody did."""

    ended_at: datetime | None = None
    """When the last user hung up; None as well where only a record came: its time may be start or end (anomaly P20)."""

    ring_time: float | None = None
    """Seconds until the first answer, or until the end where there was none."""

    talk_time: float | None = None
    """Seconds from the first answer to the end."""

    records: tuple[Record, ...] = ()
    """Its call records, by id; a transferred call may have several (anomaly T3)."""

    verified: bool = False
    """Whether its records were read back from the service, all of them."""

    @property
    def is_live(self) -> bool:
        """Whether it rings or somebody talks."""
        return self.state in (CallState.RINGING, CallState.ANSWERED)

    @property
    def is_settled(self) -> bool:
        """Whether it is over and its record was seen."""
        return bool(self.records) and not self.is_live

    @property
    def is_click_to_call(self) -> bool:
        """Whether click-to-call set it up."""
        return self.call_id.endswith(CLICK_TO_CALL) or any(isinstance(each, ClickToCallCall) for each in self.records)

    @property
    def has_voicemail(self) -> bool:
        """Whether a record says that a voice message was left."""
        return any(isinstance(each, PhoneCall) and bool(each.voicemail) for each in self.records)

    @property
    def answered_by(self) -> Leg | None:
        """The first user who answered; None where somebody outside did, or no event named the user."""
        answered = [
            (leg.answered_at, place) for place, leg in enumerate(self.legs) if leg.answered_at and not leg.is_caller
        ]
        return self.legs[min(answered)[1]] if answered else None


CLICK_TO_CALL = "-clicktocall"
"""How the call identifiers of click-to-calls end (L669)."""
