"""Models to a table."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Sequence
from typing import Any

import pyarrow as pa
from attrs import frozen

from ..errors import DecodeError
from ..models import Model
from ..protocol import codec
from .columns import Column


def table_of_models(models: Iterable[Model], columns: Sequence[Column]) -> pa.Table:
    """The rows of models, with a column for each field that one of them has in `extra`."""
    rows = [_Row.of(model, columns) for model in models]
    known = {each.name: pa.array([row.known[each.name] for row in rows], each.type) for each in columns}
    names = dict.fromkeys(name for row in rows for name in row.unknown)
    return pa.table(known | {apart(name, known): _inferred([row.unknown.get(name) for row in rows]) for name in names})


def apart(name: str, known: Container[str]) -> str:
    """An unknown field's column: `extra_` comes before a name that a known one has."""
    return f"extra_{name}" if name in known else name


@frozen
class _Row:
    """The cells of a model: those of the columns by attribute name, all others by wire name."""

    known: dict[str, Any]
    unknown: dict[str, Any]

    @classmethod
    def of(cls, model: Model, columns: Sequence[Column]) -> _Row:
        row = cls({}, dict(model.extra))
        for column in columns:
            value = getattr(model, column.name, None)
            if value is None and column.wire in row.unknown:
                value = row._recognise(column)
            row.known[column.name] = _plain(value, column)
        return row

    def _recognise(self, column: Column) -> Any:
        """What an event of an unknown type has in a field that others have too, if it fits the column."""
        try:
            value = codec.structure(self.unknown[column.wire], column.kind)
        except DecodeError:
            return None
        del self.unknown[column.wire]
        return value


def as_text(value: Any) -> str | None:
    """A value as JSON, where no type of a column would hold all of its kind."""
    return None if value is None else json.dumps(value, ensure_ascii=False, default=str)


def _plain(value: Any, column: Column) -> Any:
    if value is None:
        return None
    if column.words is not None:
        return str(column.words(value))
    return list(value) if isinstance(value, tuple) else value


def _inferred(values: list[Any]) -> pa.Array:
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([as_text(value) for value in values], pa.string())
