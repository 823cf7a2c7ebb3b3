"""Call records since the last read: each once, those that are written late as well (anomaly T18)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cached_property
from math import floor
from typing import Self

from attrs import field, frozen

from .._streams import Stream
from ..models import TelephonyEvent
from ..paging import Page, PageStream
from ..paging.epoch import MILLISECOND, SECOND, Microseconds, from_epoch, to_epoch, whole_milliseconds
from ..protocol import arguments
from .seen_records import Seen, SeenRecords

_LONGEST = timedelta(days=366)
_EARLIEST = to_epoch(datetime.min.replace(tzinfo=UTC))


@frozen(kw_only=True)
class Batch:
    """Records that no earlier read returned, and the state after them.

    Store both together, in one transaction: a job that is killed then continues after its last batch. The last batch of
    a read may have no items, and its state says that the read came to its end.
    """

    items: tuple[TelephonyEvent, ...] = field(repr=lambda items: f"<{len(items)} items>")
    """The oldest first."""

    state: str = field(repr=False)
    """Opaque, printable ASCII; for the next read."""

    revisions: tuple[TelephonyEvent, ...] = field(default=(), repr=lambda items: f"<{len(items)} items>")
    """Records that were returned before and have changed since, as they are now; only with `refresh`."""

    late: int = 0
    """How many of the items have a time from before the end of the last read."""


@frozen
class Span:
    """How far behind the service's time a read stays, and how far back it reads again what was read before."""

    lag: Microseconds
    overlap: Microseconds
    refreshes: bool

    @classmethod
    def checked(cls, lag: object, overlap: object, refresh: object) -> Self:
        """Check the arguments; raises ValueError or TypeError for spans that are not from 0 to a year."""
        longest = _LONGEST.total_seconds()
        again = whole_milliseconds(arguments.span("overlap", overlap, longest))
        if refresh is not None:
            again = max(again, arguments.duration("refresh", refresh, _LONGEST) // timedelta(microseconds=1))
        return cls(whole_milliseconds(arguments.span("lag", lag, longest)), again, refresh is not None)


class BatchStream(Stream[Batch]):
    """The batches of one read: one for each page that has something new."""

    def __init__(self, increment: Increment, pages: PageStream[Page[TelephonyEvent]]) -> None:
        self._increment = increment
        self._pages = pages
        self._is_complete = False

    async def _advance(self) -> bool:
        while not self._is_complete:
            page = await anext(self._pages, None)
            self._is_complete = page is None or page.has_next is False
            batch = self._increment.batch(() if page is None else page.items, is_last=self._is_complete)
            if batch is not None:
                self._items = iter((batch,))
                return True
        return False

    async def _release(self) -> None:
        await self._pages.aclose()


class Increment:
    """What one read makes of its pages. `now` is the service's time in seconds since 1970."""

    def __init__(self, seen: SeenRecords, span: Span, filters: str, now: Callable[[], float]) -> None:
        self._seen, self._span, self._filters, self._now = seen, span, filters, now
        self._before = seen.mark  # where the last read ended
        if self._before is not None:
            seen.reach(self._before, span.overlap)
        self._least = seen.floor
        self._is_rising = True

    @cached_property
    def horizon(self) -> Microseconds:
        """The time up to which records are read, by the service's time when this is first asked for."""
        return floor(self._now()) * SECOND - self._span.lag

    @property
    def since(self) -> datetime | None:
        """The time from which to query: a little early, as a service may leave out the start of an interval."""
        return None if self._least is None else from_epoch(max(_EARLIEST, self._least - MILLISECOND))

    def includes(self, at: datetime | None) -> bool:
        """Return True if a record of this time is for this read; one without a time always is."""
        if at is None:
            return True
        time = to_epoch(at)
        return (self._least is None or self._least <= time) and time <= self.horizon

    def batch(self, rows: tuple[TelephonyEvent, ...], *, is_last: bool) -> Batch | None:
        """Return what is new among the rows of a page; None where nothing is and further pages follow."""
        found = [(row, self._seen.add(row)) for row in rows]
        items = tuple(row for row, seen in found if seen is Seen.NEW)
        revisions = tuple(row for row, seen in found if seen is Seen.CHANGED)
        self._advance(rows, is_last=is_last)
        if not (items or revisions or is_last):
            return None
        late = sum(map(self._is_late, items))
        return Batch(items=items, revisions=revisions, state=self._seen.text(self._filters), late=late)

    def _advance(self, rows: tuple[TelephonyEvent, ...], *, is_last: bool) -> None:
        times = [to_epoch(at) for row in rows if (at := row.timestamp) is not None]
        # Where a service does not keep the order, the last row of a page says nothing of the next page.
        self._is_rising = self._is_rising and times == sorted(times)
        if is_last:
            self._seen.reach(self.horizon, self._span.overlap)
        elif times and self._is_rising:
            self._seen.reach(times[-1], self._span.overlap)

    def _is_late(self, row: TelephonyEvent) -> bool:
        return row.timestamp is not None and self._before is not None and to_epoch(row.timestamp) < self._before
