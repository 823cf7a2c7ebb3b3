# Generated from spec/voxloud.yaml by `python -m codegen`. Do not edit.
"""The objects of the API, as frozen attrs classes."""

from __future__ import annotations

from ._base import Extra, Model
from ._enum import OpenEnum
from ._extension import Extension
from ._phone import PhoneKind, PhoneNumber
from .account import Account
from .click_to_call import ClickToCall, Connection, DialFirst
from .contacts import Contact
from .telephony_events import (
    ClickToCallCall,
    ClickToCallType,
    Direction,
    Fax,
    FaxCall,
    LastEvent,
    PhoneCall,
    TelephonyEvent,
    UnknownEvent,
)
from .users import Did, OutboundCli, User
from .webhook_subscriptions import EventType, WebhookSubscription
from .webhooks import CallEvent, CallPhase, Webhook

__all__ = [
    "Account",
    "CallEvent",
    "CallPhase",
    "ClickToCall",
    "ClickToCallCall",
    "ClickToCallType",
    "Connection",
    "Contact",
    "DialFirst",
    "Did",
    "Direction",
    "EventType",
    "Extension",
    "Extra",
    "Fax",
    "FaxCall",
    "LastEvent",
    "Model",
    "OpenEnum",
    "OutboundCli",
    "PhoneCall",
    "PhoneKind",
    "PhoneNumber",
    "TelephonyEvent",
    "UnknownEvent",
    "User",
    "Webhook",
    "WebhookSubscription",
]
