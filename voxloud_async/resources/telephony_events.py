"""Telephony events: call detail records (API section "Telephony events API")."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import datetime
from functools import partial
from typing import Any

from attrs import field, frozen

from ..errors import NotFoundError
from ..models import TelephonyEvent
from ..paging import Listing, by_number
from ..protocol import arguments, operations
from ..protocol.page import Page
from ..session.caller import Caller
from .csv_export import export

OLDEST_FIRST = "timestamp,asc"
"""New records then arrive behind the reader instead of shifting the pages in front of it."""

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
    ) -> Listing[TelephonyEvent]:
        """Records of a number and an interval, as an asynchronous iterable.

        `date_time_from` and `date_time_to` must carry a time zone; whether they are included is not documented.
        Rows outside of them that the service sends all the same are left out. `page_size` is from 1 to 2,000 rows a
        request; the service may send fewer. Filters by type, direction or user do not exist: filter the rows.
        API: Query.
        """
        body = _filter(number, date_time_from, date_time_to)
        paging = _paging(sort, page_size, max_items if date_time_from is None is date_time_to else None)
        return Listing(
            partial(self._page, body, paging), by_number, max_items, partial(_within, date_time_from, date_time_to)
        )

    def export_csv(
        self,
        *,
        number: str | None = None,
        date_time_from: datetime | None = None,
        date_time_to: datetime | None = None,
        sort: str | None = OLDEST_FIRST,
        page_size: int = 1000,
    ) -> AsyncGenerator[bytes, None]:
        """The same records as CSV in UTF-8, a chunk a page, with one header line for the whole.

        Delimiter, column names and cells are the service's, which documents none of them; documented columns that its
        first page lacks stand behind them. A service that answers 406 offers no CSV: then the rows come as JSON and are
        written with commas, the documented names and a last column `extra`, which holds unknown fields as JSON.
        Raises `DecodeError` where a page has columns that no page before announced. API: Query, `Accept: text/csv`.
        """
        body, paging = _filter(number, date_time_from, date_time_to), _paging(sort, page_size)
        rows = Listing(partial(self._page, body, paging), by_number)
        return export(partial(self._csv_page, body, paging), rows)

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

    async def _page(self, body: dict[str, Any], paging: dict[str, str], number: int | None) -> Page[TelephonyEvent]:
        return await self._caller.call(operations.QUERY_EVENTS, query=_numbered(paging, number), body=body)

    async def _csv_page(self, body: dict[str, Any], paging: dict[str, str], number: int | None) -> str:
        return await self._caller.call(operations.EXPORT_EVENTS, query=_numbered(paging, number), body=body)


def _filter(number: str | None, start: datetime | None, end: datetime | None) -> dict[str, Any]:
    body = {}
    if number is not None:
        body["number"] = arguments.text("number", number)
    if start is not None:
        body["date_time_from"] = arguments.moment("date_time_from", start)
    if end is not None:
        body["date_time_to"] = arguments.moment("date_time_to", end)
    if start is not None and end is not None and start > end:
        raise ValueError("date_time_from must not be after date_time_to")
    return body


def _within(start: datetime | None, end: datetime | None, event: TelephonyEvent) -> bool:
    """The sample's query of March is answered with rows of May (anomaly T5)."""
    at = event.timestamp
    return at is None or ((start is None or start <= at) and (end is None or at <= end))


def _numbered(paging: dict[str, str], number: int | None) -> dict[str, str]:
    # The first page is asked for without a number: whether that would be 0 or 1, a sample alone tells (anomaly T9).
    return paging if number is None else {**paging, "page": str(number)}


def _paging(sort: str | None, page_size: int, max_items: int | None = None) -> dict[str, str]:
    paging = {"size": str(arguments.page_rows(page_size, _MOST_ROWS, max_items))}
    if sort is not None:
        paging["sort"] = arguments.text("sort", sort)
    return paging
