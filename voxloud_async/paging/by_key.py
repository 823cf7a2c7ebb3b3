"""Lists in any other order: what was read is known by the keys of the rows.

A page that has a row in common with those read continues without a gap, as long as rows keep their order: what was
inserted or deleted in the meantime has shifted the page, not torn it off. Rows that change places from request to
request (anomaly T10) are found out, as they change places among the rows that two pages have in common.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from attrs import define, field

from ..errors import ConflictError
from .by_time import ByTime
from .order import Judged, Rows, Verdict, begins_as_expected
from .sequence import RecentSequence
from .source import Key

_REMEMBERED = 10_000
_MOST_SWAPS = 3  # pages in a row whose rows have changed places, without a page between them at which nothing moved
_MOST_VERIFICATIONS = 2
"""How often a last page that moved is read again: rows that change places show when more of them are compared."""

_OVERLAP = 3


@define
class ByKey:
    """What is known of a list in an unknown order.

    `known` are the keys of the rows read, of which `is_complete` says that none was forgotten. `frontier` has those
    furthest down the list, by which another read continues; `observed` those seen last, in the order in which they
    were seen. `is_searching`: the known rows are no longer where they were, and the list is searched for them from its
    start.
    """

    known: dict[Key, None] = field(factory=dict)
    is_complete: bool = True
    frontier: RecentSequence = field(factory=RecentSequence)
    is_searching: bool = False
    observed: RecentSequence = field(factory=RecentSequence)
    _swaps: int = 0
    _verifications: int = 0

    @classmethod
    def after(cls, anchors: Sequence[Key], position: int) -> Self:
        """Continue after so many rows, of which the last ones are given."""
        frontier, observed = RecentSequence(anchors, position), RecentSequence(anchors)
        return cls(dict.fromkeys(anchors), position == 0, frontier, observed=observed)

    @classmethod
    def taking_over(cls, order: ByTime, observed: Sequence[Key], position: int) -> Self:
        """Continue where a list turns out not to be in the order of time, after the rows observed last."""
        frontier = RecentSequence(order.sorted_keys(), position)
        return cls(dict.fromkeys(order.sorted_keys()), order.floor is None, frontier, observed=RecentSequence(observed))

    def overlap(self, size: int) -> int:
        """Several rows, as one or two of them may be deleted before the next request."""
        return min(_OVERLAP, size - 1)

    def judge(self, rows: Rows) -> Judged:
        """Judge a page by the rows it has in common with those read.

        Raises:
            ConflictError: rows change places from request to request.
        """
        if self.observed.contradicts(rows.keys):
            return self._swapped(rows)
        exact = begins_as_expected(rows)
        if exact:
            self._swaps = self._verifications = 0
        elif rows.is_last and not rows.is_first and self._verifications < _MOST_VERIFICATIONS:
            self._verifications += 1
            return Judged(Verdict.DOUBTFUL)
        furthest = self.frontier.anchors
        reaches = not furthest or not set(furthest).isdisjoint(rows.keys)
        return Judged(self._verdict(rows, exact=exact), self._new(rows.keys), exact, reaches)

    def accept(self, rows: Rows, judged: Judged, end: int) -> None:
        """Remember rows and where they stand in the list."""
        self.is_searching = self.is_searching and not self._has_known(rows.keys)
        if self.is_searching:
            return
        self.known.update((rows.keys[place], None) for place in judged.new if place < end)
        if rows.keys and not self.observed.overlaps(rows.keys):
            self.observed = RecentSequence()
        self.observed.extend(rows.keys[:end], rows.start + end)
        self.frontier.extend(rows.keys[:end], rows.start + end)
        if len(self.known) >= 2 * _REMEMBERED:
            self.known = dict.fromkeys(list(self.known)[-_REMEMBERED:])
            self.is_complete = False

    def _verdict(self, rows: Rows, *, exact: bool) -> Verdict:
        if exact or (self.is_searching and rows.keys):
            return Verdict.FOLLOWS
        if rows.is_first:
            self.is_searching = not self.is_complete and not self._has_known(rows.keys)
            return Verdict.FOLLOWS
        return Verdict.FOLLOWS if self._continues(rows) else Verdict.GAP

    def _continues(self, rows: Rows) -> bool:
        """Whether a page goes on from known rows, which have their places there."""
        if not rows.keys or not self.observed.overlaps(rows.keys):
            return False
        if self.is_complete or len(self.known) >= _REMEMBERED:
            return rows.keys[0] in self.known  # unless rows were inserted just there, or change places
        there = max(1, min(self.frontier.position - rows.start, len(rows.keys), len(self.known)))
        return sum(key in self.known for key in rows.keys) * 2 >= there

    def _swapped(self, rows: Rows) -> Judged:
        self._swaps += 1
        if self._swaps >= _MOST_SWAPS:
            raise ConflictError("rows change places from request to request, so that some may be missing")
        self.observed = RecentSequence(rows.keys)  # a single row that was moved is then where the next page has it
        return Judged(Verdict.GAP)

    def _has_known(self, keys: Sequence[Key]) -> bool:
        return any(key in self.known for key in keys)

    def _new(self, keys: Sequence[Key]) -> list[int]:
        """The places of unknown rows. What stands ahead of the first known one may have been read and forgotten."""
        is_past_known = self.is_complete
        seen: set[Key] = set()
        new = []
        for place, key in enumerate(keys):
            if key in self.known:
                is_past_known = True
            elif is_past_known and key not in seen:
                new.append(place)
            seen.add(key)
        return new
