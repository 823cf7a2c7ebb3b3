"""The samples of the API text, and how to compare what was written with what was read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from voxloud_async import models
from voxloud_async.errors import DecodeError
from voxloud_async.protocol import codec
from voxloud_async.protocol.codec.scalars import moment

_FOLDER = Path(__file__).parent.parent / "samples"
TIMES = {"timestamp", "created_at", "updated_at"}

INDEX: list[dict[str, Any]] = json.loads((_FOLDER / "index.json").read_text())


def sample(name: str) -> Any:
    return json.loads((_FOLDER / f"{name}.json").read_text())


def rows(entry: dict[str, Any]) -> list[dict[str, Any]]:
    """The objects of a sample, out of their envelope."""
    value = sample(entry["file"].removesuffix(".json"))
    if entry["envelope"] is None:
        return [value]
    return list(value if entry["envelope"] == "array" else value[entry["envelope"]])


def model(name: str) -> Any:
    return models.TelephonyEvent if name == "TelephonyEvent" else getattr(models, name)


def instants(value: Any) -> Any:
    """The same JSON with its times as instants: their spelling is no part of what they say."""
    if isinstance(value, list):
        return [instants(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: moment(item) if name in TIMES and item is not None else instants(item) for name, item in value.items()
    }


def fault(body: bytes | str, kind: Any) -> DecodeError:
    """The error of a body that does not fit."""
    with pytest.raises(DecodeError) as caught:
        codec.decode(body.encode() if isinstance(body, str) else body, kind)
    return caught.value
