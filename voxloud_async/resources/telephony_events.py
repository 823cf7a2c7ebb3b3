"""Telephony events: call detail records (API section "Telephony events API")."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime
from functools import partial
from math import floor

from attrs import evolve, field, frozen

from ..errors import NotFoundError
from ..models import TelephonyEvent
from ..paging import Listing
from ..paging.places import Ask, Numbers, Window
from ..protocol import arguments, operations
from ..protocol.page import Page, Progress
from ..session.caller import Caller
from .csv_export import CsvExport
from .incremental import Batch, Increment, Span
from .listings import Reading, Shape, digest, listing
from .told import Told, told_digest

OLDEST_FIRST = "timestamp,asc"
"""New records then arrive behind the reader instead of shifting the pages in front of it."""

_DIRECTIONS = {OLDEST_FIRST: 1, "timestamp,desc": -1}

_MOST_ROWS = 2000  # where Spring Data, whose page this is, caps a page without saying so


@frozen
class TelephonyEvents:
    """`client.telephony_events`."""

    _caller: Caller = field(repr=False)

    def query(
        self,
        *,
        number: str | None = None,
        date_time_from: datetime | None = None,
        date_time_to: datetime | None = None,
        sort: str | None = OLDEST_FIRST,
        page_size: int = 100,
        max_items: int | None = None,
        prefetch: int = 4,
        on_progress: Callable[[Progress], object] | None = None,
        cursor: str | None = None,
    ) -> Listing[TelephonyEvent]:
        """Records of a number and an interval, as an asynchronous iterable.

        `date_time_from` and `date_time_to` must carry a time zone; whether they are included is not documented.
        Rows outside of them that the service sends all the same are left out. An end that is left open is the service's
        time at the first page: later records are left to the next read. `page_size` is from 1 to 2,000 rows a request;
        a request may ask for a quarter more, at least 8, to overlap with the page before; the service may send fewer.
        `max_items` bounds the rows in all, `prefetch` is how many pages are asked for at once. `sort` in another order
        than that of `timestamp` proves less: then rows of one moment must keep their order between two requests.

        `on_progress` is called with a `Progress` after each page. `cursor` is that of a page of a query with the same
        filters and order: it goes on after that page, to the same end. Filters by type, direction or user do not exist:
        filter the rows. API: Query.
        """
        query = _Query.checked(number, date_time_from, date_time_to, sort)
        wanted_rows = max_items if date_time_from is None is date_time_to else None
        return listing(
            partial(self._page, query),
            partial(self._raw_page, query),
            self._shape(query, arguments.page_rows(page_size, _MOST_ROWS, wanted_rows)),
            Reading(prefetch=prefetch, max_items=max_items, on_progress=on_progress, cursor=cursor),
            query.includes,
        )

    def export_csv(
        self,
        *,
        number: str | None = None,
        date_time_from: datetime | None = None,
        date_time_to: datetime | None = None,
        sort: str | None = OLDEST_FIRST,
        page_size: int = 1000,
        prefetch: int = 4,
        on_progress: Callable[[Progress], object] | None = None,
    ) -> AsyncGenerator[bytes, None]:
        """The same records as CSV in UTF-8, a chunk a page, with one header line for the whole.

        Delimiter, column names and cells are the service's, which documents none of them. Documented columns that its
        first page lacks stand behind them, then `extra`: a JSON object of the cells under columns that only a later
        page has. A service that answers 406 offers no CSV: then the rows come as JSON and are written with commas, the
        documented names, and the unknown fields in `extra`. `page_size`, `prefetch` and `on_progress` are those of
        `query`. API: Query, `Accept: text/csv`.
        """
        query = _Query.checked(number, date_time_from, date_time_to, sort)
        shape = self._shape(query, arguments.page_rows(page_size, _MOST_ROWS, None))
        reading = Reading(prefetch=prefetch, on_progress=on_progress)
        reading.check()
        rows = listing(partial(self._page, query), partial(self._raw_page, query), shape, reading, query.includes)
        return CsvExport(partial(self._csv_page, query), shape, reading, query.includes).chunks(rows)

    def incremental(
        self,
        state: str | None = None,
        *,
        since: datetime | None = None,
        number: str | None = None,
        lag: float = 60.0,
        overlap: float = 4 * 3600.0,
        page_size: int = 100,
        prefetch: int = 4,
    ) -> AsyncGenerator[Batch, None]:
        """Records that no read with an earlier state told, the oldest first, in batches of a page at most.

        Store the `items` of a batch and its `state` together, and give the last state to the next read: each record
        then comes once, however often jobs are killed. The first read has no state and begins at `since`, which must
        carry a time zone, or with the oldest record; with a state `since` counts for nothing, so that a job may always
        give it. A state is for reads of the same number at the same service.

        A read ends `lag` seconds before the service's time, and reads again from `overlap` seconds before the end of
        the last one, as records are written late, and `timestamp` may be that of the start of a call. What is written
        still later is missed: `overlap` must be longer than the longest call. Both are from 0 to a year and may change
        from read to read. A record is told as it is then; what is added to it later, such as a transcription, is not.

        `page_size` and `prefetch` are those of `query`. Raises ValueError or TypeError for bad arguments and damaged
        states before anything is sent. API: Query.
        """
        query = _Query.checked(number, None, None, OLDEST_FIRST)
        size = arguments.page_rows(page_size, _MOST_ROWS, None)
        filters = told_digest(self._caller.base_url, number)
        told = Told.of(state, since, filters)
        increment = Increment(told, Span.checked(lag, overlap), filters, self._caller.service_time)
        query = evolve(query, window=Window(increment.since))
        shape = evolve(self._shape(query, size), now=increment.until)
        pages = partial(self._page, query), partial(self._raw_page, query)
        return increment.batches(listing(*pages, shape, Reading(prefetch=prefetch), increment.includes))

    async def get(self, id: int | str) -> TelephonyEvent:  # noqa: A002 - the API's own word
        """Read one record; raises `NotFoundError`. API: Get by ID."""
        return await self._caller.call(operations.GET_EVENT, segment=arguments.segment("id", id))

    async def find_by_call_id(self, call_id: str) -> list[TelephonyEvent]:
        """The records of a call: none, one, or several where it was transferred. API: Get by callId."""
        query = {"callId": arguments.text("call_id", call_id)}
        try:
            matches = await self._caller.call(operations.FIND_EVENTS, query=query)
        except NotFoundError:
            return []
        return list(matches.items)

    async def _page(self, query: _Query, ask: Ask) -> Page[TelephonyEvent]:
        return await self._caller.call(operations.QUERY_EVENTS, query=query.paging(ask), body=query.body(ask))

    async def _raw_page(self, query: _Query, ask: Ask) -> bytes:
        return await self._caller.call(operations.QUERY_EVENTS_RAW, query=query.paging(ask), body=query.body(ask))

    async def _csv_page(self, query: _Query, ask: Ask) -> str:
        return await self._caller.call(operations.EXPORT_EVENTS, query=query.paging(ask), body=query.body(ask))

    def _shape(self, query: _Query, size: int) -> Shape:
        return Shape(
            places=partial(Numbers, _MOST_ROWS),
            size=size,
            digest=digest("events", query.digested()),
            operation=str(operations.QUERY_EVENTS),
            direction=_DIRECTIONS.get(query.sort or "", 0),
            window=query.window,
            now=self._now,
        )

    def _now(self) -> datetime:
        # The service tells its time in whole seconds: the one that runs belongs to the records that are there.
        return datetime.fromtimestamp(floor(self._caller.service_time()) + 1, UTC)


@frozen
class _Query:
    """What is asked for, checked."""

    number: str | None
    window: Window
    sort: str | None

    @classmethod
    def checked(cls, number: str | None, start: datetime | None, end: datetime | None, sort: str | None) -> _Query:
        if number is not None:
            arguments.text("number", number)
        if start is not None:
            arguments.moment("date_time_from", start)
        if end is not None:
            arguments.moment("date_time_to", end)
        if start is not None and end is not None and start > end:
            raise ValueError("date_time_from must not be after date_time_to")
        if sort is not None:
            arguments.order("sort", sort)
        return cls(number, Window(start, end), sort)

    def body(self, ask: Ask) -> dict[str, str]:
        return _body(self.number, ask.window)

    def paging(self, ask: Ask) -> dict[str, str]:
        query = {"size": str(ask.size), "sort": self.sort, "page": None if ask.number is None else str(ask.number)}
        return {name: value for name, value in query.items() if value is not None}

    @property
    def includes(self) -> Callable[[datetime | None], bool] | None:
        """Whether a moment is wanted: the sample's query of March is answered with rows of May (anomaly T5)."""
        return None if self.window == Window() else self._includes

    def _includes(self, at: datetime | None) -> bool:
        since, until = self.window.since, self.window.until
        return at is None or ((since is None or since <= at) and (until is None or at <= until))

    def digested(self) -> list[object]:
        return [_body(self.number, self.window), self.sort]


def _body(number: str | None, window: Window) -> dict[str, str]:
    body = {} if number is None else {"number": number}
    if window.since is not None:
        body["date_time_from"] = arguments.moment("date_time_from", window.since)
    if window.until is not None:
        body["date_time_to"] = arguments.moment("date_time_to", window.until)
    return body
