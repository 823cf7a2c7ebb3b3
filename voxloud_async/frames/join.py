"""Tables of pages to one, whose unknown fields may differ between pages; each row once."""

# pyright: reportAttributeAccessIssue=false
# pyarrow.compute makes its functions as it is imported.

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from ..paging.places import Window
from .arrays import as_text
from .columns import MOMENT


def joined(tables: Sequence[pa.Table], schema: pa.Schema) -> pa.Table:
    """All rows in order. A field that has different types in different pages becomes JSON text."""
    whole = [schema.empty_table(), *tables]
    try:
        return pa.concat_tables(whole, promote_options="permissive")
    except pa.ArrowTypeError:
        disputed = _disputed(whole)
        return pa.concat_tables([_spelled(table, disputed) for table in whole], promote_options="permissive")


def distinct(table: pa.Table, key: str) -> pa.Table:
    """The first row of each key; a row without one is like no other."""
    keys = table.column(key)
    if pc.count_distinct(keys, mode="only_valid").as_py() + keys.null_count == table.num_rows:
        return table
    places = pa.table({"key": keys, "place": pa.array(range(table.num_rows), pa.int64())})
    valid = places.filter(pc.is_valid(places.column("key")))
    first = valid.group_by("key", use_threads=False).aggregate([("place", "min")]).column("place_min")
    kept = pa.chunked_array([*first.chunks, *places.filter(pc.is_null(places.column("key"))).column("place").chunks])
    return table.take(kept.take(pc.sort_indices(kept)))


def within(table: pa.Table, window: Window) -> pa.Table:
    """The rows of a window, which the service need not keep to (anomaly T5); those without a time are in any."""
    for bound, fits in ((window.since, pc.greater_equal), (window.until, pc.less_equal)):
        if bound is not None:
            mask = fits(table.column("timestamp"), pa.scalar(bound, MOMENT))
            table = table.filter(pc.fill_null(mask, fill_value=True))
    return table


def _disputed(tables: Sequence[pa.Table]) -> frozenset[str]:
    names = dict.fromkeys(name for table in tables for name in table.schema.names)
    return frozenset(name for name in names if not _agree(name, tables))


def _agree(name: str, tables: Sequence[pa.Table]) -> bool:
    schemas = [pa.schema([table.schema.field(name)]) for table in tables if name in table.schema.names]
    try:
        pa.unify_schemas(schemas, promote_options="permissive")
    except pa.ArrowTypeError:
        return False
    return True


def _spelled(table: pa.Table, names: frozenset[str]) -> pa.Table:
    for name in names.intersection(table.schema.names):
        texts = pa.array([as_text(value) for value in table.column(name).to_pylist()], pa.string())
        table = table.set_column(table.schema.get_field_index(name), name, texts)
    return table
