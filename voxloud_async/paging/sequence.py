"""The last rows of a list that is read by key, in the order of the list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Set as AbstractSet
from itertools import pairwise

from attrs import define, field

from .source import Key

ANCHORS = 8
"""Rows, among which one is still there when another read continues after them."""

_LONGEST = 400


def _single(keys: Sequence[Key]) -> set[Key]:
    return {key for key, times in Counter(keys).items() if times == 1}


def _list(keys: Sequence[Key]) -> list[Key]:
    return [*keys][-_LONGEST:]


@define
class RecentSequence:
    """Keys in the order of the list, the furthest last.

    `position` is the number of rows of the list up to the furthest one. A page may end before the furthest row, as rows
    were inserted ahead of it; or the rows beyond the page may be gone. It is unknown which, so both are kept as
    anchors: all from the last row that page and sequence have in common.
    """

    _keys: list[Key] = field(factory=list, converter=_list)
    position: int = 0
    _anchors: int = field(default=_LONGEST, init=False)

    @property
    def anchors(self) -> list[Key]:
        """The keys by which the place in the list is found again."""
        return self._keys[-self._anchors :]

    def overlaps(self, keys: Sequence[Key]) -> bool:
        """Return True if a page has a row of the sequence."""
        return not set(self._keys).isdisjoint(keys)

    def contradicts(self, keys: Sequence[Key]) -> bool:
        """Return True if a page has rows of the sequence in another order."""
        once = _single(self._keys) & _single(keys)  # rows without an id may be alike
        places = {key: place for place, key in enumerate(self._keys)}
        return any(a > b for a, b in pairwise(places[key] for key in keys if key in once))

    def extend(self, keys: Sequence[Key], end: int) -> None:
        """Add the keys of a page that ends at a position."""
        page = set(keys)
        common = page.intersection(self._keys)
        if not keys or (self._keys and not common):  # a page further up, before which nothing is read again
            return
        ahead, between, beyond = self._others(common)
        merged = [*ahead, *(each for key in keys for each in (key, *between.get(key, ())))]
        there = [place for place, key in enumerate(merged) if place < len(ahead) or key in page]
        least = there[-ANCHORS:][0]
        if beyond:
            least = min(least, max(place for place, key in enumerate(merged) if key in common))
        self._anchors = len(merged) - least + len(beyond)
        self._keys = [*merged, *beyond][-_LONGEST:]
        self.position = end + len(beyond)

    def _others(self, common: AbstractSet[Key]) -> tuple[list[Key], dict[Key, list[Key]], list[Key]]:
        """The keys that a page lacks: those ahead of it, those after one of its own, and those beyond all of them.

        Of two pages requested at once the later one may have been answered first, before a row was inserted.
        """
        ahead: list[Key] = []
        between: dict[Key, list[Key]] = {}
        run = ahead
        for key in self._keys:
            if key in common:
                run = between.setdefault(key, [])
            else:
                run.append(key)
        beyond = [] if run is ahead else list(run)
        if run is not ahead:
            run.clear()
        return ahead, between, beyond
