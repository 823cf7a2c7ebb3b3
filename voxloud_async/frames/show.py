"""A frame in a notebook: its first and last rows, without personal data, since notebooks are kept and passed on."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from html import escape
from typing import Any

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
    for row in table.to_pylist():
        yield f"<tr>{''.join(f'<td>{_cell(name, value, personal)}</td>' for name, value in row.items())}</tr>"


def _cell(name: str, value: Any, personal: Collection[str]) -> str:
    if value is None:
        return ""
    if name in personal:
        return "***"
    text = str(value)
    return escape(text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}\N{HORIZONTAL ELLIPSIS}")
