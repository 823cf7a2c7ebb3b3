"""A file of contacts, from its name to rows that can be sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from shutil import copyfileobj
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import BinaryIO, Literal, Self, cast

from ..errors import InvalidArgumentError
from ..resources.contact_fields import FIELDS
from . import objects
from .columns import NAME, Columns, assigned, checked_map, recognised
from .contacts import contact_of, meant
from .numbers import number_reader
from .rows import ContactRow, RejectedRow
from .tables import Table
from .text import open_text

FileFormat = Literal["csv", "ndjson", "json"]

_SUFFIXES: dict[str, FileFormat] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".json": "json",
}

_IN_MEMORY = 1 << 20
"""Bytes of a copy that are not yet written to a disk."""


class ContactFile:
    """The contacts of a file, to iterate over once.

    The file stays open until the end of the `with` block. Memory holds one row at a time, except of `json`, which is
    read whole. A file object that cannot seek is copied to a temporary file first.

    Each row is a `ContactRow` or a `RejectedRow`; blank rows are counted and otherwise skipped. Where no column holds
    first and last names, one for the full name is split at its first blank.
    """

    def __init__(
        self,
        file: str | Path | BinaryIO,
        *,
        format: FileFormat | None = None,  # noqa: A002 - what it is called everywhere
        columns: Mapping[str, str] | None = None,
        region: str | None = None,
        encoding: str | None = None,
        delimiter: str | None = None,
    ) -> None:
        """Open a file and read its header.

        Args:
            file: A path, or a file that was opened for bytes, which is read from where it is and stays open.
            format: By default what the name ends with: .csv, .tsv, .ndjson, .jsonl or .json.
            columns: Fields by the names of columns, for those that are not recognised or not as wanted: a field of
                `ContactFields`, `"name"` for a full name, or `""` to ignore the column.
            region: The country whose national numbers the file holds, such as `"IT"` (needs the extra `cli`). Without
                it a national number is rejected.
            encoding: By default found: UTF-8, UTF-16 or cp1252.
            delimiter: By default found: a comma, semicolon, tab or vertical bar.

        Raises:
            ValueError: an argument does not fit, or the header names no column for a required field.
            ImportError: `region` needs phonenumbers, which is not installed.
            OSError: the file cannot be opened.
        """
        self._chosen = _format_of(file) if format is None else format
        if self._chosen not in _SUFFIXES.values():
            raise InvalidArgumentError("format", "must be csv, ndjson or json")
        if delimiter is not None:
            _check_delimiter(delimiter)
        self._mapped = checked_map(columns or {})
        self._read_number = number_reader(region)
        self._known: dict[tuple[str, ...], Columns] = {}
        self.columns: dict[str, str] = {}
        """The field of each column that has one."""
        self.ignored: list[str] = []
        """Columns whose values are not used, each once; of JSON, those seen so far."""
        with ExitStack() as stack:
            self._text, self.encoding = open_text(_seekable(file, stack), encoding)
            stack.callback(self._text.detach)  # which would close a file that was given open
            self.delimiter: str | None = None
            """What separates the cells of CSV."""
            self._rows = self._opened(delimiter)
            self._stack = stack.pop_all()

    @property
    def blank_rows(self) -> int:
        """Rows without any value, so far."""
        return self._rows.blank_rows

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, unless it was given open."""
        self._stack.close()

    def __iter__(self) -> Iterator[ContactRow | RejectedRow]:
        """Read the rows, one after the other."""
        for row in self._rows:
            if isinstance(row, RejectedRow):
                yield row
            else:
                yield contact_of(row, self._columns_of(tuple(row.values)), self._read_number, self.encoding)

    def _opened(self, delimiter: str | None) -> Table | objects.Lines | objects.Array:
        if self._chosen == "ndjson":
            return objects.Lines(self._text)
        if self._chosen == "json":
            return objects.Array(self._text)
        table = Table.begin(self._text, delimiter, lambda names: recognised(names, self._mapped))
        self.delimiter = table.delimiter
        _check_header(table.header, self._columns_of(tuple(table.header)), self._mapped)
        return table

    def _columns_of(self, names: tuple[str, ...]) -> Columns:
        """The columns of a row; of CSV, always those of the header."""
        if names not in self._known:
            columns = self._known[names] = assigned(names, self._mapped)
            self.columns |= {name: target for target, sources in columns.sources.items() for name in sources}
            self.ignored.extend(name for name in columns.ignored if name not in self.ignored)
        return self._known[names]


def _seekable(file: str | Path | BinaryIO, stack: ExitStack) -> BinaryIO:
    if isinstance(file, str | Path):
        return stack.enter_context(Path(file).open("rb"))
    if file.seekable():
        return file
    copy = stack.enter_context(SpooledTemporaryFile(max_size=_IN_MEMORY))  # noqa: SIM115 - the stack is one
    copyfileobj(file, copy)
    copy.seek(0)
    return cast("BinaryIO", copy)


def _format_of(file: str | Path | BinaryIO) -> FileFormat:
    suffix = Path(file).suffix.lower() if isinstance(file, str | Path) else ""
    if suffix not in _SUFFIXES:
        raise InvalidArgumentError("format", f"must be given, as the name ends with none of {', '.join(_SUFFIXES)}")
    return _SUFFIXES[suffix]


def _check_delimiter(delimiter: object) -> None:
    if not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '"\r\n':
        raise InvalidArgumentError("delimiter", "must be one character, and no quote")


def _check_header(header: Sequence[str], columns: Columns, mapped: Mapping[str, str]) -> None:
    """Raise ValueError where a header lacks a required field, or what it says is ambiguous."""
    if not columns.sources:
        raise InvalidArgumentError("file", f"names no field of a contact in its first line ({', '.join(FIELDS)})")
    for name in mapped:
        if name not in header:
            raise InvalidArgumentError("columns", f"names {name!r}, which is not a column of the file")
    for name in dict.fromkeys(header):
        if header.count(name) > 1 and any(name in sources for sources in columns.sources.values()):
            raise InvalidArgumentError("file", f"names the column {name!r} twice")
    for name, near in columns.misspelt.items():
        raise InvalidArgumentError("file", f"has a column {name!r}, {meant(near)}")
    for target, sources in (("first_name", {"first_name", NAME}), ("primary_phone", {"primary_phone"})):
        if sources.isdisjoint(columns.sources):
            raise InvalidArgumentError("file", f"has no column that is recognised as {target}: map one to it")
