"""Rows of contacts out of CSV and NDJSON files, read one by one, each checked as the client would check it."""

from __future__ import annotations

import codecs
import csv
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Literal

from attrs import define, field, frozen

from ..errors import ArgumentTypeError, InvalidArgumentError
from ..protocol import jsontext
from ..resources.contact_fields import ContactFields, whole

InputFormat = Literal["csv", "ndjson"]

FIELDS = tuple(ContactFields.__annotations__)
NO_SUCH_FIELD = "a contact has no such field"
REQUIRED = ("first_name", "primary_phone")
_DELIMITERS = ";\t|,"
_LISTS = frozenset({"phones", "emails"})
_SUFFIXES: dict[str, InputFormat] = {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson"}
_BOM = b"\xef\xbb\xbf"


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


@frozen
class Row:
    """A contact to create, from this line of the file."""

    line: int
    fields: dict[str, Any]


@frozen
class Fault:
    """Why the row that begins at this line cannot be sent; `field` is "-" where it is no field's fault."""

    line: int
    field: str
    reason: str


def format_of(path: Path) -> InputFormat:
    """The format that a file's name tells; ValueError where it tells none."""
    try:
        return _SUFFIXES[path.suffix.lower()]
    except KeyError:
        raise ValueError("the file's name tells no format: say --input-format csv or ndjson") from None


def read_rows(file: BinaryIO, input_format: InputFormat, *, delimiter: str = ",") -> Iterator[Row | Fault]:
    """The rows of a file that was opened for bytes; ValueError where its header is none."""
    rows = _csv_rows(file, delimiter) if input_format == "csv" else _ndjson_rows(file)
    return (_checked(row) if isinstance(row, Row) else row for row in rows)


def _checked(row: Row) -> Row | Fault:
    for name, value in row.fields.items():
        if name not in FIELDS:
            return Fault(row.line, name, NO_SUCH_FIELD)
        if not _is_unicode(value):
            return Fault(row.line, name, "is not UTF-8")
    try:
        whole(row.fields)
    except (ArgumentTypeError, InvalidArgumentError) as error:
        return Fault(row.line, error.place, error.reason)
    return row


def _is_unicode(value: object) -> bool:
    try:
        jsontext.dumps(value)
    except ValueError:
        return False
    return True


def _csv_rows(file: BinaryIO, delimiter: str) -> Iterator[Row | Fault]:
    # Bytes that are no UTF-8 become surrogates, so that they spoil their own row and not the file.
    lines = _Lines(codecs.iterdecode(file, "utf-8-sig", errors="surrogateescape"))
    reader = csv.reader(lines, strict=True, delimiter=delimiter)
    return _rows_below(_header(reader), reader, lines)


def _rows_below(header: Sequence[str], reader: Iterator[list[str]], lines: _Lines) -> Iterator[Row | Fault]:
    while True:
        line = lines.begin()
        try:
            cells = next(reader, None)
        except csv.Error as error:
            unclosed = lines.go_back() or "unexpected end" in str(error)
            yield Fault(line, "-", "a quote opened here is never closed" if unclosed else f"is no CSV: {error}")
            continue
        if cells is None:
            return
        if len(cells) == len(header):
            yield Row(line, dict(_fields(header, cells)))
        elif cells:
            yield Fault(line, "-", f"has {len(cells)} values where the header has {len(header)} names")


def _header(reader: Iterator[list[str]]) -> list[str]:
    try:
        header = [name.strip() for name in next(reader, ())]
    except csv.Error as error:
        raise ValueError(f"the first line is no CSV: {error}") from None
    if not header:
        raise ValueError("the file is empty, or its first line is")
    if set(FIELDS).isdisjoint(header):
        raise ValueError(_no_field(header))
    if len(set(header)) < len(header):
        raise ValueError("the first line names a column twice")
    return header


def _no_field(header: Sequence[str]) -> str:
    text = "".join(header)
    for delimiter in _DELIMITERS:
        if not set(FIELDS).isdisjoint(name.strip(' "') for name in text.split(delimiter)):
            return f"the first line stands in one cell: say --delimiter {delimiter!r}"
    others = (name for name in FIELDS if name not in REQUIRED)
    return f"the first line names no field of a contact: {', '.join([*REQUIRED, *others])}"


def _fields(header: Sequence[str], cells: Sequence[str]) -> Iterator[tuple[str, Any]]:
    for name, cell in zip(header, cells, strict=True):
        if cell:
            yield name, [part.strip() for part in cell.split(";") if part.strip()] if name in _LISTS else cell


def _ndjson_rows(file: Iterable[bytes]) -> Iterator[Row | Fault]:
    for line, text in enumerate(file, 1):
        content = text.removeprefix(_BOM) if line == 1 else text
        if content.strip():
            yield _ndjson_row(line, content)


def _ndjson_row(line: int, text: bytes) -> Row | Fault:
    try:
        value = jsontext.loads(text)
    except ValueError:
        return Fault(line, "-", "is no JSON")
    if not isinstance(value, dict):
        return Fault(line, "-", "is no JSON object")
    return Row(line, value)
