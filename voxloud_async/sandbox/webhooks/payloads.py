"""Events as deliveries carry them: with or without the envelope, in the spellings that the quirks choose."""

from __future__ import annotations

import json
from uuid import NAMESPACE_OID, uuid5

from ..event_shapes import delivered_shape
from ..quirks import Quirks
from ..records import Row
from ..shapes import Shape, finished
from ..times import spelled
from ..town.directory import Directory
from .agenda import Happening

_LATER = ("transcription", "summary", "sentiment_score")
_MISTYPED: Shape = {
    "duration": "30",
    "labels": ["sales", None],
    "voicemail": 0,
    "timestamp": "2018-05-15T15:47:03",
}


def body(happening: Happening, quirks: Quirks, town: Directory) -> bytes:
    """The JSON of a delivery."""
    if happening.is_record:
        row = _untranscribed(happening.row) if comes_again(happening, quirks) else happening.row
        return _written(happening.event_type, _record_shape(row, quirks, town), quirks, town)
    return _written(happening.event_type, _live_shape(happening, quirks), quirks, town)


def transcribed(happening: Happening, quirks: Quirks, town: Directory) -> bytes:
    """The JSON of the second delivery of a record, with its transcription."""
    row = {"transcription": "Good morning.", **happening.row}
    return _written(happening.event_type, _record_shape(row, quirks, town), quirks, town)


def comes_again(happening: Happening, quirks: Quirks) -> bool:
    """Whether a record is delivered once more, when its transcription is there."""
    return quirks.delivery_transcription == "later" and happening.event_type == "PHONE_CALL"


def _untranscribed(row: Row) -> Row:
    return {name: item for name, item in row.items() if name not in _LATER}


def _written(event_type: str, data: Shape, quirks: Quirks, town: Directory) -> bytes:
    shape = data
    if quirks.delivery_envelope == "present":
        unreadable = quirks.delivery_envelope_time == "unreadable"
        shape = {
            "timestamp": "yesterday" if unreadable else data["timestamp"],
            "type": event_type,
            "data": data,
            "pbx_id": _pbx_id(town.pbx_id, quirks),
        }
    return json.dumps(shape, ensure_ascii=False, separators=(",", ":")).encode()


def _pbx_id(number: int, quirks: Quirks) -> int | str:
    if quirks.delivery_pbx_id == "uuid":
        return str(uuid5(NAMESPACE_OID, str(number)))
    return str(number) if quirks.delivery_pbx_id == "text" else number


def _record_shape(row: Row, quirks: Quirks, town: Directory) -> Shape:
    if quirks.delivery_record_time == "milliseconds":
        row = row | {"timestamp": row["timestamp"] // 1000 * 1000 + 345}
    shape = delivered_shape(row, quirks, town)
    if quirks.delivery_record_id == "absent":
        del shape["id"]
    elif quirks.delivery_record_id == "text":
        shape["id"] = str(shape["id"])
    if quirks.delivery_mistyped != "nothing":
        shape[quirks.delivery_mistyped] = _MISTYPED[quirks.delivery_mistyped]
    return shape


def _live_shape(happening: Happening, quirks: Quirks) -> Shape:
    shape = happening.row | {"timestamp": spelled(happening.row["timestamp"], quirks.delivery_times)}
    if quirks.delivery_phase == "long":
        shape["type"] = happening.event_type
    if quirks.delivery_extension == "text" and "userExtension" in shape:
        shape["userExtension"] = str(shape["userExtension"])
    return finished(shape, quirks)
