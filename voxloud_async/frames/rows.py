"""Models to a table."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from ..errors import DecodeError
from ..models import Model
from ..models._base import NO_EXTRA
from ..protocol import codec
from .arrays import array_of, inferred
from .columns import Column


def table_of_models(models: Iterable[Model], columns: Sequence[Column]) -> pa.Table:
    """The rows of models, with a column for each field that one of them has in `extra`."""
    rows = [*models]
    cells = {each.name: [getattr(row, each.name, None) for row in rows] for each in columns}
    unknown = _unknown(rows, cells, {each.wire: each for each in columns})
    known = {each.name: array_of(_plain(cells[each.name], each), each) for each in columns}
    table = pa.table(known)
    for name, values in unknown.items():
        table = table.append_column(*inferred(apart(name, known), values))
    return table


def apart(name: str, known: Container[str]) -> str:
    """The column name of an unknown field, as text that UTF-8 can hold: half of a surrogate pair becomes its escape.

    `extra_` is put before a name that a known column has, and before one that would then be the same.
    """
    name = bare = name.encode("utf-8", "backslashreplace").decode()
    while bare.startswith("extra_"):
        bare = bare.removeprefix("extra_")
    return f"extra_{name}" if bare in known else name


def _unknown(
    rows: Sequence[Model], cells: Mapping[str, list[Any]], columns: Mapping[str, Column]
) -> dict[str, list[Any]]:
    """What is in `extra`, by wire name; what an event of an unknown type has for a column goes to its cell.

    Why a row does not fit its type is such a field, too.
    """
    found: dict[str, list[Any]] = {}
    for place, row in enumerate(rows):
        if getattr(row, "misfit", None) is not None:
            found.setdefault("misfit", [None] * len(rows))[place] = row.misfit  # type: ignore[attr-defined]
        if row.extra is NO_EXTRA:  # nearly all
            continue
        for name, value in row.extra.items():
            column = columns.get(name)
            fit = _recognised(value, column) if column and cells[column.name][place] is None else None
            if column and fit is not None:
                cells[column.name][place] = fit
            else:
                found.setdefault(name, [None] * len(rows))[place] = value
    return found


def _recognised(value: Any, column: Column) -> Any:
    try:
        return codec.structure(value, column.kind)
    except DecodeError:
        return None


def _plain(values: list[Any], column: Column) -> list[Any]:
    """Words as the enum has them: a model that was not read from JSON may hold a plain string."""
    words = column.words
    if words is None:
        return values
    return [value if value is None or value.__class__ is words else words(value) for value in values]
