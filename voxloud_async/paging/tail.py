"""The last rows of a read as they stand in the list, by which it may go on another day."""

from __future__ import annotations

from collections.abc import Sequence, Set as AbstractSet

from attrs import define, field

from .seam import Key

_ANCHORS = 8  # rows: among them one that is still there when the list goes on
_LONGEST = 400


@define
class Tail:
    """Keys in the order of the list, the furthest last; `position` is how many rows stood before the list's next.

    A page may end behind the furthest row, since rows arrived ahead of it; or the rows beyond it may be gone. Which of
    the two cannot be told, so that both readings are kept: all from the last row that page and tail have in common.
    """

    position: int = 0
    _keys: list[Key] = field(factory=list)
    _anchors: int = field(default=_LONGEST, init=False)

    def extend(self, keys: Sequence[Key], end: int) -> None:
        """Take the keys of a page that ends at this position."""
        page = set(keys)
        common = page.intersection(self._keys)
        if not keys or (self._keys and not common):
            return
        ahead, between, beyond = self._own(common)
        merged = [*ahead, *(each for key in keys for each in (key, *between.get(key, ())))]
        there = [place for place, key in enumerate(merged) if place < len(ahead) or key in page]
        least = there[-_ANCHORS:][0]
        if beyond:
            least = min(least, max(place for place, key in enumerate(merged) if key in common))
        self._anchors = len(merged) - least + len(beyond)
        self._keys = [*merged, *beyond][-_LONGEST:]
        self.position = end + len(beyond)

    def anchors(self) -> list[Key]:
        """The rows to know the place again by."""
        return self._keys[-self._anchors :]

    def _own(self, common: AbstractSet[Key]) -> tuple[list[Key], dict[Key, list[Key]], list[Key]]:
        """The keys that a page lacks: those ahead of it, those after one of its own, and those beyond all of them.

        Of two pages that were asked for at once the later one may have been answered first, before a row arrived.
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
