"""Rows of JSON values to text, one row at a time: NDJSON, JSON and CSV."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, TextIO

from attrs import define, field

Row = Mapping[str, Any]

_QUOTE = '"'
_SPECIAL = re.compile(r'[",\r\n]')


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


def to_json(value: object) -> str:
    """Compact JSON in one line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _csv_cell(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ";".join(value)
    return "" if value is None else to_json(value)
