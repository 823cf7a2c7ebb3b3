"""How a reader judges a page: which of its rows are new, and whether rows may have been skipped before it.

There are two implementations: `ByTime` for lists in the order of their rows' times, `ByKey` for all others.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from typing import Any

from attrs import define, field, frozen

from .epoch import Microseconds
from .source import Key


class Verdict(Enum):
    """What a page is worth to a reader."""

    FOLLOWS = auto()
    """No row that was there all the time was skipped before it."""
    GAP = auto()
    """Rows may have been skipped: read again from further up."""
    DOUBTFUL = auto()
    """A last page at which rows have moved: read it again with more of the known rows."""
    TIE = auto()
    """The same, and the page begins amid rows of one moment, whose order proves nothing (anomaly T10)."""
    BEGINS_LATE = auto()
    """An interval that was to begin with known rows begins after them: let it begin earlier."""
    BEGINS_EARLY = auto()
    """An interval begins so long before the known rows that the service seems to ignore its bounds (anomaly T5)."""
    UNORDERED = auto()
    """The rows are not in the order of their times: read the list by key."""


@frozen
class Rows:
    """The rows of a page as an order sees them.

    `start` is the position of the first one. `expected` are the keys of the rows that were at the page's positions
    before; None where that is not known.
    `is_first` is True for the first page of the list or interval, `is_last` where the service says so. `is_confirmed`
    says of a first page that several in a row lacked the rows read before.
    """

    items: Sequence[Any]
    keys: Sequence[Key]
    start: int
    expected: Sequence[Key] | None
    is_first: bool
    is_last: bool
    is_confirmed: bool


@define
class Judged:
    """The result: the verdict, the places of the rows that are new, and the rows' ranks where they have any.

    `is_exact` says that the page begins with just the expected rows, so that nothing moved; `reaches` that it extends
    to the furthest known row or beyond.
    """

    verdict: Verdict
    new: Sequence[int] = ()
    is_exact: bool = False
    reaches: bool = False
    ranks: Sequence[Microseconds] = field(factory=list)


def begins_as_expected(rows: Rows) -> bool:
    """Return True if a page begins with just the rows that were at its positions before."""
    expected = rows.expected
    if not expected:
        return expected is not None and not rows.items
    return list(rows.keys[: len(expected)]) == list(expected)
