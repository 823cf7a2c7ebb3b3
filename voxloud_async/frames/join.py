"""Tables of pages to one, whose unknown fields may differ between pages; each row once."""

# pyright: reportAttributeAccessIssue=false
# pyarrow.compute makes its functions as it is imported.

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from .arrays import is_spelled, spelled


def joined(tables: Sequence[pa.Table], schema: pa.Schema) -> pa.Table:
    """All rows in order. A field that has different types in different pages becomes JSON text."""
    unknown = dict.fromkeys(name for table in tables for name in table.schema.names[len(schema) :])
    disputed = frozenset(name for name in unknown if not _agree(name, tables))
    whole = [schema.empty_table(), *(_spelled(table, disputed) for table in tables)]
    return pa.concat_tables(whole, promote_options="permissive")


def distinct(table: pa.Table) -> pa.Table:
    """The first row of each id, and type where rows have one; a row without an id is like no other."""
    ids = table.column("id")
    if pc.count_distinct(ids, mode="only_valid").as_py() + ids.null_count == table.num_rows:
        return table
    key = [name for name in ("id", "type") if name in table.schema.names]
    places = table.select(key).append_column("place", pa.array(range(table.num_rows), pa.int64()))
    has_id = pc.is_valid(ids)
    first = places.filter(has_id).group_by(key, use_threads=False).aggregate([("place", "min")]).column("place_min")
    kept = pa.chunked_array([*first.chunks, *places.filter(pc.invert(has_id)).column("place").chunks])
    return table.take(kept.take(pc.sort_indices(kept)))


def _agree(name: str, tables: Sequence[pa.Table]) -> bool:
    """Whether a type holds all values of a field: that of whole numbers and fractions cannot hold every whole one."""
    columns = [table.select([name]) for table in tables if name in table.schema.names]
    if len({is_spelled(column.schema.field(0)) for column in columns}) > 1:
        return False
    try:
        pa.concat_tables(columns, promote_options="permissive")
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        return False
    return True


def _spelled(table: pa.Table, names: frozenset[str]) -> pa.Table:
    for name in names.intersection(table.schema.names):
        place = table.schema.get_field_index(name)
        if not is_spelled(table.schema.field(place)):
            table = table.set_column(place, *spelled(name, table.column(place).to_pylist()))
    return table
