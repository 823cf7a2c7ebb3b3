"""Bytes of a page to a table, without an object for any row.

What Arrow would take more loosely than the models do is told to be `Unfit`, and read through them instead: so a frame
refuses what a model refuses.
"""

# pyright: reportAttributeAccessIssue=false
# pyarrow.compute makes its functions as it is imported.

from __future__ import annotations

import io
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import json as arrow_json

from .columns import MOMENT, Column
from .rows import apart

_LISTS = ("content", "data")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_DEEPEST = 64
_BOM = b"\xef\xbb\xbf"


class UnfitError(Exception):
    """Arrow cannot read this page as the models would."""


def table_of_page(page: bytes, columns: Sequence[Column], required: Sequence[str]) -> pa.Table:
    """The rows of a page, its unknown fields behind the known ones under their wire names.

    `required` names the columns that every row must have. Raises UnfitError.
    """
    rows = _rows(page, columns)
    unknown = [name for name in rows.schema.names if name not in {each.wire for each in columns}]
    known = {each.name: _checked(rows.column(each.wire), each) for each in columns}
    if any(known[name].null_count for name in required):
        raise UnfitError
    return pa.table(known | {apart(name, known): rows.column(name) for name in unknown})


def _rows(page: bytes, columns: Sequence[Column]) -> pa.Table:
    """The list of a page, whichever of the API's envelopes it came in (anomaly G13)."""
    text = page.removeprefix(_BOM).strip()
    if not text.startswith((b"{", b"[")) or _is_deep(text):
        raise UnfitError
    read = _read(b'{"data":%b}' % text if text.startswith(b"[") else text, columns)
    names = [name for name in _LISTS if name in read.schema.names and not read.column(name).null_count]
    if read.num_rows != 1 or len(names) != 1:
        raise UnfitError
    rows = pc.list_flatten(read.column(names[0])).combine_chunks()
    if rows.null_count:
        raise UnfitError
    return pa.Table.from_struct_array(rows)


def _is_deep(text: bytes) -> bool:
    """Whether it is nested so deeply that Arrow's reader, which recurses, might bring the process down."""
    depth = 0
    for bracket in text.translate(None, _NO_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        if depth > _DEEPEST:
            return True
    return False


def _read(text: bytes, columns: Sequence[Column]) -> pa.Table:
    row = pa.struct([(each.wire, _as_written(each.type)) for each in columns])
    schema = pa.schema([(name, pa.list_(row)) for name in _LISTS])
    try:
        return arrow_json.read_json(
            io.BytesIO(text),
            # a block must hold the largest document, which is the page
            read_options=arrow_json.ReadOptions(block_size=len(text) + 1, use_threads=False),
            parse_options=arrow_json.ParseOptions(
                explicit_schema=schema, unexpected_field_behavior="infer", newlines_in_values=True
            ),
        )
    except pa.ArrowInvalid:  # its text may show a value
        raise UnfitError from None


def _as_written(kind: pa.DataType) -> pa.DataType:
    """Times are read as text first: Arrow would take one without a zone for UTC."""
    return pa.string() if kind == MOMENT else kind


def _checked(values: pa.ChunkedArray, column: Column) -> pa.ChunkedArray:
    if column.type == MOMENT:
        return _moments(values)
    if column.words is not None:
        return _words(values, column)
    if pa.types.is_floating(column.type) and pc.all(pc.is_finite(values)).as_py() is False:
        raise UnfitError
    if pa.types.is_list(column.type) and pc.list_flatten(values).null_count:
        raise UnfitError
    return values


def _moments(values: pa.ChunkedArray) -> pa.ChunkedArray:
    try:
        return values.cast(MOMENT)
    except pa.ArrowInvalid:
        raise UnfitError from None


def _words(values: pa.ChunkedArray, column: Column) -> pa.ChunkedArray:
    """Words as the enum has them: it finds a known one whatever its case."""
    distinct = values.combine_chunks().dictionary_encode()
    words = column.words
    assert words is not None  # noqa: S101 - the caller has looked
    spelled = pa.array([str(words(word)) for word in distinct.dictionary.to_pylist()], pa.string())
    return pa.chunked_array([spelled.take(distinct.indices)])
