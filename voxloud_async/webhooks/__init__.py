"""Deliveries of the service: bytes to events, and a receiver. The service signs nothing: parsing proves no sender."""

from __future__ import annotations

from .backfill import Backfill
from .calls import Call, CallBook, CallState, Leg
from .handlers import Received, UnknownEventTypeWarning
from .parse import parse_webhook
from .receiver import WebhookReceiver
from .redaction import TokenFilter
from .stream import EventStream

__all__ = [
    "Backfill",
    "Call",
    "CallBook",
    "CallState",
    "EventStream",
    "Leg",
    "Received",
    "TokenFilter",
    "UnknownEventTypeWarning",
    "WebhookReceiver",
    "parse_webhook",
]
