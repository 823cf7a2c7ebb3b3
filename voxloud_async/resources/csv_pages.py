"""Joins CSV pages whose dialect nobody documented: one header, columns aligned, nothing dropped (anomaly T12)."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from attrs import define, field, frozen

from .._tracebacks import without_frames
from ..errors import DecodeError
from ..models import EventType
from ..paging.source import Key, digest_of
from ..protocol.codec.scalars import moment
from ..protocol.page import Page
from .csv_rows import COLUMNS, EXTRA

_DELIMITERS = (",", ";", "\t", "|")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NAMES = frozenset({"timestamp", "callid"})
_TELLING = _NAMES | {kind.replace("_", "").casefold() for kind in EventType}


class NoHeaderError(DecodeError):
    """The CSV has no header line, and no documentation says what its columns are."""


@frozen
class CsvRow:
    """The cells of a row, and under which names its page has them."""

    cells: tuple[str, ...]
    header: tuple[str, ...]
    key: Key
    """Its type and id, or a digest of all of it."""
    timestamp: datetime | None


@frozen
class _Dialect:
    delimiter: str = ","
    line_end: str = "\r\n"

    @classmethod
    def of(cls, text: str) -> _Dialect:
        lines = io.StringIO(text, newline="")
        first = next((line for line in lines if line.strip()), "")
        rows = [first, *lines] if '"' in first else [first]  # a cell may go on in the next line
        is_unix = first.endswith("\n") and not first.endswith("\r\n")
        # A text may have more commas than its row has semicolons.
        delimiter = max(_DELIMITERS, key=lambda each: (_is_told_by(each, rows), first.count(each)))
        return cls(delimiter, "\n" if is_unix else "\r\n")

    def line(self, cells: Sequence[str]) -> str:
        text = io.StringIO(newline="")
        # Written so, a lone carriage return is quoted as well.
        csv.writer(text, delimiter=self.delimiter, lineterminator="\r\n").writerow(cells)
        return text.getvalue()[:-2] + self.line_end


@define
class CsvPages:
    """Reads page after page, and writes rows under the columns and in the dialect of the first."""

    columns: tuple[str, ...] = field(default=(), init=False)
    """Those of the whole: the first page's, then the documented ones it lacks, then the one for what fits nowhere."""
    _dialect: _Dialect | None = field(default=None, init=False)
    _header: tuple[str, ...] | None = field(default=None, init=False)

    @without_frames
    def read(self, text: str) -> Page[CsvRow]:
        """Return the rows of a page, which says nothing of the rest; raises DecodeError for what is no CSV."""
        dialect = self._dialect or _Dialect.of(text)
        try:
            lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=dialect.delimiter))
        except csv.Error:  # its text may show a cell
            raise DecodeError("a CSV page cannot be read") from None
        table = [tuple(cells) for cells in lines if len(cells) > 1 or "".join(cells).strip()]
        header = table.pop(0) if table and _is_header(table[0]) else None
        if table and header is None and self._header is None:
            raise NoHeaderError("a CSV page has no header line")
        if self._dialect is None:
            self._begin(dialect, header)
        return Page(items=tuple(_rows(table, header or self._header or ())))

    def head(self) -> str:
        """Return the header line of the whole; nothing where no page has any row."""
        return self._line(self.columns) if self.columns else ""

    def lines(self, rows: Iterable[CsvRow]) -> str:
        """The rows as text."""
        return "".join(self._line(self._aligned(row)) for row in rows)

    def _begin(self, dialect: _Dialect, header: tuple[str, ...] | None) -> None:
        self._dialect, self._header = dialect, header
        self.columns = () if header is None else _completed(header)

    def _line(self, cells: Sequence[str]) -> str:
        return (self._dialect or _Dialect()).line(cells)

    def _aligned(self, row: CsvRow) -> Sequence[str]:
        own = {_key(name): cell for name, cell in _named(row)}
        cells = [own.pop(_key(name), "") for name in self.columns]
        strange = {name: cell for name, cell in _named(row) if _key(name) in own and cell}
        if strange:
            cells[-1] = _with(cells[-1], strange)
        return cells


def _rows(table: Iterable[tuple[str, ...]], header: tuple[str, ...]) -> Iterable[CsvRow]:
    places = {_key(name): place for place, name in enumerate(header)}
    for cells in table:
        identifier, kind, at = (_cell(cells, places.get(name)) for name in ("id", "type", "timestamp"))
        key = f"{kind} {identifier}" if identifier else digest_of(cells)
        yield CsvRow(cells, header, key, _moment(at))


def _cell(cells: tuple[str, ...], place: int | None) -> str:
    return cells[place] if place is not None and place < len(cells) else ""


def _moment(text: str) -> datetime | None:
    try:
        return moment(text)
    except ValueError:
        return None


def _named(row: CsvRow) -> Iterable[tuple[str, str]]:
    """The cells under their names, and those beyond the header under their numbers from 1."""
    names = row.header[: len(row.cells)]
    beyond = range(len(names), len(row.cells))
    return zip((*names, *(f"column {place + 1}" for place in beyond)), row.cells, strict=True)


def _with(held: str, strange: Mapping[str, str]) -> str:
    """A cell of `extra` and what is to stand there as well."""
    return json.dumps({**({"": held} if held else {}), **strange}, ensure_ascii=False)


def _is_told_by(delimiter: str, lines: Iterable[str]) -> bool:
    """Whether it makes a cell of the first row what only a cell of its own can be: a column's name, or a type."""
    try:
        cells = next(csv.reader(lines, delimiter=delimiter), [])
    except csv.Error:
        return False
    return not _TELLING.isdisjoint(map(_key, cells))


def _is_header(cells: Sequence[str]) -> bool:
    # No cell of a row reads like the name of its column.
    return not _NAMES.isdisjoint(map(_key, cells))


def _completed(header: tuple[str, ...]) -> tuple[str, ...]:
    """The columns of a page, then the documented ones it lacks, spelled as its own are, then `extra`."""
    there = set(map(_key, header))
    lacking = [name for name in COLUMNS if _key(name) not in there]
    is_snake = not any(_HUMP.search(name) for name in header)
    spelled = (_HUMP.sub("_", name).lower() if is_snake else name for name in lacking)
    return (*(name for name in header if name != EXTRA), *spelled, EXTRA)


def _key(name: str) -> str:
    return name.replace("_", "").strip().casefold()
