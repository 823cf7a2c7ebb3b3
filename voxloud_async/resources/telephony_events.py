"""Telephony events: call detail records (API section "Telephony events API")."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Literal

from attrs import evolve, field, frozen

from .._streams import Stream
from .._tracebacks import without_frames
from ..errors import InvalidArgumentError, NotFoundError
from ..models import TelephonyEvent
from ..paging import Listing, Progress
from ..paging.addressing import Numbers, PageRequest, Window
from ..protocol import arguments, operations
from ..session.caller import Caller
from .csv_export import CsvExport
from .incremental import Batch, BatchStream, Increment, Span
from .listings import MisfitLog, PagedList, checked_reading, digest
from .seen_records import SeenRecords

Misfits = Literal["keep", "raise"]
"""What becomes of a row that does not fit its type."""

OLDEST_FIRST = "timestamp,asc"
"""New records then arrive behind the reader instead of shifting the pages in front of it."""

_DIRECTIONS = {OLDEST_FIRST: 1, "timestamp,desc": -1}

_MOST_ROWS = 2000  # where Spring Data, whose page this is, caps a page without saying so


@without_frames
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
        misfits: Misfits = "keep",
        on_progress: Callable[[Progress], object] | None = None,
        cursor: str | None = None,
    ) -> Listing[TelephonyEvent]:
        """Query the records of a number and an interval, as a stream.

        `date_time_from` and `date_time_to` must carry a time zone; whether they are included is not documented. Rows
        outside of them that the service sends all the same are left out. Of records that arrive during the read some
        may be included. `page_size` is from 1 to 2,000 rows a request; the service may send fewer. `max_items` limits
        the rows in all, `prefetch` is how many pages are requested at once. With a `sort` other than `timestamp`,
        rows must keep their order between two requests; where they do not, `ConflictError` is raised.

        A row that does not fit its type is an `UnknownEvent` with the reason in `misfit`; each kind of misfit is logged
        once. `misfits="raise"` raises `DecodeError` instead.

        `on_progress` is called with a `Progress` after each page. `cursor` is that of a page of a query with the same
        filters and order: the query continues after that page. There are no filters by type, direction or user: filter
        the rows. API: Query.
        """
        events = self._list(_Query.checked(number, date_time_from, date_time_to, sort), page_size, misfits)
        return events.listing(
            checked_reading(
                prefetch, on_progress, filters=events.filters, cursor=cursor, max_items=max_items, wanted=events.wanted
            )
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
        misfits: Misfits = "keep",
        on_progress: Callable[[Progress], object] | None = None,
    ) -> Stream[bytes]:
        """Return the same records as CSV in UTF-8, a chunk a page, with one header line for the whole.

        Delimiter, column names and cells are the service's, which documents none of them. Documented columns that its
        first page lacks are added behind them, then `extra`: a JSON object of the cells under columns that only a later
        page has. Where the service offers no CSV (406), or one without a header line, the rows come as JSON and are
        written with commas, the documented names, and the unknown fields in `extra`; `misfits` applies to them. The
        other arguments are those of `query`. API: Query, `Accept: text/csv`.
        """
        events = self._list(_Query.checked(number, date_time_from, date_time_to, sort), page_size, misfits)
        return CsvExport(events, checked_reading(prefetch, on_progress, filters=events.filters, wanted=events.wanted))

    def incremental(
        self,
        state: str | None = None,
        *,
        since: datetime | None = None,
        number: str | None = None,
        lag: float = 60.0,
        overlap: float = 4 * 3600.0,
        refresh: timedelta | None = None,
        page_size: int = 100,
        prefetch: int = 4,
        misfits: Misfits = "keep",
    ) -> Stream[Batch]:
        """Read the records that no read with an earlier state returned, the oldest first, in batches of a page at most.

        Store the `items` of a batch and its `state` together, and give the last state to the next read: each record
        then comes once, however often jobs are killed. The first read has no state and begins at `since`, which must
        carry a time zone, or with the oldest record; with a state `since` has no effect, so that a job may always give
        it. A state is for reads of the same number at the same service.

        A read ends `lag` seconds before the service's time, and begins `overlap` seconds before the end of the last
        one, as records are written late, and `timestamp` may be that of the start of a call. What is written still
        later is missed: `overlap` must be longer than the longest call. Both are from 0 to a year and may change from
        read to read.

        With `refresh`, up to a year, each read begins at least that far before the end of the last one, and a record
        that has changed since it was returned comes once more, in the `revisions` of a batch: once for each change. The
        state then holds a digest of each record of that time, about 6 bytes a record in all.

        `page_size`, `prefetch` and `misfits` are those of `query`. Raises ValueError or TypeError for bad arguments and
        damaged states before anything is sent. API: Query.
        """
        query = _Query.checked(number, None, None, OLDEST_FIRST)
        span = Span.checked(lag, overlap, refresh)
        filters = digest("incremental, form 2", [self._caller.base_url, number])
        seen = SeenRecords.initial(state, since, filters, digests=span.refreshes)
        increment = Increment(seen, span, filters, self._caller.service_time)
        events = self._list(evolve(query, window=Window(increment.since)), page_size, misfits)
        reading = checked_reading(prefetch, None, filters=events.filters, wanted=increment.includes)
        return BatchStream(increment, events.listing(reading).pages())

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

    def _list(self, query: _Query, page_size: int, misfits: Misfits) -> PagedList[TelephonyEvent]:
        arguments.one_of("misfits", misfits, ["keep", "raise"])
        return PagedList(
            caller=self._caller,
            operation=operations.QUERY_EVENTS if misfits == "keep" else operations.QUERY_FITTING_EVENTS,
            raw_operation=operations.QUERY_EVENTS_RAW,
            parameters=query.parameters,
            addressing=Numbers,
            page_size=arguments.number("page_size", page_size, 1, _MOST_ROWS),
            filters=digest("events, form 2", [query.body(query.window), query.sort]),
            direction=_DIRECTIONS.get(query.sort or "", 0),
            window=query.window,
            wanted=query.includes,
            misfit=MisfitLog(),
        )


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
            raise InvalidArgumentError("date_time_from", "must not be after the end of the interval")
        if sort is not None:
            arguments.order("sort", sort)
        return cls(number, Window(start, end), sort)

    def parameters(self, request: PageRequest) -> dict[str, Any]:
        page = None if request.number is None else str(request.number)
        query = {"size": str(request.size), "sort": self.sort, "page": page}
        return {
            "query": {name: value for name, value in query.items() if value is not None},
            "body": self.body(request.window),
        }

    def body(self, window: Window) -> dict[str, str]:
        body = {} if self.number is None else {"number": self.number}
        if window.since is not None:
            body["date_time_from"] = arguments.moment("date_time_from", window.since)
        if window.until is not None:
            body["date_time_to"] = arguments.moment("date_time_to", window.until)
        return body

    @property
    def includes(self) -> Callable[[datetime | None], bool] | None:
        """Whether a row is wanted: the sample's query of March is answered with rows of May (anomaly T5)."""
        return None if self.window == Window() else self._includes

    def _includes(self, at: datetime | None) -> bool:
        since, until = self.window.since, self.window.until
        return at is None or ((since is None or since <= at) and (until is None or at <= until))
