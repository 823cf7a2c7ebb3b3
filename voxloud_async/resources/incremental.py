"""Call records since the last read: each once, those that are written late as well (anomaly T18)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import UTC, datetime
from functools import cached_property
from math import floor

from attrs import define, field, frozen

from ..models import TelephonyEvent
from ..paging import Listing, Page
from ..paging.seam import TICK
from ..paging.ticks import Ticks, moment, span, ticks
from ..protocol import arguments
from .told import Told

_LONGEST = 366 * 86_400.0
_SECOND: Ticks = 1_000_000
_EARLIEST = ticks(datetime.min.replace(tzinfo=UTC))


@frozen(kw_only=True)
class Batch:
    """Records that were not told before, and the state after them.

    Store both together, in one transaction: a job that is killed then goes on from its last batch. The last batch of a
    read may have no items, and its state says that the read came to its end.
    """

    items: tuple[TelephonyEvent, ...] = field(repr=lambda items: f"<{len(items)} items>")
    """The oldest first."""

    state: str = field(repr=False)
    """Opaque, printable ASCII; for the next read."""

    late: int = 0
    """How many of the items bear a time from before the end of the last read."""


@frozen
class Span:
    """How far behind the service's time a read stays, and how far before its mark it begins."""

    lag: Ticks
    overlap: Ticks

    @classmethod
    def checked(cls, lag: object, overlap: object) -> Span:
        """Of seconds; raises ValueError or TypeError for others than from 0 to a year."""
        return cls(span(arguments.span("lag", lag, _LONGEST)), span(arguments.span("overlap", overlap, _LONGEST)))


@define(eq=False)
class Increment:
    """One read of what is new. `now` is the service's time in seconds since 1970."""

    _told: Told
    _span: Span
    _digest: str
    _now: Callable[[], float]
    _before: Ticks | None = field(init=False)  # where the last read ended
    _least: Ticks | None = field(init=False)
    _is_rising: bool = field(default=True, init=False)

    def __attrs_post_init__(self) -> None:
        self._before = self._told.mark
        if self._before is not None:
            self._reach(self._before)
        self._least = self._told.floor

    @cached_property
    def horizon(self) -> Ticks:
        """Up to where it reads, by the service's time when this is first asked for: after its first answer."""
        return floor(self._now()) * _SECOND - self._span.lag

    @property
    def since(self) -> datetime | None:
        """From where to ask on: a little early, as a service may leave out the start of an interval."""
        return None if self._least is None else moment(max(_EARLIEST, self._least - TICK))

    def until(self) -> datetime:
        """The horizon."""
        return moment(self.horizon)

    def includes(self, at: datetime | None) -> bool:
        """Whether a record of this time is for this read. One without a time always is."""
        if at is None:
            return True
        return (self._least is None or self._least <= ticks(at)) and ticks(at) <= self.horizon

    async def batches(self, rows: Listing[TelephonyEvent]) -> AsyncGenerator[Batch, None]:
        """Read, a batch for each page that has something new; `rows` are those from `since` that it `includes`."""
        is_over = False
        async with aclosing(rows.pages()) as pages:
            async for page in pages:
                items = tuple(row for row in page.items if self._told.add(row))
                is_over = page.has_next is False
                self._advance(page, is_over=is_over)
                if items or is_over:
                    yield self._batch(items)
        if not is_over:
            self._reach(self.horizon)
            yield self._batch(())

    def _advance(self, page: Page[TelephonyEvent], *, is_over: bool) -> None:
        moments = [ticks(at) for row in page.items if (at := row.timestamp) is not None]
        # Of a service that does not keep the order, the last row of a page says nothing of the next one's.
        self._is_rising = self._is_rising and moments == sorted(moments)
        if is_over:
            self._reach(self.horizon)
        elif moments and self._is_rising:
            self._reach(moments[-1])

    def _reach(self, mark: Ticks) -> None:
        self._told.reach(mark, self._span.overlap)

    def _batch(self, items: tuple[TelephonyEvent, ...]) -> Batch:
        return Batch(items=items, state=self._told.text(self._digest), late=sum(map(self._is_late, items)))

    def _is_late(self, row: TelephonyEvent) -> bool:
        return row.timestamp is not None and self._before is not None and ticks(row.timestamp) < self._before
