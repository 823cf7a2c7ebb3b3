"""A list that moves while it is read: rows come and go between two requests by a schedule that chance draws."""

# ruff: noqa: PLR2004 - the shares by which schedules are drawn

from __future__ import annotations

import asyncio
from bisect import insort
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from attrs import define, field, frozen

from voxloud_async.paging import Listing, Page
from voxloud_async.paging.addressing import Numbers, Offsets, PageRequest, Window
from voxloud_async.paging.listing import Reading
from voxloud_async.paging.source import Fetched, Source

START = datetime(2026, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


@frozen
class Row:
    id: int
    timestamp: datetime | None = None
    text: str = ""


@frozen(kw_only=True)
class Schedule:
    """What a read meets. Every figure of rows is for one pause between two requests."""

    seed: int
    rows: int
    page_size: int
    prefetch: int
    inserts: int = 0
    deletes: int = 0
    updates: int = 0
    moments: int = 1_000
    """Of so many moments every row has one: few moments, many rows of the same."""
    direction: int = 1
    unstable_ties: bool = False
    is_timed: bool = True
    """Events with a time and numbered pages; else contacts with offsets."""
    half_open: bool = False
    """The end of an interval is not in it, nor is its start."""
    first_page: int = 0
    most: int = 2000
    tells: bool = True
    """Total, number, size and end stand in the envelope."""
    pauses: int = 200
    """After so many requests the list stands still, so that every read ends."""


@define
class Shifting:
    """The service."""

    schedule: Schedule
    rows: list[Row] = field(init=False)
    always: set[int] = field(init=False)
    """The rows that were there from the first request on."""
    asks: list[PageRequest] = field(factory=list, init=False)
    _chance: Random = field(init=False)
    _next_id: int = field(init=False)
    _turn: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self._chance = Random(self.schedule.seed)
        self._next_id = 0
        self.rows = []
        for _ in range(self.schedule.rows):
            self._insert()
        self.always = {row.id for row in self.rows}

    def listing(self, **options: Any) -> Listing[Row]:
        source = self.source()
        return Listing(source, source, Reading(prefetch=self.schedule.prefetch, **options))

    def source(self) -> Source[Row]:
        schedule = self.schedule
        return Source(
            fetch=self.fetch,
            addressing=Numbers if schedule.is_timed else Offsets,
            page_size=schedule.page_size,
            filters="rows",
            direction=schedule.direction if schedule.is_timed else 0,
        )

    async def fetch(self, ask: PageRequest) -> Fetched[Row]:
        self.asks.append(ask)
        for _ in range(self._chance.randrange(4)):
            await asyncio.sleep(0)
        page = self.numbered(ask) if self.schedule.is_timed else self.offset(ask)
        self.drift()
        return Fetched(page)

    def numbered(self, ask: PageRequest) -> Page[Row]:
        schedule = self.schedule
        rows = self.ordered(ask.window)
        size = min(ask.size, schedule.most)
        index = 0 if ask.number is None else ask.number - schedule.first_page
        items = tuple(rows[index * size : (index + 1) * size])
        if not schedule.tells:
            return Page(items=items)
        has_next = (index + 1) * size < len(rows)
        return Page(items=items, has_next=has_next, total=len(rows), number=index + schedule.first_page, size=size)

    def offset(self, ask: PageRequest) -> Page[Row]:
        end = ask.start + ask.size
        return Page(items=tuple(self.rows[ask.start : end]), has_next=end < len(self.rows))

    def ordered(self, window: Window) -> list[Row]:
        """The rows of a window as a query gives them now."""
        self._turn += 1
        turned = self.schedule.unstable_ties and self._turn % 2 == 0
        sign = -1 if turned else 1
        rows = [row for row in self.rows if self._is_in(row, window)]
        return sorted(rows, key=lambda row: (self.schedule.direction * _ticks(row), sign * row.id))

    def drift(self) -> None:
        """What happens between two requests."""
        schedule = self.schedule
        if len(self.asks) > schedule.pauses:
            return
        for _ in range(self._chance.randint(0, schedule.deletes)):
            if self.rows:
                gone = self.rows.pop(self._chance.randrange(len(self.rows)))
                self.always.discard(gone.id)
        for _ in range(self._chance.randint(0, schedule.inserts)):
            self._insert()
        for _ in range(self._chance.randint(0, schedule.updates)):
            if self.rows:
                place = self._chance.randrange(len(self.rows))
                self.rows[place] = Row(self.rows[place].id, self.rows[place].timestamp, "changed")

    def _insert(self) -> None:
        self._next_id += 1
        if self.schedule.is_timed:
            at = START + self._chance.randrange(self.schedule.moments) * MILLISECOND
            insort(self.rows, Row(self._next_id, at), key=_ticks)
        else:
            self.rows.insert(self._chance.randint(0, len(self.rows)), Row(self._next_id))

    def _is_in(self, row: Row, window: Window) -> bool:
        since, until, at = window.since, window.until, row.timestamp or START
        if self.schedule.half_open:
            return (since is None or since < at) and (until is None or at < until)
        return (since is None or since <= at) and (until is None or at <= until)


def _ticks(row: Row) -> int:
    return ((row.timestamp or START) - START) // MILLISECOND


@frozen
class Verdict:
    lost: int
    doubled: int
    requests: int
    repaired: int = 0


def judge(service: Shifting, ids: list[int], repaired: int = 0) -> Verdict:
    """What a read that gave these rows got wrong."""
    given = set(ids)
    return Verdict(len(service.always - given), len(ids) - len(given), len(service.asks), repaired)


async def read(schedule: Schedule) -> Verdict:
    """Read as the client does."""
    service = Shifting(schedule)
    told: list[Any] = []
    rows = [row.id async for row in service.listing(on_progress=told.append)]
    if told[-1].rows != len(rows):
        raise RuntimeError(f"the progress counts {told[-1].rows} rows, and {len(rows)} were read")
    return judge(service, rows, told[-1].repaired)


async def read_naively(schedule: Schedule) -> Verdict:
    """Read one page after another by its number or offset, as other clients do."""
    service = Shifting(schedule)
    rows: list[int] = []
    for number in range(10_000):
        start = number * schedule.page_size
        called = number + schedule.first_page
        page = (await service.fetch(PageRequest(Window(), start, start, schedule.page_size, called))).page
        rows += [row.id for row in page.items]
        if page.has_next is False or not page.items:
            break
    return judge(service, rows)


def drawn(seed: int) -> Schedule:
    """A schedule out of a great many."""
    chance = Random(seed)
    rows = chance.choice([0, 1, 5, 30, 100, 300])
    most = chance.choice([2000, 2000, 100, 50])
    # More rows of one moment than the service gives at once, and those in no order, nobody can read.
    moments = chance.choice([20, 300, 5_000, 1_000_000] if most == 2000 else [300, 5_000, 1_000_000])
    return Schedule(
        seed=seed,
        rows=rows,
        page_size=chance.choice([1, 2, 5, 10, 20, 50, 100]),
        prefetch=chance.choice([1, 2, 4, 8]),
        inserts=chance.choice([0, 1, 3, 10, 40]),
        deletes=chance.choice([0, 1, 3, 10, 40]),
        updates=chance.choice([0, 2]),
        moments=moments,
        direction=chance.choice([1, -1]),
        unstable_ties=chance.random() < 0.5,
        is_timed=chance.random() < 0.6,
        half_open=chance.random() < 0.3,
        first_page=chance.choice([0, 0, 1]),
        most=most,
        tells=chance.random() < 0.8,
        pauses=chance.choice([5, 20, 60]),
    )
