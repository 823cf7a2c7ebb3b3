"""What a read remembers of the rows it gave: enough to know them again, and to tell that no row slipped by.

Two proofs, both of the order of rows and none of their number, since rows may come and go in equal numbers:

- Rows in order of time: a page that starts with an *earlier* moment than the last one read has every row from there on.
  The same moment does not do, for rows of one moment may change places from query to query (anomaly T10).
- Other rows: a page that has a row in common with those read goes on from it, as long as rows keep their order.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Generic, TypeVar

from attrs import define, field

from .ticks import Ticks, moment, ticks

T = TypeVar("T")

Key = Hashable
Rank = Ticks
"""A moment as ticks, negative where the latest comes first: ranks always rise."""

TICK: Rank = 1000
"""What the API's milliseconds may cut off: a window that begins so much earlier has its edge inside, either way."""

_TIMED_MEMORY, _OTHER_MEMORY = 1_000, 10_000


@define
class Seam(Generic[T]):
    """The rows given so far. `direction` is 1 for rising moments, -1 for falling ones, 0 for any other order.

    `edge`: every row ranked below was given, if it was there all the time. `floor`: rows ranked below are no longer
    remembered one by one and count as given. `complete`: nothing was forgotten.
    """

    key: Callable[[T], Key]
    moment: Callable[[T], datetime | None]
    direction: int
    edge: Rank | None = None
    floor: Rank | None = None
    complete: bool = True
    ids: dict[Key, Rank | None] = field(factory=dict)

    @property
    def is_timed(self) -> bool:
        """Whether moments prove anything."""
        return self.direction != 0 and self.edge is not None

    def holds(self, rows: Sequence[T]) -> bool:
        """Whether no row can have slipped by between those given and these."""
        if self.is_timed:
            return self.edge is not None and self.starts_before(self.edge, rows)
        return any(self.key(row) in self.ids for row in rows)

    def starts_before(self, rank: Rank, rows: Sequence[T]) -> bool:
        """Whether the first of the rows ranks below."""
        first = next((each for each in map(self._rank, rows) if each is not None), None)
        return first is not None and first < rank

    def add(self, rows: Sequence[T]) -> list[T]:
        """Remember rows whose seam holds; those of them that are new."""
        ranks = [self._rank(row) for row in rows]
        moments = [rank for rank in ranks if rank is not None]
        if any(before > after for before, after in pairwise(moments)):
            self.distrust()
        new = self._remember(zip(rows, ranks, strict=True))
        self.edge = max(moments if self.edge is None else [*moments, self.edge], default=None)
        return new

    def forget(self, rows: Iterable[T]) -> None:
        """Take back the last rows added."""
        ranks = [rank for rank in (self.ids.pop(self.key(row), None) for row in rows) if rank is not None]
        if ranks and self.edge is not None:
            # Rows that came late may rank within a tick of the floor: below it nobody knows what was given.
            least = min(ranks) if self.floor is None else max(min(ranks), self.floor + TICK)
            self.edge = min(self.edge, least)

    def prune(self) -> None:
        """Keep no more rows than may come again; what was added is final then and can no longer be taken back."""
        keep = _TIMED_MEMORY if self.is_timed else _OTHER_MEMORY
        if len(self.ids) < 2 * keep:
            return
        ranks = sorted(rank for rank in self.ids.values() if rank is not None)
        if self.is_timed and len(ranks) > keep:
            floor = self.floor = ranks[-keep]
            self.ids = {key: rank for key, rank in self.ids.items() if rank is None or rank >= floor}
        else:
            self.ids = dict(list(self.ids.items())[-keep:])
        self.complete = False

    def distrust(self) -> None:
        """Go by what rows have in common: their moments are in no order, or too many have the same one."""
        self.direction = 0

    def at(self, rank: Rank) -> datetime:
        """The moment of a rank."""
        return moment(rank * self.direction)

    def since(self, least: Rank) -> dict[Key, Rank | None]:
        """The rows that are not ranked below."""
        return {key: rank for key, rank in self.ids.items() if rank is not None and rank >= least}

    def _rank(self, row: T) -> Rank | None:
        at = self.moment(row) if self.direction else None
        return None if at is None else ticks(at) * self.direction

    def _remember(self, rows: Iterable[tuple[T, Rank | None]]) -> list[T]:
        # What stands ahead of the first row that is remembered may have been given and forgotten.
        known, ids, key_of, floor = self.complete or self.is_timed, self.ids, self.key, self._trusted_floor()
        new = []
        for row, rank in rows:
            key = key_of(row)
            if key in ids:
                known = True
            elif known and (floor is None or rank is None or rank >= floor):
                ids[key] = rank
                new.append(row)
        return new

    def _trusted_floor(self) -> Rank | None:
        return self.floor if self.is_timed else None
