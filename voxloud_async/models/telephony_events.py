# Generated from spec/voxloud.yaml by `python -m codegen`. Do not edit.
"""Telephony events: the records of ended calls and of faxes, as frozen attrs classes."""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

from attrs import field, frozen

from ._base import Model
from ._derived import FaxBase, PhoneCallBase, UnknownEventBase
from ._enum import OpenEnum
from .webhook_subscriptions import EventType


class Direction(OpenEnum):
    """Which way a call or fax went. API text, line 554."""

    INTERNAL = "INTERNAL"
    """Between two extensions."""

    OUTBOUND = "OUTBOUND"
    """From the company."""

    INBOUND = "INBOUND"
    """To the company."""


class LastEvent(OpenEnum):
    """The last thing that happened to a phone call. API text, line 556."""

    CALL_REQUEST = "CALL_REQUEST"
    """The call was requested."""

    CALL_STARTED = "CALL_STARTED"
    """The call started."""

    CALL_CANCELED_BY_ORIGINATOR = "CALL_CANCELED_BY_ORIGINATOR"
    """The caller gave up."""

    CALL_ANSWERED = "CALL_ANSWERED"
    """The call was answered."""

    CALL_TERMINATED = "CALL_TERMINATED"
    """The call ended after it was answered."""

    CALL_REJECTED = "CALL_REJECTED"
    """The callee refused."""

    CALL_LOST_LOSE_RACE = "CALL_LOST_LOSE_RACE"
    """Another telephone answered first."""

    CALL_LOST_NO_ANSWER = "CALL_LOST_NO_ANSWER"
    """Nobody answered."""

    CALL_TRANSFERRED = "CALL_TRANSFERRED"
    """The call was transferred."""

    CALL_LOST_USER_BUSY = "CALL_LOST_USER_BUSY"
    """The callee was busy."""


class ClickToCallType(OpenEnum):
    """Which leg a click-to-call record is about. API text, line 637."""

    EXTENSION = "EXTENSION"
    """The leg to the extension."""

    CONTACT = "CONTACT"
    """The leg to the contact."""


@frozen(kw_only=True, repr=False)
class PhoneCall(PhoneCallBase):
    """The record of an ended phone call. API text, line 540."""

    type: EventType = field(metadata={"wire": "type"})
    """Kind of the record, PHONE_CALL. API text, line 553."""

    id: int | None = field(default=None, metadata={"wire": "id"})
    """Identifier of the event. API text, line 573."""

    call_id: str | None = field(default=None, metadata={"wire": "callId"})
    """Call identifier, an opaque string. API text, line 545."""

    timestamp: datetime | None = field(default=None, metadata={"wire": "timestamp"})
    """Time of the call. API text, line 544."""

    direction: Direction | None = field(default=None, metadata={"wire": "direction"})
    """Which way it went. API text, line 554."""

    originator_number: str | None = field(default=None, metadata={"wire": "originatorNumber", "personal": True})
    """Number of the caller, as the service writes it. API text, line 548."""

    originator_name: str | None = field(default=None, metadata={"wire": "originatorName", "personal": True})
    """Name of the caller; it may be a number. API text, line 549."""

    destination_number: str | None = field(default=None, metadata={"wire": "destinationNumber", "personal": True})
    """Number of the callee, as the service writes it. API text, line 546."""

    destination_name: str | None = field(default=None, metadata={"wire": "destinationName", "personal": True})
    """Name of the callee; it may be a number. API text, line 547."""

    answerer_number: str | None = field(default=None, metadata={"wire": "answererNumber", "personal": True})
    """Number that answered, as the service writes it. API text, line 551."""

    answerer_name: str | None = field(default=None, metadata={"wire": "answererName", "personal": True})
    """Name of the one who answered. API text, line 550."""

    mask_caller_number: bool | None = field(default=None, metadata={"wire": "maskCallerNumber"})
    """Whether the caller's number was masked. API text, line 552."""

    last_event: LastEvent | None = field(default=None, metadata={"wire": "lastEvent"})
    """The last thing that happened to it. API text, line 556."""

    duration: float | None = field(default=None, metadata={"wire": "duration"})
    """Seconds, ringing included. API text, line 557."""

    ring_time: float | None = field(default=None, metadata={"wire": "ringTime"})
    """Seconds until somebody first answered or refused. API text, line 558."""

    archived: bool | None = field(default=None, metadata={"wire": "archived"})
    """Whether it is marked as archived. API text, line 559."""

    recorded: bool | None = field(default=None, metadata={"wire": "recorded"})
    """Whether the call was recorded. API text, line 560."""

    recording_url: str | None = field(default=None, metadata={"wire": "recordingUrl", "personal": True})
    """URL of the recording. API text, line 561."""

    voicemail: bool | None = field(default=None, metadata={"wire": "voicemail"})
    """Whether a voice message was left. API text, line 562."""

    voicemail_url: str | None = field(default=None, metadata={"wire": "voicemail_url", "personal": True})
    """URL of the voice message. API text, line 593."""

    labels: tuple[str, ...] | None = field(default=None, metadata={"wire": "labels", "personal": True})
    """Labels given to the call. API text, line 563."""

    rule_names: tuple[str, ...] | None = field(default=None, metadata={"wire": "ruleNames", "personal": True})
    """Names of the IVR rules the call went through. API text, line 564."""

    contact_crm: str | None = field(default=None, metadata={"wire": "contactCrm"})
    """Name of the CRM the contact was found in. API text, line 565."""

    contact_crm_url: str | None = field(default=None, metadata={"wire": "contactCrmUrl", "personal": True})
    """URL of the contact in its CRM. API text, line 566."""

    crm_logo: str | None = field(default=None, metadata={"wire": "crmLogo", "personal": True})
    """URL of the logo of the CRM. API text, line 567."""

    transcription: str | None = field(default=None, metadata={"wire": "transcription", "personal": True})
    """What was said; at most 65,535 characters. API text, line 568."""

    summary: str | None = field(default=None, metadata={"wire": "summary", "personal": True})
    """Short summary; at most 3,500 characters. API text, line 569."""

    sentiment_score: float | None = field(default=None, metadata={"wire": "sentiment_score", "personal": True})
    """Sentiment of the call, 0 to 100. API text, line 570."""

    account_id: str | None = field(default=None, metadata={"wire": "accountId"})
    """Identifier of the PBX, hexadecimal. API text, line 555."""


@frozen(kw_only=True, repr=False)
class ClickToCallCall(Model):
    """The record of an ended call that click-to-call set up. API text, line 626."""

    type: EventType = field(metadata={"wire": "type"})
    """Kind of the record, CLICK_TO_CALL. API text, line 656."""

    id: int | None = field(default=None, metadata={"wire": "id"})
    """Identifier of the event. API text, line 631."""

    call_id: str | None = field(default=None, metadata={"wire": "callId"})
    """Call identifier, an opaque string. API text, line 632."""

    queue_call_id: str | None = field(default=None, metadata={"wire": "queueCallId"})
    """Call identifier of the queue, an opaque string. API text, line 666."""

    timestamp: datetime | None = field(default=None, metadata={"wire": "timestamp"})
    """Time of the call. API text, line 630."""

    direction: Direction | None = field(default=None, metadata={"wire": "direction"})
    """Which way it went. API text, line 638."""

    click_to_call_type: ClickToCallType | None = field(default=None, metadata={"wire": "clickToCallType"})
    """Which leg it is about. API text, line 637."""

    originator_number: str | None = field(default=None, metadata={"wire": "originatorNumber", "personal": True})
    """Number of the caller, as the service writes it. API text, line 635."""

    originator_name: str | None = field(default=None, metadata={"wire": "originatorName", "personal": True})
    """Name of the caller; it may be a number. API text, line 636."""

    destination_number: str | None = field(default=None, metadata={"wire": "destinationNumber", "personal": True})
    """Number of the callee, as the service writes it. API text, line 633."""

    destination_name: str | None = field(default=None, metadata={"wire": "destinationName", "personal": True})
    """Name of the callee; it may be a number. API text, line 634."""

    duration: float | None = field(default=None, metadata={"wire": "duration"})
    """Seconds. API text, line 640."""

    ring_time: float | None = field(default=None, metadata={"wire": "ringTime"})
    """Seconds until somebody first answered or refused. API text, line 641."""

    archived: bool | None = field(default=None, metadata={"wire": "archived"})
    """Whether it is marked as archived. API text, line 642."""

    recorded: bool | None = field(default=None, metadata={"wire": "recorded"})
    """Whether the call was recorded. API text, line 643."""

    recording_url: str | None = field(default=None, metadata={"wire": "recordingUrl", "personal": True})
    """URL of the recording. API text, line 644."""

    labels: tuple[str, ...] | None = field(default=None, metadata={"wire": "labels", "personal": True})
    """Labels given to the call. API text, line 645."""

    rule_names: tuple[str, ...] | None = field(default=None, metadata={"wire": "ruleNames", "personal": True})
    """Names of the IVR rules the call went through. API text, line 646."""

    contact_crm: str | None = field(default=None, metadata={"wire": "contactCrm"})
    """Name of the CRM the contact was found in. API text, line 647."""

    contact_crm_url: str | None = field(default=None, metadata={"wire": "contactCrmUrl", "personal": True})
    """URL of the contact in its CRM. API text, line 648."""

    crm_logo: str | None = field(default=None, metadata={"wire": "crmLogo", "personal": True})
    """URL of the logo of the CRM. API text, line 649."""

    transcription: str | None = field(default=None, metadata={"wire": "transcription", "personal": True})
    """What was said; at most 65,535 characters. API text, line 650."""

    summary: str | None = field(default=None, metadata={"wire": "summary", "personal": True})
    """Short summary; at most 3,500 characters. API text, line 651."""

    sentiment_score: float | None = field(default=None, metadata={"wire": "sentiment_score", "personal": True})
    """Sentiment of the call, 0 to 100. API text, line 652."""

    account_id: str | None = field(default=None, metadata={"wire": "accountId"})
    """Identifier of the PBX, hexadecimal. API text, line 639."""


@frozen(kw_only=True, repr=False)
class FaxCall(Model):
    """The record of a fax call, as the query returns it. API text, line 697."""

    type: EventType = field(metadata={"wire": "type"})
    """Kind of the record, FAX_CALL. API text, line 699."""

    id: int | None = field(default=None, metadata={"wire": "id"})
    """Identifier of the event. API text, line 698."""

    call_id: str | None = field(default=None, metadata={"wire": "callId"})
    """Call identifier, an opaque string. API text, line 707."""

    timestamp: datetime | None = field(default=None, metadata={"wire": "timestamp"})
    """Time of the call. API text, line 702."""

    direction: Direction | None = field(default=None, metadata={"wire": "direction"})
    """Which way it went. API text, line 701."""

    originator_number: str | None = field(default=None, metadata={"wire": "originatorNumber", "personal": True})
    """Number of the sender, as the service writes it. API text, line 704."""

    originator_name: str | None = field(default=None, metadata={"wire": "originatorName", "personal": True})
    """Name of the sender; it may be a number. API text, line 703."""

    destination_number: str | None = field(default=None, metadata={"wire": "destinationNumber", "personal": True})
    """Number of the recipient, as the service writes it. API text, line 706."""

    destination_name: str | None = field(default=None, metadata={"wire": "destinationName", "personal": True})
    """Name of the recipient; it may be a number. API text, line 705."""

    duration: float | None = field(default=None, metadata={"wire": "duration"})
    """Seconds. API text, line 708."""

    archived: bool | None = field(default=None, metadata={"wire": "archived"})
    """Whether it is marked as archived. API text, line 709."""

    account_id: str | None = field(default=None, metadata={"wire": "accountId"})
    """Identifier of the PBX, hexadecimal. API text, line 700."""


@frozen(kw_only=True, repr=False)
class Fax(FaxBase):
    """A fax that was sent or received, as a webhook tells it. API text, line 603."""

    id: int | None = field(default=None, metadata={"wire": "id"})
    """Identifier of the fax. API text, line 608."""

    type: EventType | None = field(default=None, metadata={"wire": "type"})
    """Kind of the record, where the service sends one; the documented payload has none. API text, line 604."""

    timestamp: datetime | None = field(default=None, metadata={"wire": "timestamp"})
    """Time of the fax. API text, line 607."""

    direction: Direction | None = field(default=None, metadata={"wire": "direction", "case": "lower"})
    """Which way it went. API text, line 611."""

    sender: str | None = field(default=None, metadata={"wire": "sender", "personal": True})
    """Number of the sender, as the service writes it. API text, line 610."""

    recipient: str | None = field(default=None, metadata={"wire": "recipient", "personal": True})
    """Number of the recipient, as the service writes it. API text, line 609."""

    attachment_url: str | None = field(default=None, metadata={"wire": "attachment_url", "personal": True})
    """URL of the document. API text, line 612."""

    total_pages: int | None = field(default=None, metadata={"wire": "total_pages"})
    """Pages of the document, a count. API text, line 613."""

    description: str | None = field(default=None, metadata={"wire": "description", "personal": True})
    """Description; outbound faxes alone. API text, line 614."""


@frozen(kw_only=True, repr=False)
class UnknownEvent(UnknownEventBase):
    """A record of a kind that is not described here, or one that does not fit its kind. API text, line 762."""

    id: int | None = field(default=None, metadata={"wire": "id"})
    """Identifier of the event. API text, line 573."""

    type: str | None = field(default=None, metadata={"wire": "type"})
    """Kind of the record. API text, line 553."""

    call_id: str | None = field(default=None, metadata={"wire": "callId"})
    """Call identifier, an opaque string. API text, line 545."""

    timestamp: datetime | None = field(default=None, metadata={"wire": "timestamp"})
    """Time of the call. API text, line 544."""

    direction: Direction | None = field(default=None, metadata={"wire": "direction"})
    """Which way it went. API text, line 554."""

    originator_number: str | None = field(default=None, metadata={"wire": "originatorNumber", "personal": True})
    """Number of the caller, as the service writes it. API text, line 548."""

    destination_number: str | None = field(default=None, metadata={"wire": "destinationNumber", "personal": True})
    """Number of the callee, as the service writes it. API text, line 546."""

    duration: float | None = field(default=None, metadata={"wire": "duration"})
    """Seconds. API text, line 557."""


TelephonyEvent: TypeAlias = PhoneCall | ClickToCallCall | FaxCall | Fax | UnknownEvent
"""What the query and the record webhooks give. API text, line 681."""
