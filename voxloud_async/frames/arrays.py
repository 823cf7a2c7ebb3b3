"""Values to arrays: those of a column, whose type is known, and those of a field that no model knows."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from ..errors import DecodeError
from .columns import Column

_UNFIT = (pa.ArrowInvalid, OverflowError, UnicodeEncodeError)
_SPELLED = {b"content": b"json"}
_DEEPEST = 16
"""Levels a nested type may have: Parquet reads no more than about 30 of lists, Arrow IPC and the capsules about 60."""


def array_of(values: list[Any], column: Column) -> pa.Array:
    """The cells of a column. Half of a surrogate pair, which Arrow takes in no text, becomes U+FFFD.

    Raises DecodeError for a number that the column's type cannot hold.
    """
    try:
        return pa.array(values, column.type)
    except _UNFIT:
        pass
    try:
        return pa.array([_fitted(value, column) for value in values], column.type)
    except _UNFIT:
        raise DecodeError("the number is too large for a frame", path=column.wire) from None


def inferred(name: str, values: list[Any]) -> tuple[pa.Field, pa.Array]:
    """The column of an unknown field: of the type its values share, or as JSON where no writable type holds them."""
    try:
        array = pa.array(values)
    except (*_UNFIT, pa.ArrowTypeError):
        return spelled(name, values)
    return (pa.field(name, array.type), array) if _is_writable(array.type) else spelled(name, values)


def spelled(name: str, values: list[Any]) -> tuple[pa.Field, pa.Array]:
    """The column of an unknown field as JSON, marked so that it is not encoded a second time."""
    return pa.field(name, pa.string(), metadata=_SPELLED), pa.array([_as_text(value) for value in values], pa.string())


def is_spelled(field: pa.Field) -> bool:
    """Whether a column holds its values as JSON."""
    return bool(field.metadata == _SPELLED)


def _is_writable(type_: pa.DataType, levels: int = _DEEPEST) -> bool:
    """Return True if Parquet and Arrow IPC have the type: Parquet has no struct without fields, at any level."""
    if pa.types.is_struct(type_):
        inner = [each.type for each in type_]
    elif pa.types.is_list(type_):
        inner = [type_.value_type]
    else:
        return True
    return bool(inner) and levels > 0 and all(_is_writable(each, levels - 1) for each in inner)


def _as_text(value: Any) -> str | None:
    """A value as JSON, where no type of a column would hold all of its kind."""
    return None if value is None else _paired(json.dumps(value, ensure_ascii=False, default=str))


def _fitted(value: Any, column: Column) -> Any:
    if isinstance(value, str):
        return _paired(value)
    if isinstance(value, tuple):
        return [_paired(each) for each in value]
    return float(value) if value is not None and column.type == pa.float64() else value


def _paired(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
