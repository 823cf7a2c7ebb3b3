"""A frame in a notebook: its first and last rows, without personal data, since notebooks are kept and passed on."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from html import escape

import pyarrow as pa

_SHOWN = 5
_LONGEST = 40


def html_table(table: pa.Table, personal: Collection[str], title: str) -> str:
    """The table as HTML; columns that are empty throughout are left out."""
    names = [name for name in table.schema.names if table.column(name).null_count < table.num_rows]
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join(_lines(table.select(names), personal))
    return f"<p>{escape(title)}</p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _lines(table: pa.Table, personal: Collection[str]) -> Iterable[str]:
    if table.num_rows <= 2 * _SHOWN:
        yield from _rows(table, personal)
        return
    yield from _rows(table.slice(0, _SHOWN), personal)
    yield f'<tr><td colspan="{table.num_columns}">\N{VERTICAL ELLIPSIS}</td></tr>'
    yield from _rows(table.slice(table.num_rows - _SHOWN), personal)


def _rows(table: pa.Table, personal: Collection[str]) -> Iterable[str]:
    columns = [_cells(table.column(name), name in personal) for name in table.schema.names]
    for row in zip(*columns, strict=True):
        yield f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>"


def _cells(column: pa.ChunkedArray, is_personal: bool) -> list[str]:  # noqa: FBT001 - a private helper
    if is_personal:
        return ["***" if is_valid else "" for is_valid in column.is_valid().to_pylist()]
    zone = ""
    if pa.types.is_timestamp(column.type):  # 0001-01-01T00:00+02:00 lies in the year 0 of UTC, which no datetime holds
        zone, column = "Z", column.cast(pa.timestamp("us")).cast(pa.string())
    return ["" if value is None else escape(_short(f"{value}{zone}")) for value in column.to_pylist()]


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}\N{HORIZONTAL ELLIPSIS}"
