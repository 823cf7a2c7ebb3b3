"""The columns of a frame: the fields of its models, under the attributes' names and with Arrow's types."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from types import UnionType
from typing import Any, get_args, get_origin

import pyarrow as pa
from attrs import fields, frozen, resolve_types

from ..models import Model, OpenEnum

MOMENT = pa.timestamp("us", "UTC")
"""The API writes milliseconds; a model, and so a frame, takes what is finer."""

_TYPES: dict[Any, pa.DataType] = {
    bool: pa.bool_(),
    datetime: MOMENT,
    float: pa.float64(),
    int: pa.int64(),
    str: pa.string(),
}


@frozen
class Column:
    """One field: its attribute and wire names, its types in Python and Arrow, and the enum of its words, if any."""

    name: str
    wire: str
    kind: Any
    type: pa.DataType
    words: type[OpenEnum] | None
    personal: bool


@cache
def columns_of(models: tuple[type[Model], ...]) -> tuple[Column, ...]:
    """The columns of several models together, each once, in the order of the first that has it."""
    found: dict[str, Column] = {}
    for model in models:
        resolve_types(model)
        for each in fields(model):
            if "wire" in each.metadata:
                found.setdefault(each.name, _column(each.name, each.type, each.metadata))
    return tuple(found.values())


def schema_of(columns: Sequence[Column]) -> pa.Schema:
    """The schema of a frame without unknown fields."""
    return pa.schema([(each.name, each.type) for each in columns])


def _column(name: str, kind: Any, metadata: Any) -> Column:
    plain = _required(kind)
    words = plain if isinstance(plain, type) and issubclass(plain, OpenEnum) else None
    type_ = pa.list_(pa.string()) if get_origin(plain) is tuple else _TYPES[str if words else plain]
    return Column(name, metadata["wire"], plain, type_, words, bool(metadata.get("personal")))


def _required(kind: Any) -> Any:
    """What a type is besides None."""
    if isinstance(kind, UnionType):
        (kind,) = (each for each in get_args(kind) if each is not type(None))
    return kind
