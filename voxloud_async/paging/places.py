"""Where the pages of a list stand, and how to ask for those that reach a little back over the page before.

A page that starts with rows of the page before proves that none slipped by in between: with rows deleted ahead of it,
it would start further on. So every page but the first overlaps.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from attrs import define, field, frozen

from ..protocol.page import Page

OVERLAP = 3
"""Rows of the page before. Two would do, were it not for records of one moment, whose order proves nothing."""

LEAST = 16
"""Rows: smaller pages have no room for an overlap, and no service caps them."""

_SIZES = 64  # how far below the one wanted a size is tried


@frozen
class Window:
    """The stretch of a list that positions count in: moments, both included; None leaves a side as the query has it."""

    since: datetime | None = None
    until: datetime | None = None


@frozen
class Ask:
    """A page to ask for: `size` rows from `start` on, the rows before `position` being known.

    `number` is what the service calls such a page; None where it counts rows, and for the first page.
    """

    window: Window
    position: int
    start: int
    size: int
    number: int | None = None


class Places(Protocol):
    """How a service addresses the pages of a list."""

    most: int
    """Rows that may be asked for at once."""

    def ask(self, window: Window, position: int, size: int) -> Ask:
        """The page that goes on at a position, overlap included."""
        ...

    def relearn(self, ask: Ask, page: Page[object]) -> bool:
        """Compare where an answer claims to be with what was asked; whether the next ask will differ."""
        ...


@define
class Offsets:
    """Contacts are addressed by the number of rows before them."""

    most: int

    def ask(self, window: Window, position: int, size: int) -> Ask:
        """So many rows, and the overlap beside."""
        start = max(0, position - OVERLAP)
        return Ask(window, position, start, min(self.most, size + position - start))

    def relearn(self, ask: Ask, page: Page[object]) -> bool:  # noqa: ARG002 - one of two ways
        """An offset leaves nothing open."""
        return False


@define
class Numbers:
    """Telephony events are addressed by the number of their page, so that its size decides where it starts.

    `_first` is the number that the first page tells, `_base` the one to ask for it with: from 0 both, or from 1 both,
    or one and the other (anomaly T9). The first page is asked for without a number.
    """

    most: int
    _first: int = field(default=0, init=False)
    _base: int = field(default=0, init=False)
    _sure: bool = field(default=False, init=False)

    def ask(self, window: Window, position: int, size: int) -> Ask:
        """The page of the size whose multiples fit best: neither much overlap nor much more than is wanted."""
        index, size = (0, size) if position == 0 else self._best(position, size)
        number = index + self._base if index else None
        return Ask(window, position, index * size, size, number)

    def relearn(self, ask: Ask, page: Page[object]) -> bool:
        """How the service counts, by the number that the answer tells."""
        if page.number is None or self._sure:
            return False
        if ask.number is None:
            self._first = self._base = 1 if page.number == 1 else 0
            return False
        base = ask.number - (page.number - self._first)
        self._sure = base in {0, 1}
        changed = self._sure and base != self._base
        self._base = base if changed else self._base
        return changed

    def _best(self, position: int, size: int) -> tuple[int, int]:
        wanted = min(self.most, max(size, LEAST))
        largest = min(self.most, wanted + max(LEAST // 2, wanted // 4))
        sizes = range(largest, max(wanted - _SIZES, wanted // 2, 1) - 1, -1)
        gain, negative_size = max((min(_gain(position, each), wanted), -each) for each in sizes)
        if gain > 0:
            return _index(position, -negative_size), -negative_size
        return position // wanted, wanted  # no room for an overlap


def _index(position: int, size: int) -> int:
    return max(0, position - OVERLAP) // size


def _gain(position: int, size: int) -> int:
    return (_index(position, size) + 1) * size - position
