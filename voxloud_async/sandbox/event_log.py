"""All telephony events in order of time: the seeded ones, made when asked for, and what happened or changed since."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from attrs import frozen

from .records import Row
from .town.calls import FIRST_ID, CallRecords

_MEMORY = 64
"""Filters whose rows are remembered between the pages of a query."""


@frozen(kw_only=True)
class RowFilter:
    """Which rows are meant: those of a number, in which of its places and how compared, and not those of a kind."""

    number: str | None = None
    suffix: bool = False
    originator: bool = True
    destination: bool = True
    without: str | None = None

    @property
    def lets_all_pass(self) -> bool:
        """Whether there is nothing to look at."""
        return self.number is None and self.without is None

    def lets_pass(self, kind: str, originator: str, destination: str) -> bool:
        """Whether a row with these values is meant."""
        if kind == self.without:
            return False
        if self.number is None:
            return True
        return (self.originator and self._same(self.number, originator)) or (
            self.destination and self._same(self.number, destination)
        )

    def _same(self, wanted: str, number: str) -> bool:
        if number == wanted:
            return True
        mine, other = _digits(wanted), _digits(number)
        return self.suffix and bool(mine and other) and (mine.endswith(other) or other.endswith(mine))


class EventLog:
    """Rows by id. Whoever holds one may add, change and remove rows at any time."""

    def __init__(self, seeded: CallRecords) -> None:
        self._seeded = seeded
        self._changed: dict[int, Row] = {}
        self._removed: set[int] = set()
        self._order: Sequence[int] = range(FIRST_ID, FIRST_ID + len(seeded))
        self._next_id = FIRST_ID + len(seeded)
        self._matches: dict[RowFilter, list[int]] = {}

    def __len__(self) -> int:
        return len(self._order)

    def __contains__(self, event_id: int) -> bool:
        return FIRST_ID <= event_id < self._next_id and event_id not in self._removed

    def __getitem__(self, event_id: int) -> Row:
        """A copy of the row; KeyError when there is none."""
        if event_id not in self:
            raise KeyError(event_id)
        changed = self._changed.get(event_id)
        return self._seeded.row(event_id - FIRST_ID) if changed is None else dict(changed)

    @property
    def ids(self) -> Sequence[int]:
        """Every id, oldest event first."""
        return self._order

    def moment(self, event_id: int) -> int:
        """The timestamp of a row that exists or existed, milliseconds."""
        changed = self._changed.get(event_id)
        return self._seeded.moment(event_id - FIRST_ID) if changed is None else int(changed["timestamp"])

    def append(self, row: Row) -> int:
        """Add a row under the next id, which is returned; its `timestamp` decides its place."""
        event_id = self._next_id
        self._next_id += 1
        self._put(event_id, row)
        return event_id

    def replace(self, event_id: int, row: Row) -> None:
        """Put another row in place of this one; KeyError when there is none."""
        self.remove(event_id)
        self._put(event_id, row)

    def remove(self, event_id: int) -> None:
        """Take a row out; KeyError when there is none."""
        if event_id not in self:
            raise KeyError(event_id)
        place = bisect_left(self._order, self.moment(event_id), key=self.moment)
        place += self._order[place:].index(event_id)
        self._order = [*self._order[:place], *self._order[place + 1 :]]
        self._removed.add(event_id)
        self._matches.clear()

    def select(self, *, start: int | None, end: int | None, only: RowFilter) -> Sequence[int]:
        """Ids of the rows from `start` up to, not including, `end`, oldest first; None leaves a side open."""
        ids = self._order if only.lets_all_pass else self._matching(only)
        first = 0 if start is None else bisect_left(ids, start, key=self.moment)
        stop = len(ids) if end is None else bisect_left(ids, end, key=self.moment)
        return ids[first:stop]

    def of_call(self, call_id: str) -> list[int]:
        """Ids of the rows of a call, oldest first."""
        seeded = (place + FIRST_ID for place in self._seeded.places_of(call_id))
        candidates = {*seeded, *self._changed}
        found = [each for each in candidates if each in self and self[each].get("callId") == call_id]
        return sorted(found, key=lambda each: (self.moment(each), each))

    def _put(self, event_id: int, row: Row) -> None:
        self._removed.discard(event_id)
        self._changed[event_id] = row | {"id": event_id}
        order = list(self._order)
        order.insert(bisect_right(order, self.moment(event_id), key=self.moment), event_id)
        self._order = order
        self._matches.clear()

    def _matching(self, only: RowFilter) -> list[int]:
        known = self._matches.get(only)
        if known is None:
            if len(self._matches) >= _MEMORY:
                self._matches.clear()
            known = self._matches[only] = [each for each in self._order if only.lets_pass(*self._traits(each))]
        return known

    def _traits(self, event_id: int) -> tuple[str, str, str]:
        changed = self._changed.get(event_id)
        if changed is not None:
            return changed["type"], changed.get("originatorNumber", ""), changed.get("destinationNumber", "")
        outline = self._seeded.outline(event_id - FIRST_ID)
        return outline.kind, outline.originator.number, outline.destination.number


def _digits(number: str) -> str:
    return "".join(letter for letter in number if letter.isdigit())
