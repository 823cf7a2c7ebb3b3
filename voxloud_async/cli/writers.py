"""Rows of JSON values to text, one row at a time: NDJSON, JSON, CSV and a table for people."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, TextIO

from attrs import define, field, frozen
from rich.cells import set_cell_size

from .speech import printable

Row = Mapping[str, Any]

_QUOTE = '"'
_SPECIAL = re.compile(r'[",\r\n]')
_GAP = "  "
_NARROWEST = 8
_MOMENTS = ("timestamp", "died")
_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"


class Writer(Protocol):
    """Writes rows as they come; `end` only after the last one, so that what broke off does not look whole."""

    def write(self, row: Row) -> None:
        """Write one row."""
        ...

    def end(self) -> None:
        """Write what follows the last row."""
        ...


@define
class NdjsonWriter:
    """One object a line."""

    out: TextIO

    def write(self, row: Row) -> None:
        """Write one row."""
        self.out.write(to_json(row) + "\n")

    def end(self) -> None:
        """Nothing follows."""


@define
class JsonWriter:
    """One array, a row a line."""

    out: TextIO
    _before: str = field(default="[\n", init=False)

    def write(self, row: Row) -> None:
        """Write one row."""
        self.out.write(self._before + to_json(row))
        self._before = ",\n"

    def end(self) -> None:
        """Close the array."""
        self.out.write("[]\n" if self._before == "[\n" else "\n]\n")


class CsvWriter:
    """The given columns, and `extra` for what fits none of them, as JSON.

    `safe` keeps spreadsheets from calculating cells: https://owasp.org/www-community/attacks/CSV_Injection
    """

    def __init__(self, out: TextIO, columns: Sequence[str], *, safe: bool = False) -> None:
        self._out = out
        self._columns = columns
        self._safe = safe
        self._line([*columns, "extra"])

    def write(self, row: Row) -> None:
        """Write one row."""
        extra = {name: value for name, value in row.items() if name not in self._columns}
        self._line([*(_csv_cell(row.get(name)) for name in self._columns), to_json(extra) if extra else ""])

    def end(self) -> None:
        """Nothing follows."""

    def _line(self, cells: Iterable[str]) -> None:
        self._out.write(csv_line(map(safe_cell, cells) if self._safe else cells))


def csv_line(cells: Iterable[str]) -> str:
    """A line of CSV that ends with a line feed; cells with a lone carriage return are quoted.

    The csv module of Python 3.11 and 3.12 quotes a carriage return only where it is part of the line's end.
    """
    return ",".join(f'"{cell.replace(_QUOTE, _QUOTE * 2)}"' if _SPECIAL.search(cell) else cell for cell in cells) + "\n"


def safe_cell(cell: str) -> str:
    """A cell that a spreadsheet shows as it is; importing takes the apostrophe off again."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


@frozen
class Column:
    """A column of a table: the values at these places (`a.b` is `b` within `a`), `width` cells wide, 0 for the rest."""

    title: str
    places: tuple[str, ...]
    width: int = 0

    def text(self, row: Row) -> str:
        """The column's text in a row."""
        return " ".join(filter(None, (_table_cell(_at(row, place)) for place in self.places)))


class TableWriter:
    """A table of fixed widths, so that the first row need not wait for the last."""

    def __init__(self, out: TextIO, columns: Sequence[Column], *, width: int) -> None:
        self._out = out
        self._columns = columns
        self._widths = _widths(columns, width)
        titles = self._line([column.title for column in columns])
        out.write(f"{_BOLD}{titles}{_PLAIN}\n" if out.isatty() else f"{titles}\n")

    def write(self, row: Row) -> None:
        """Write one row."""
        self._out.write(self._line([column.text(row) for column in self._columns]) + "\n")

    def end(self) -> None:
        """Nothing follows."""

    def _line(self, texts: Sequence[str]) -> str:
        cells = (_fit(text, width) for text, width in zip(texts, self._widths, strict=True))
        return _GAP.join(cells).rstrip()


def write_fields(out: TextIO, row: Row) -> None:
    """One object for people: a field a line."""
    width = max(map(len, row), default=0)
    out.writelines(f"{name:<{width}}{_GAP}{_table_cell(value)}\n" for name, value in row.items())


def to_json(value: object) -> str:
    """Compact JSON in one line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _csv_cell(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ";".join(value)
    return "" if value is None else to_json(value)


def _table_cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return printable(", ".join(value))
    if isinstance(value, str):
        return printable(value)
    return "" if value is None else to_json(value)


def _at(row: Row, place: str) -> object:
    value: object = row
    for name in place.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return _local_minute(value) if place in _MOMENTS else value


def _local_minute(value: object) -> object:
    return datetime.fromisoformat(value).astimezone().strftime("%Y-%m-%d %H:%M") if isinstance(value, str) else value


def _widths(columns: Sequence[Column], width: int) -> list[int]:
    taken = sum(column.width for column in columns) + len(_GAP) * (len(columns) - 1)
    flexible = sum(column.width == 0 for column in columns)
    share = max(_NARROWEST, (width - taken) // max(1, flexible))
    return [column.width or share for column in columns]


def _fit(text: str, width: int) -> str:
    sized = set_cell_size(text, width)
    return sized if sized.rstrip() == text.rstrip() else set_cell_size(text, width - 1) + "\N{HORIZONTAL ELLIPSIS}"
