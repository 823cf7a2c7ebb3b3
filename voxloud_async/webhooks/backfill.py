"""What went by while nobody listened: records are read from the service and put where their deliveries would be."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeVar

from attrs import field, frozen

from ..errors import ArgumentTypeError, InvalidArgumentError
from ..models import EventType, TelephonyEvent, Webhook
from ..protocol import codec
from .identity import key_without_id
from .inbox import Delivery, InboxFullError
from .inbox.protocol import KEPT
from .intake import delivery_of, own_type
from .lifetime import Outcome
from .notices import Accepted, Doubled

T = TypeVar("T")

Add = Callable[[Sequence[Delivery]], Awaitable[Mapping[str, Outcome]]]

UNRECOVERABLE = (EventType.CALL_STARTED, EventType.CALL_INCOMING, EventType.CALL_ANSWERED, EventType.CALL_HANGUP)
"""Events of calls under way: the service keeps none of them."""

OVERLAP = timedelta(minutes=5)
"""Calls that ended so much earlier count as well: the service writes a record some seconds after the end (L536)."""

LONGEST = timedelta(hours=4)
"""Records are read from so much earlier still: the time they bear may be the start of a call (anomaly P20)."""

_BATCH = 200
_FULL = 1.0
_UNTYPED = "UNKNOWN"


class Query(Protocol):
    """`client.telephony_events`."""

    def query(self, *, date_time_from: datetime, date_time_to: datetime) -> AsyncIterable[TelephonyEvent]:
        """Records of an interval."""
        ...


class Client(Protocol):
    """What a back-fill wants of a `VoxloudClient`."""

    @property
    def telephony_events(self) -> Query:
        """The records."""
        ...


@frozen(kw_only=True)
class Backfill:
    """What a back-fill found: `read` records of `since` to `until`, of which `added` were new to the inbox.

    `revised` counts those that had been there before with other content.
    """

    since: datetime
    until: datetime
    read: int
    added: int
    revised: int = 0
    unrecoverable: tuple[EventType, ...] = field(default=UNRECOVERABLE, repr=False)
    """Event types that may have gone by in that time and are lost: the service keeps records of ended calls alone."""


@frozen
class Interval:
    """From when to when, checked."""

    since: datetime
    until: datetime

    @classmethod
    def of(cls, since: datetime, until: datetime | None, now: datetime) -> Interval:
        """Raises ValueError or TypeError for times that do not fit."""
        end = now if until is None else until
        for name, moment in (("since", since), ("until", end)):
            if not isinstance(moment, datetime):
                raise ArgumentTypeError(name, f"must be a datetime, not {type(moment).__name__}")
            if moment.tzinfo is None:
                raise InvalidArgumentError(name, "must carry a time zone, for instance datetime.now(UTC)")
        if since > end:
            raise InvalidArgumentError("since", "must not be after until")
        if now - since + OVERLAP > timedelta(seconds=KEPT):
            reason = "must lie within 72 hours: the inbox knows no longer what was handled before"
            raise InvalidArgumentError("since", reason)
        return cls(since, end)


async def backfill(
    events: Query,
    interval: Interval,
    add: Add,
    *,
    known: Callable[[Collection[str]], Awaitable[frozenset[str]]],
    wall: Callable[[], float],
    wait: Callable[[float], Awaitable[None]] | None,
) -> Backfill:
    """Read and add. Where the inbox is full it waits with `wait` for room, or raises InboxFullError without one."""
    read = 0
    outcomes: Counter[Outcome] = Counter()
    first = interval.since - OVERLAP
    rows = events.query(date_time_from=first - LONGEST, date_time_to=interval.until)
    async with aclosing(_batches(rows)) as batches:
        async for batch in batches:
            ended = [event for event in batch if _may_have_ended(event, first)]
            delivered = await known([key_without_id(event) for event in ended])
            new = [_delivery(event, wall()) for event in ended if key_without_id(event) not in delivered]
            read += len(ended)
            outcomes += await _added(new, add, wait)
    added, revised = outcomes[Accepted], outcomes.total() - outcomes[Accepted] - outcomes[Doubled]
    return Backfill(since=interval.since, until=interval.until, read=read, added=added, revised=revised)


def _may_have_ended(event: TelephonyEvent, since: datetime) -> bool:
    """Whether it may have ended at that time or later, should the time it bears be that of its start."""
    lasted = getattr(event, "duration", None) or 0.0
    return event.timestamp is None or (since - event.timestamp).total_seconds() <= lasted


async def _added(
    deliveries: Sequence[Delivery], add: Add, wait: Callable[[float], Awaitable[None]] | None
) -> Counter[Outcome]:
    """Add them, and count what became of them; one by one where there is no room for all of them."""
    while True:
        try:
            return Counter((await add(deliveries)).values())
        except InboxFullError:
            if wait is None:
                raise
            if len(deliveries) > 1:
                return sum([await _added([each], add, wait) for each in deliveries], Counter[Outcome]())
            await wait(_FULL)


def _delivery(event: TelephonyEvent, now: float) -> Delivery:
    """The event as a delivery would bring it; in ASCII, for UTF-8 cannot write the half of an emoji."""
    value = {"type": own_type(event) or _UNTYPED, "data": codec.unstructure(event)}
    body = json.dumps(value, separators=(",", ":")).encode()
    return delivery_of(codec.structure(value, Webhook), body, now, "backfill")


async def _batches(rows: AsyncIterable[T]) -> AsyncGenerator[list[T], None]:
    batch: list[T] = []
    async with AsyncExitStack() as stack:
        reading = aiter(rows)
        if (close := getattr(reading, "aclose", None)) is not None:
            stack.push_async_callback(close)
        async for row in reading:
            batch.append(row)
            if len(batch) == _BATCH:
                yield batch
                batch = []
    if batch:
        yield batch


def moment(seconds: float) -> datetime:
    """Seconds since 1970 as a time."""
    return datetime.fromtimestamp(seconds, UTC)
