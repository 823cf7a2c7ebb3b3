"""Lists in the order of their rows' times: what was read is known by a watermark.

Every row with a time before the watermark was read. A page that begins with such a row continues without a gap: in a
list that is sorted by time, all rows from there on are on this page or on later ones. That holds however rows are
inserted and deleted in the meantime, and it holds for an interval that begins just before the watermark.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from itertools import pairwise
from typing import Any, Self

from attrs import define, field

from .addressing import Window
from .epoch import MILLISECOND, SECOND, Microseconds, from_epoch, to_epoch
from .order import Judged, Rows, Verdict, begins_as_expected
from .sequence import ANCHORS
from .source import Key, Source

Rank = Microseconds
"""A time as microseconds, negated where the latest comes first, so that ranks always rise."""

_REMEMBERED = 1_000
"""Rows below the watermark that are known by key; the others count as read by their time alone."""

_TIMELESS: Rank = 10**18
"""The rank of rows without a time, where a service lists them last."""

_MARGINS = (MILLISECOND, SECOND, 60 * SECOND, 3_600 * SECOND, 86_400 * SECOND)
"""How long before the watermark an interval begins: the API's milliseconds may cut off less than the first; a service
that rounds its bounds needs a later one."""


@define
class ByTime:
    """What is known of a list in the order of time.

    `floor`: rows ranked below it are no longer known by key and count as read. `timeless` are rows without a time,
    which a service may list last. `bounds_work`: the service restricts a list to the interval it is asked for, as far
    as is known.
    """

    source: Source[Any]
    watermark: Rank | None = None
    floor: Rank | None = None
    recent: dict[Key, Rank] = field(factory=dict)
    timeless: dict[Key, None] = field(factory=dict)
    bounds_work: bool = True
    _begins_interval: bool = False
    _tied_at: Rank | None = None
    _ties: int = 0
    _margin: int = 0
    _zones: set[tzinfo | None] = field(factory=set)
    _sorts_instants: bool = False

    @classmethod
    def after(cls, source: Source[Any], watermark: Rank, recent: dict[Key, Rank]) -> Self:
        """Continue after a watermark; `recent` are the rows at it."""
        return cls(source, watermark, watermark - MILLISECOND, dict(recent))

    @property
    def can_begin_interval(self) -> bool:
        """Return True if the rest of the list can be read as an interval."""
        return self.bounds_work and self.watermark is not None

    def count_tie(self) -> int:
        """Return how often a page has begun amid the rows at this watermark."""
        self._ties = self._ties + 1 if self._tied_at == self.watermark else 1
        self._tied_at = self.watermark
        return self._ties

    @property
    def rows_at_watermark(self) -> int:
        """How many of the rows read are at the watermark."""
        return max(1, sum(rank == self.watermark for rank in self.recent.values()))

    def overlap(self, size: int) -> int:
        """The rows at the watermark and one before them, which proves that the page continues without a gap."""
        wanted = self.rows_at_watermark + 1
        return wanted if wanted <= size // 2 else max(2, size // 8)  # rows of one moment that fit no page

    def judge(self, rows: Rows) -> Judged:
        """Judge a page by the times of its rows."""
        times = list(map(self.source.time, rows.items))
        ranks = [_TIMELESS if at is None else to_epoch(at) * self.source.direction for at in times]
        if not self._is_sorted(times, ranks):
            return Judged(Verdict.UNORDERED, is_exact=begins_as_expected(rows))
        new = self._new(rows.keys, ranks)
        exact = begins_as_expected(rows) and len(rows.keys) - len(new) == len(rows.expected or ())
        verdict = self._interval(rows, ranks, new) if self._begins_interval else self._continuity(rows, ranks, exact)
        furthest = [*self.recent.values()][-ANCHORS:]  # any of them, as the last one may be deleted
        reaches = bool(ranks) and (not furthest or ranks[-1] >= min(furthest))
        return Judged(verdict, new, exact, reaches, ranks)

    def accept(self, rows: Rows, judged: Judged, end: int) -> None:
        """Remember rows and raise the watermark."""
        self._begins_interval = False
        for place in judged.new:
            if place < end and judged.ranks[place] == _TIMELESS:
                self.timeless[rows.keys[place]] = None
            elif place < end:
                self.recent[rows.keys[place]] = judged.ranks[place]
        timed = [rank for rank in judged.ranks[:end] if rank != _TIMELESS]
        if timed:
            self.watermark = timed[-1] if self.watermark is None else max(timed[-1], self.watermark)
        self._forget()

    def sorted_keys(self) -> list[Key]:
        """Return the keys of the rows that are remembered, in the order of the list."""
        return [*sorted(self.recent, key=self.recent.__getitem__), *self.timeless]

    def keys_before_watermark(self) -> list[Key]:
        """Return the keys of the rows that are remembered, without those at the watermark."""
        return [key for key in self.sorted_keys() if self.recent.get(key, self.watermark) != self.watermark]

    def interval(self, home: Window, *, wider: bool = False) -> Window | None:
        """Return the rest of a list as an interval that begins with known rows; None where no wider one is left."""
        assert self.watermark is not None  # noqa: S101 - a list without times is never read by time
        self._margin = self._margin + 1 if wider else 0
        if self._margin == len(_MARGINS):
            return None
        self._begins_interval = True
        direction = self.source.direction
        edge = from_epoch((self.watermark - _MARGINS[self._margin]) * direction)
        return Window(edge, home.until) if direction > 0 else Window(home.since, edge)

    def at_watermark(self) -> dict[Key, Rank]:
        """Return the rows that an interval from the watermark on would give again."""
        assert self.watermark is not None  # noqa: S101 - as above
        least = self.watermark - MILLISECOND
        return {key: rank for key, rank in self.recent.items() if rank >= least}

    def leave_interval(self) -> None:
        """Read on by positions: the service ignores bounds."""
        self.bounds_work = self._begins_interval = False

    def _interval(self, rows: Rows, ranks: Sequence[Rank], new: Sequence[int]) -> Verdict:
        """Whether an interval begins where it should: at known rows, and not long before them."""
        if not rows.keys or (0 in new and ranks[0] >= (self.watermark or 0)):
            return Verdict.BEGINS_LATE
        return Verdict.FOLLOWS if new or rows.is_last else Verdict.BEGINS_EARLY

    def _continuity(self, rows: Rows, ranks: Sequence[Rank], exact: bool) -> Verdict:  # noqa: FBT001
        if exact:
            return Verdict.FOLLOWS
        if self.watermark is None or not ranks:
            return Verdict.FOLLOWS if rows.is_first else Verdict.GAP
        if rows.is_first and (rows.is_confirmed or ranks[0] <= self.watermark):  # else perhaps another page
            return Verdict.FOLLOWS
        if ranks[0] == _TIMELESS:
            return Verdict.UNORDERED  # among rows without a time
        if ranks[0] >= self.watermark:
            return Verdict.TIE if ranks[0] == self.watermark else Verdict.GAP
        # An unknown row from before the watermark was inserted late or, in a list that is not sorted, skipped.
        before = ((key, rank) for key, rank in zip(rows.keys, ranks, strict=True) if rank < self.watermark)
        return Verdict.FOLLOWS if any(self._is_known(*row) for row in before) else Verdict.GAP

    def _new(self, keys: Sequence[Key], ranks: Sequence[Rank]) -> list[int]:
        seen: set[Key] = set()
        new = []
        for place, (key, rank) in enumerate(zip(keys, ranks, strict=True)):
            if key not in seen and not self._is_known(key, rank):
                new.append(place)
            seen.add(key)
        return new

    def _is_known(self, key: Key, rank: Rank) -> bool:
        return key in self.recent or key in self.timeless or (self.floor is not None and rank < self.floor)

    def _is_sorted(self, times: Sequence[datetime | None], ranks: Sequence[Rank]) -> bool:
        """Return False where rows are in another order than that of their times, perhaps that of the times' texts.

        "10:00+00:00" comes before "11:00+02:00" as a text and after it as a time. So times of several zones count as
        sorted only once two neighbours were seen that are sorted by time and not by text.
        """
        if any(a > b for a, b in pairwise(ranks)):
            return False
        timed = [at for at in times if at is not None]
        self._zones.update(at.tzinfo for at in timed)
        if len(self._zones) > 1 and not self._sorts_instants:
            self._sorts_instants = any(_differ_as_texts(*pair[:: self.source.direction]) for pair in pairwise(timed))
            return self._sorts_instants
        return True

    def _forget(self) -> None:
        """Keep the rows that may come again: the last ones, and all of one moment."""
        if len(self.recent) < 2 * _REMEMBERED:
            return
        self.floor = floor = sorted(self.recent.values())[-_REMEMBERED]
        self.recent = {key: rank for key, rank in self.recent.items() if rank >= floor}


def _differ_as_texts(earlier: datetime, later: datetime) -> bool:
    """Return True if two times would be in the other order by the hands of their clocks."""
    return earlier.replace(tzinfo=None) > later.replace(tzinfo=None)
