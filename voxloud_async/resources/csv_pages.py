"""Joins CSV pages whose dialect nobody documented: one header, every row once, columns aligned (anomaly T12)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence

from attrs import define, frozen

from ..errors import DecodeError
from .csv_rows import COLUMNS

_DELIMITERS = (",", ";", "\t", "|")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


@frozen
class _Table:
    """A page: its dialect, its header, if it has one, and its rows as they came."""

    delimiter: str = ","
    line_end: str = "\r\n"
    header: tuple[str, ...] | None = None
    rows: tuple[str, ...] = ()

    def line(self, cells: Sequence[str]) -> str:
        """A record in the page's dialect."""
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=self.delimiter, lineterminator=self.line_end).writerow(cells)
        return text.getvalue()


@define
class CsvPages:
    """Takes page after page and gives the text of the whole.

    A page says nothing of the rest, and a short one proves nothing: the service may cap its size, and a lone quote may
    make two rows look like one. So the end is a page without rows.
    """

    may_go_on: bool = True
    stalled: int = 0
    _columns: tuple[str, ...] | None = None
    _seen: frozenset[str] = frozenset()

    def add(self, page: str) -> str:
        """The text to append. `stalled` counts the pages in a row whose rows all stood on the page before.

        Raises DecodeError for what is no CSV, and for columns that the first page did not announce.
        """
        try:
            return self._add(page)
        except csv.Error:  # its text may show a cell
            raise DecodeError("a CSV page cannot be read") from None

    def _add(self, page: str) -> str:
        table, head = _read(page), ""
        if self._columns is None:
            self._columns = _completed(table.header)
            head = table.line(self._columns) if self._columns else ""
        self.may_go_on = bool(table.rows)
        return head + "".join(_aligned(table, self._new(table.rows), self._columns))

    def _new(self, rows: tuple[str, ...]) -> list[str]:
        new = [row for row in rows if row not in self._seen]
        self.stalled = 0 if new or not rows else self.stalled + 1
        self._seen = frozenset(rows)
        return new


def records(text: str) -> Iterator[str]:
    """The records of a page, each with its line end; a line break between quotes ends none."""
    lines: list[str] = []
    quotes = 0
    for line in io.StringIO(text, newline=""):
        lines.append(line)
        quotes += line.count('"')
        if quotes % 2 == 0:  # a quote inside quotes is written twice
            yield _ended("".join(lines))
            lines.clear()
    if lines:
        yield _ended("".join(lines))


def _read(page: str) -> _Table:
    rows = tuple(record for record in records(page) if record.strip())
    if not rows:
        return _Table()
    delimiter = max(_DELIMITERS, key=rows[0].count)
    line_end = "\r\n" if rows[0].endswith("\r\n") else "\n"
    cells = tuple(next(csv.reader(rows[:1], delimiter=delimiter)))
    # No cell of a row reads like the name of its column.
    return (
        _Table(delimiter, line_end, cells, rows[1:]) if _is_header(cells) else _Table(delimiter, line_end, None, rows)
    )


def _is_header(cells: Sequence[str]) -> bool:
    return not {"timestamp", "callid"}.isdisjoint(map(_key, cells))


def _aligned(table: _Table, rows: Sequence[str], columns: tuple[str, ...]) -> Iterator[str]:
    """The rows under the columns of the whole; as they came, where those are their own."""
    if table.header is None or table.header == columns:
        yield from rows
        return
    places = {_key(name): place for place, name in enumerate(table.header)}
    if not places.keys() <= set(map(_key, columns)):
        raise DecodeError("a CSV page has columns that the first page had not")
    order = [places.get(_key(name)) for name in columns]
    for cells in csv.reader(rows, delimiter=table.delimiter):
        yield table.line(["" if place is None or place >= len(cells) else cells[place] for place in order])


def _completed(header: tuple[str, ...] | None) -> tuple[str, ...]:
    """The columns of a page, then the documented ones it lacks, spelled as its own are."""
    if header is None:
        return ()
    there = set(map(_key, header))
    lacking = [name for name in COLUMNS if _key(name) not in there]
    is_snake = not any(_HUMP.search(name) for name in header)
    return (*header, *(_HUMP.sub("_", name).lower() if is_snake else name for name in lacking))


def _key(name: str) -> str:
    return name.replace("_", "").strip().casefold()


def _ended(record: str) -> str:
    return record if record.endswith(("\n", "\r")) else f"{record}\r\n"
