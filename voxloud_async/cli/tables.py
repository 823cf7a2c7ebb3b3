"""Tables for people: as wide as the terminal, a row at a time, and no number or id cut off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TextIO

from attrs import frozen
from rich.cells import cell_len, set_cell_size

from .speech import printable
from .writers import Row, to_json

_GAP = "  "
_NARROWEST = 8
_MOMENTS = ("timestamp", "died")
_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"

_Layout = list[list[tuple[int, int]]]
"""For each line of a row, its columns by number and their widths."""


@frozen
class Column:
    """A column of a table: the values at these places (`a.b` is `b` within `a`), at least `width` cells wide.

    One of width 0 takes what room is left, and is cut where that is too little; so is another where it may be `cut`.
    """

    title: str
    places: tuple[str, ...]
    width: int = 0
    cut: bool = False

    def text(self, row: Row) -> str:
        """The column's text in a row."""
        return " ".join(filter(None, (table_cell(_at(row, place)) for place in self.places)))

    def need(self, text: str) -> int:
        """The cells that a text needs at least."""
        if self.width and not self.cut:
            return max(self.width, cell_len(text))
        return self.width or _NARROWEST


class TableWriter:
    """A table of fixed widths, so that the first row need not wait for the last.

    Columns that do not fit the width go to a second line of each row. A text that is longer than its column, and may
    not be cut, gets room from the others in its row.
    """

    def __init__(self, out: TextIO, columns: Sequence[Column], *, width: int) -> None:
        self._out = out
        self._columns = columns
        self._width = width
        self._usual = [column.need("") for column in columns]
        titles = self._lines([column.title for column in columns], self._usual)
        out.writelines(f"{_BOLD}{line}{_PLAIN}\n" if out.isatty() else f"{line}\n" for line in titles)

    def write(self, row: Row) -> None:
        """Write one row."""
        texts = [column.text(row) for column in self._columns]
        needs = [column.need(text) for column, text in zip(self._columns, texts, strict=True)]
        self._out.writelines(f"{line}\n" for line in self._lines(texts, needs))

    def end(self) -> None:
        """Nothing follows."""

    def _lines(self, texts: Sequence[str], needs: Sequence[int]) -> list[str]:
        first, *more = (
            _GAP.join(_fit(texts[place], width) for place, width in line).rstrip() for line in self._layout(needs)
        )
        return [first, *(_GAP + line for line in more if line)]

    def _layout(self, needs: Sequence[int]) -> _Layout:
        lines: list[list[int]] = [[]]
        room = self._width
        for place, need in enumerate(needs):
            if lines[-1] and need > room:
                lines.append([])
                room = self._width - len(_GAP)
            lines[-1].append(place)
            room -= need + len(_GAP)
        return [self._filled(line, needs, self._width - len(_GAP) * bool(number)) for number, line in enumerate(lines)]

    def _filled(self, line: Sequence[int], needs: Sequence[int], width: int) -> list[tuple[int, int]]:
        """Share out the room that a line has left among its columns of width 0."""
        left = width - sum(needs[place] + len(_GAP) for place in line) + len(_GAP)
        flexible = [place for place in line if not self._columns[place].width]
        share = max(0, left) // max(1, len(flexible))
        return [(place, needs[place] + share * (place in flexible)) for place in line]


def write_fields(out: TextIO, row: Row) -> None:
    """One object for people: a field a line."""
    width = max(map(len, row), default=0)
    out.writelines(f"{name:<{width}}{_GAP}{table_cell(value)}\n" for name, value in row.items())


def table_cell(value: object) -> str:
    """A value as people read it, which cannot steer a terminal."""
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
    """A time in the zone of the terminal; what is none, in a record that does not fit, stays as it is."""
    if not isinstance(value, str):
        return value
    try:
        return datetime.fromisoformat(value).astimezone().strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError):
        return value


def _fit(text: str, width: int) -> str:
    sized = set_cell_size(text, width)
    return sized if sized.rstrip() == text.rstrip() else set_cell_size(text, width - 1) + "\N{HORIZONTAL ELLIPSIS}"
