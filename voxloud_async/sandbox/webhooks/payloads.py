"""Events as deliveries carry them: with or without the envelope, in the spellings that the quirks choose."""

from __future__ import annotations

import json

from ..event_shapes import delivered_shape
from ..quirks import Quirks
from ..shapes import Shape, finished
from ..times import spelled
from ..town.directory import Directory
from .agenda import Happening


def body(happening: Happening, quirks: Quirks, town: Directory) -> bytes:
    """The JSON of a delivery."""
    data = delivered_shape(happening.row, quirks, town) if happening.is_record else _live_shape(happening, quirks)
    shape: Shape = data
    if quirks.delivery_envelope == "present":
        shape = {
            "timestamp": data["timestamp"],
            "type": happening.event_type,
            "data": data,
            "pbx_id": town.pbx_id,
        }
    return json.dumps(shape, ensure_ascii=False, separators=(",", ":")).encode()


def _live_shape(happening: Happening, quirks: Quirks) -> Shape:
    shape = happening.row | {"timestamp": spelled(happening.row["timestamp"], quirks.delivery_times)}
    if quirks.delivery_phase == "long":
        shape["type"] = happening.event_type
    if quirks.delivery_extension == "text" and "userExtension" in shape:
        shape["userExtension"] = str(shape["userExtension"])
    return finished(shape, quirks)
