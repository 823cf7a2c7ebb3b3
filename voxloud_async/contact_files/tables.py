"""Rows of CSV in any common dialect."""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from attrs import define, field

from ..errors import InvalidArgumentError
from .rows import RawRow, RejectedRow

_DELIMITERS = ",;\t|"
_LONGEST_HEADER = 50
"""Lines that a header may stand in, as its names may be quoted with line ends in them."""

_SEPARATOR = re.compile(r"\s*\"?sep=(.)\"?\s*", re.IGNORECASE)  # which Excel writes and reads as a first line
_SAFE = re.compile(r"'[=+\-@\t\r]")  # a cell that was kept from being a formula


@define
class Table:
    """The rows below the header of a CSV text."""

    header: list[str]
    delimiter: str
    _lines: _Lines
    blank_rows: int = field(default=0, init=False)

    @classmethod
    def begin(cls, text: Iterable[str], delimiter: str | None, recognised: Callable[[Sequence[str]], int]) -> Table:
        """Read the header. Of the delimiters it may have, take that by which most of its names are `recognised`.

        Raises:
            ValueError: the header is missing, or the text is not CSV.
        """
        lines = _Lines(iter(text))
        first = _first_line(lines)
        if (said := _SEPARATOR.fullmatch(first)) is not None:
            delimiter, first = delimiter or said[1], _first_line(lines)
        candidates = {each: _header(first, each) for each in ([delimiter] if delimiter else _DELIMITERS)}
        headers = {each: header for each, header in candidates.items() if header is not None}
        if not headers:
            raise InvalidArgumentError("file", "is not CSV: a quote in its first line does not end where a cell does")
        best = max(headers, key=lambda each: (recognised(headers[each]), len(headers[each])))
        return cls(headers[best], best, lines)

    def __iter__(self) -> Iterator[RawRow | RejectedRow]:
        """Give each row that is not blank."""
        reader = csv.reader(self._lines, strict=True, delimiter=self.delimiter, skipinitialspace=True)
        while True:
            line = self._lines.begin()
            try:
                cells = next(reader, None)
            except csv.Error as error:
                yield self._broken(line, error)
                continue
            if cells is None:
                return
            if any(cell.strip() for cell in cells):
                yield self._row(line, list(map(_plain, cells)))
            else:
                self.blank_rows += 1

    def _row(self, line: int, cells: list[str]) -> RawRow | RejectedRow:
        count, names = len(cells), len(self.header)
        if count < names or any(cells[names:]):
            reason = f"has {count} values where the header has {names} names"
            return RejectedRow(line, "-", reason, "quote the values that contain a delimiter")
        values: dict[str, str] = {}
        for name, cell in zip(self.header, cells, strict=False):
            values[name] = values.get(name) or cell
        return RawRow(line, values)

    def _broken(self, line: int, error: csv.Error) -> RejectedRow:
        if self._lines.go_back() or "unexpected end" in str(error):
            return RejectedRow(line, "-", "a quote opened here is never closed", "close it, or double it")
        return RejectedRow(line, "-", f"is not CSV: {error}", 'write a quote within a value twice: ""')


@define
class _Lines:
    """Lines that can be read again from the second one of a row, lest an open quote swallows the rows below it."""

    _source: Iterator[str]
    _again: deque[str] = field(factory=deque, init=False)
    _row: list[str] = field(factory=list, init=False)
    _read: int = field(default=0, init=False)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._source)
        self._row.append(line)
        self._read += 1
        return line

    def begin(self) -> int:
        """Begin a row; the number of its first line."""
        self._row.clear()
        return self._read + 1

    def go_back(self) -> bool:
        """Go back to the row's second line; whether there was one."""
        below = self._row[1:]
        self._again.extendleft(reversed(below))
        self._read -= len(below)
        return bool(below)


def _first_line(lines: _Lines) -> str:
    """The first line that is not blank, with the lines that its quoted names run on to."""
    text = next((line for line in lines if line.strip(" \t\r\n,;")), "")
    if not text:
        raise InvalidArgumentError("file", "is empty")
    for line in islice(lines, _LONGEST_HEADER) if text.count('"') % 2 else ():
        text += line
        if line.count('"') % 2:
            break
    return text


def _header(text: str, delimiter: str) -> list[str] | None:
    try:
        cells = next(csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter, skipinitialspace=True))
    except csv.Error:
        return None
    return [" ".join(cell.split()) for cell in cells]


def _plain(cell: str) -> str:
    """A cell without blanks around it, and without the apostrophe that keeps a spreadsheet from calculating it."""
    cell = cell.strip()
    return cell[1:] if _SAFE.match(cell) else cell
