# Generated from spec/voxloud.yaml by `python -m codegen`. Do not edit.
"""Webhook subscriptions, as frozen attrs classes."""

from __future__ import annotations

from attrs import field, frozen

from ._base import Model
from ._enum import OpenEnum


class EventType(OpenEnum):
    """What a webhook subscription can ask for; also the type of an envelope and of a call record. API text, line 366."""

    FAX_CALL = "FAX_CALL"
    """A fax has been sent or received."""

    PHONE_CALL = "PHONE_CALL"
    """A phone call has ended."""

    CLICK_TO_CALL = "CLICK_TO_CALL"
    """A click-to-call has ended."""

    CALL_STARTED = "CALL_STARTED"
    """An outbound or internal call has started."""

    CALL_INCOMING = "CALL_INCOMING"
    """An inbound call has arrived."""

    CALL_ANSWERED = "CALL_ANSWERED"
    """A call was answered."""

    CALL_HANGUP = "CALL_HANGUP"
    """A call was hung up."""


@frozen(kw_only=True, repr=False)
class WebhookSubscription(Model):
    """A URL that is called on events of one type. API text, line 361."""

    id: str = field(metadata={"wire": "id"})
    """Identifier, an opaque string. API text, line 364."""

    callback_url: str | None = field(default=None, metadata={"wire": "callback_url", "personal": True})
    """The URL that is called; it may hold a secret of its owner. API text, line 365."""

    event_type: EventType | None = field(default=None, metadata={"wire": "event_type", "aliases": ("type",)})
    """The events it asks for. API text, line 366."""

    enabled: bool | None = field(default=None, metadata={"wire": "enabled"})
    """Whether it is active. The service switches it off after failures. API text, line 400."""

    failed_count: int | None = field(default=None, metadata={"wire": "failed_count"})
    """Failed deliveries, a count. API text, line 367."""

    last_error: str | None = field(default=None, metadata={"wire": "last_error", "personal": True})
    """The last error of a delivery. API text, line 368."""

    notification_email: str | None = field(default=None, metadata={"wire": "notification_email", "personal": True})
    """Address that is told when it is switched off. API text, line 369."""
