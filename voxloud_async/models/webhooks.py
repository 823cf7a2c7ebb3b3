# Generated from spec/voxloud.yaml by `python -m codegen`. Do not edit.
"""What the service delivers to a webhook, as frozen attrs classes."""

from __future__ import annotations

from datetime import datetime

from attrs import field, frozen

from ._base import Model
from ._enum import OpenEnum
from ._extension import Extension
from .telephony_events import ClickToCallCall, Fax, FaxCall, PhoneCall, UnknownEvent
from .webhook_subscriptions import EventType


class CallPhase(OpenEnum):
    """What just happened to a call. API text, line 518."""

    INCOMING = "INCOMING"
    """An inbound call has arrived."""

    STARTED = "STARTED"
    """An outbound or internal call has started."""

    ANSWERED = "ANSWERED"
    """The call was answered."""

    HANGUP = "HANGUP"
    """The call was hung up."""


@frozen(kw_only=True, repr=False)
class CallEvent(Model):
    """Something that happens to a call while it lasts, for one of its users. API text, line 504."""

    timestamp: datetime = field(metadata={"wire": "timestamp"})
    """When it happened. API text, line 512."""

    call_id: str = field(metadata={"wire": "callId"})
    """Call identifier, an opaque string. API text, line 513."""

    type: CallPhase = field(metadata={"wire": "type"})
    """What happened. API text, line 518."""

    destination_number: str | None = field(default=None, metadata={"wire": "destinationNumber", "personal": True})
    """Number of the callee, as the service writes it. API text, line 514."""

    destination_name: str | None = field(default=None, metadata={"wire": "destinationName", "personal": True})
    """Name of the callee; it may be a number. API text, line 515."""

    originator_number: str | None = field(default=None, metadata={"wire": "originatorNumber", "personal": True})
    """Number of the caller, as the service writes it. API text, line 516."""

    originator_name: str | None = field(default=None, metadata={"wire": "originatorName", "personal": True})
    """Name of the caller; it may be a number. API text, line 517."""

    user_email: str | None = field(default=None, metadata={"wire": "userEmail", "personal": True})
    """E-mail address of the user it happened to. API text, line 519."""

    user_extension: Extension | None = field(default=None, metadata={"wire": "userExtension", "personal": True})
    """Extension of the user it happened to. API text, line 520."""

    sip_username: str | None = field(default=None, metadata={"wire": "sipUsername", "personal": True})
    """SIP name of the user it happened to. API text, line 521."""


@frozen(kw_only=True, repr=False)
class Webhook(Model):
    """The envelope of a delivery. API text, line 481."""

    type: EventType = field(metadata={"wire": "type"})
    """The event type that was subscribed to. API text, line 484."""

    data: CallEvent | PhoneCall | ClickToCallCall | FaxCall | Fax | UnknownEvent = field(metadata={"wire": "data"})
    """The event itself. API text, line 485."""

    timestamp: datetime | None = field(default=None, metadata={"wire": "timestamp"})
    """When the event happened. API text, line 483."""

    pbx_id: int | None = field(default=None, metadata={"wire": "pbx_id"})
    """Number of the PBX. API text, line 497."""
