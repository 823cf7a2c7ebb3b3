"""Rows of contacts out of CSV and NDJSON files, read one by one, each checked as the client would check it."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Literal, Protocol

from attrs import frozen

from ..protocol import jsontext
from ..resources.contacts import ContactFields, whole

InputFormat = Literal["csv", "ndjson"]

FIELDS = tuple(ContactFields.__annotations__)
_LISTS = frozenset({"phones", "emails"})
_SUFFIXES: dict[str, InputFormat] = {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson"}
_BOM = b"\xef\xbb\xbf"


class _Reader(Protocol):
    """What `csv.reader` gives."""

    line_num: int

    def __iter__(self) -> Iterator[list[str]]: ...

    def __next__(self) -> list[str]: ...


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
            return Fault(row.line, name, "a contact has no such field")
        if not _is_unicode(value):
            return Fault(row.line, name, "is not UTF-8")
    try:
        whole(row.fields)
    except (TypeError, ValueError) as error:
        name, _, reason = str(error).partition(" ")  # such an error begins with the name of its argument
        return Fault(row.line, name, reason)
    return row


def _is_unicode(value: object) -> bool:
    try:
        jsontext.dumps(value)
    except UnicodeEncodeError:
        return False
    return True


def _csv_rows(file: BinaryIO, delimiter: str) -> Iterator[Row | Fault]:
    # Bytes that are no UTF-8 become surrogates, so that they spoil their own row and not the file.
    lines = codecs.iterdecode(file, "utf-8-sig", errors="surrogateescape")
    reader = csv.reader(lines, strict=True, delimiter=delimiter)
    return _rows_below(_header(reader), reader)


def _rows_below(header: Sequence[str], reader: _Reader) -> Iterator[Row | Fault]:
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield Fault(line, "-", f"is no CSV: {error}")
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
    if set(FIELDS).isdisjoint(header):
        raise ValueError(f"the first line names no field of a contact: {', '.join(FIELDS)}")
    if len(set(header)) < len(header):
        raise ValueError("the first line names a column twice")
    return header


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
