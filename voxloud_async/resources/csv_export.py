"""Telephony events as one CSV: the service's own pages joined, or its JSON rows where those cannot be joined."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from operator import attrgetter

from .._streams import Stream
from ..errors import NotAcceptableError
from ..models import TelephonyEvent
from ..paging import Page, PageStream
from ..paging.addressing import PageRequest
from ..paging.listing import Reading
from ..paging.page_reader import PageReader
from ..paging.source import Fetched
from ..protocol import operations
from .csv_pages import CsvPages, CsvRow, NoHeaderError
from .csv_rows import header_line, lines
from .listings import PagedList, decoding

_logger = logging.getLogger("voxloud_async")


class CsvExport(Stream[bytes]):
    """The export of a list, a chunk a page."""

    def __init__(self, events: PagedList[TelephonyEvent], reading: Reading) -> None:
        self._list, self._reading = events, reading
        self._joined = CsvPages()
        self._has_begun = False
        self._pages: PageStream[bytes] = PageStream(
            events.source(fetch=self._fetch, key=attrgetter("key")), reading, self._written
        )

    async def _advance(self) -> bool:
        try:
            chunk = await anext(self._pages, None)
        except (NotAcceptableError, NoHeaderError) as error:
            if self._has_begun:
                raise
            return await self._fall_back(error)
        self._has_begun = True
        self._items = iter(() if chunk is None else (chunk,))
        return chunk is not None

    async def _release(self) -> None:
        await self._pages.aclose()

    async def _fall_back(self, error: NotAcceptableError | NoHeaderError) -> bool:
        """Read the JSON: the service offers no CSV (anomaly G1), or one whose columns have no names (anomaly T12)."""
        if isinstance(error, NoHeaderError):
            _logger.warning("the service's CSV has no header line: its JSON is written as CSV instead")
        self._has_begun = True
        await self._pages.aclose()
        self._pages = PageStream(self._list.source(fetch=self._list.fetch), self._reading, _from_json)
        self._items = iter((header_line(),))
        return True

    async def _fetch(self, request: PageRequest) -> Fetched[CsvRow]:
        text = await self._list.caller.call(operations.EXPORT_EVENTS, **self._list.parameters(request))
        with decoding(operations.EXPORT_EVENTS):
            return Fetched(self._joined.read(text))

    def _written(self, _: PageReader[CsvRow], page: Page[CsvRow], __: Fetched[CsvRow]) -> Iterable[bytes]:
        head = self._joined.head() if page.number == 0 else ""
        return ((head + self._joined.lines(page.items)).encode(),)


def _from_json(_: PageReader[TelephonyEvent], page: Page[TelephonyEvent], __: object) -> Iterable[bytes]:
    return (lines(page.items),)
