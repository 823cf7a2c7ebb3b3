"""Telephony events as one CSV: the service's own pages joined, or, where it offers none, its JSON rows written out."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from datetime import datetime

from attrs import field, frozen

from ..errors import NotAcceptableError
from ..models import TelephonyEvent
from ..paging import Listing
from ..paging.places import Ask
from ..paging.source import Fetched
from ..paging.walk import Walk
from .csv_pages import CsvPages, CsvRow
from .csv_rows import header_line, lines
from .listings import Reading, Shape, told_of


@frozen
class CsvExport:
    """An export that has not begun."""

    _fetch: Callable[[Ask], Awaitable[str]]
    _shape: Shape
    _reading: Reading
    _includes: Callable[[datetime | None], bool] | None
    _joined: CsvPages = field(factory=CsvPages, init=False)

    async def chunks(self, rows: Listing[TelephonyEvent]) -> AsyncGenerator[bytes, None]:
        """Yield the CSV, a chunk a page; `rows` are the same as JSON, for a 406 (anomaly G1)."""
        walk = self._walk()
        try:
            try:
                page = await walk.step()
            except NotAcceptableError:
                yield header_line()
                async with aclosing(rows.pages()) as pages:
                    async for each in pages:
                        yield lines(each.items)
                return
            head = self._joined.head()
            while page is not None:
                yield (head + self._joined.lines(page.items)).encode()
                head, page = "", await walk.step()
        finally:
            await walk.aclose()

    def _walk(self) -> Walk[CsvRow]:
        includes = self._includes
        return Walk(
            source=self._shape.source(self._page),
            prefetch=self._reading.prefetch,
            wanted=None if includes is None else lambda row: includes(row.timestamp),
            on_progress=self._reading.on_progress,
        )

    async def _page(self, ask: Ask) -> Fetched[CsvRow]:
        text = await self._fetch(ask)
        with told_of(self._shape.operation):
            return Fetched(self._joined.read(text))
