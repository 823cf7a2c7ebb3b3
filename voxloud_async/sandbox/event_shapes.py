"""Telephony events as queries and look-ups show them."""

from __future__ import annotations

from .quirks import EventTimes, Quirks
from .records import Row
from .shapes import Shape, finished
from .times import spelled
from .town.directory import Directory
from .town.recordings import fax_document, fax_pages

_ENDS = ("originatorName", "originatorNumber", "destinationName", "destinationNumber")
_TAGS = ("labels", "ruleNames", "contactCrm", "contactCrmUrl", "crmLogo", "transcription", "summary", "sentiment_score")
_HEAD = ("id", "type", "accountId", "direction", "timestamp", *_ENDS)

FIELDS: dict[str, tuple[str, ...]] = {
    "FAX_CALL": (*_HEAD, "callId", "duration", "archived"),
    "PHONE_CALL": (
        *_HEAD,
        "answererName",
        "answererNumber",
        "maskCallerNumber",
        "lastEvent",
        "duration",
        "ringTime",
        "archived",
        "callId",
        "recorded",
        "recordingUrl",
        "voicemail",
        "voicemail_url",
        *_TAGS,
    ),
    "CLICK_TO_CALL": (
        *_HEAD,
        "duration",
        "ringTime",
        "queueCallId",
        "clickToCallType",
        "archived",
        "callId",
        "recorded",
        "recordingUrl",
        *_TAGS,
    ),
}
"""Every field the text gives a kind of event, in the order of its samples."""

_UNKNOWN_EVERY = 25


def row_shape(row: Row, quirks: Quirks) -> Shape:
    """A row of a query."""
    return _shape(row, quirks, quirks.event_times)


def single_shape(row: Row, quirks: Quirks, town: Directory) -> Shape:
    """An event got by id or callId: "like the ones described in section webhooks" (T4)."""
    if quirks.single_fax == "document" and row["type"] == "FAX_CALL":
        shape = _fax_document(row, quirks.single_event_times, quirks, town)
    else:
        shape = _shape(row, quirks, quirks.single_event_times)
    if quirks.single_event == "bare":
        return shape
    return {"timestamp": shape["timestamp"], "type": row["type"], "data": shape, "pbx_id": town.pbx_id}


def delivered_shape(row: Row, quirks: Quirks, town: Directory) -> Shape:
    """A record as its webhook has it."""
    if quirks.delivery_fax == "document" and row["type"] == "FAX_CALL":
        return _fax_document(row, quirks.delivery_times, quirks, town)
    return _shape(row, quirks, quirks.delivery_times)


def _shape(row: Row, quirks: Quirks, times: EventTimes) -> Shape:
    documented = FIELDS.get(row["type"], ())
    shape = {name: row.get(name) for name in documented} | row
    shape["timestamp"] = spelled(row["timestamp"], times)
    if quirks.unknown_event_types == "present" and row["id"] % _UNKNOWN_EVERY == 0:
        shape["type"] = "VIDEO_CALL"
    return finished(shape, quirks)


def _fax_document(row: Row, times: EventTimes, quirks: Quirks, town: Directory) -> Shape:
    """A fax as its webhook has it (L605)."""
    shape = {
        "id": row["id"],
        "timestamp": spelled(row["timestamp"], times),
        "direction": row["direction"].lower(),
        "sender": row["originatorNumber"],
        "recipient": row["destinationNumber"],
        "attachment_url": fax_document(row["id"], town),
        "total_pages": fax_pages(row["duration"]),
        "description": f"Fax {row['id']}" if row["direction"] == "OUTBOUND" else None,
    }
    return finished(shape, quirks)
