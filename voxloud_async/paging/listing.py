"""A list as its reader sees it: a stream of rows, of pages, or of the bytes of pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar, overload

from attrs import evolve, frozen

from .._streams import Stream
from .._tracebacks import without_frames
from ..protocol.page import Page, Progress
from .cursor import Cursor
from .page_reader import PageReader
from .source import Fetched, Source

T = TypeVar("T")
R = TypeVar("R")


@frozen(kw_only=True)
class Reading:
    """How a list is to be read: see the arguments of `telephony_events.query`."""

    prefetch: int
    max_items: int | None = None
    wanted: Callable[[datetime | None], bool] | None = None
    on_progress: Callable[[Progress], object] | None = None
    cursor: Cursor | None = None


class PageStream(Stream[R], Generic[R]):
    """What `take` makes of each page of a list."""

    def __init__(
        self,
        source: Source[Any],
        reading: Reading,
        take: Callable[[PageReader[Any], Page[Any], Fetched[Any]], Iterable[R]],
    ) -> None:
        self._reader = PageReader(
            source=source,
            prefetch=reading.prefetch,
            left=reading.max_items,
            wanted=reading.wanted,
            cursor_in=reading.cursor,
        )
        self._on_progress = reading.on_progress
        self._take = take

    async def _advance(self) -> bool:
        found = await self._reader.next_page()
        if found is None:
            return False
        page, fetched = found
        self._items = iter(self._take(self._reader, page, fetched))
        if self._on_progress is not None and page.progress is not None:
            self._on_progress(page.progress)  # the items are kept where it raises
        return True

    async def _release(self) -> None:
        await self._reader.aclose()

    def __del__(self) -> None:
        reader: PageReader[Any] | None = getattr(self, "_reader", None)  # None where an argument was refused
        if reader is not None:
            reader.abandon()


@without_frames
class Listing(PageStream[T], Generic[T]):
    """The rows of a list, read as they are iterated over, with some pages requested ahead.

    Every row that is there throughout the read comes once, whatever is inserted or deleted in the meantime: each page
    overlaps with the one before, and where rows may have been skipped between the two, they are read again. Where the
    rows move faster than that, or change places from request to request, `ConflictError` is raised.

    An error of a page is raised after the rows before it. Besides iterating, `pages`, `collect` and `first` each start
    a read of their own.
    """

    def __init__(self, source: Source[T], raw: Source[Any], reading: Reading, kind: Any = None) -> None:
        super().__init__(source, reading, _rows)
        self._source, self._raw, self._reading = source, raw, reading
        self.kind = kind
        """The type that a raw page is decoded into."""

    def __repr__(self) -> str:
        return "<Listing: iterate over it with `async for`, or await its collect()>"  # its filters are personal

    @overload
    def pages(self, *, raw: Literal[False] = False) -> PageStream[Page[T]]: ...

    @overload
    def pages(self, *, raw: Literal[True]) -> PageStream[bytes]: ...

    def pages(self, *, raw: bool = False) -> PageStream[Page[T]] | PageStream[bytes]:
        """Return the same rows page by page, each with a `cursor` to continue after it and the `progress` so far.

        With `raw=True` each page is the JSON of a response, as the bytes that came. Nothing can be left out of such a
        page: rows may come on two of them, those of the last page may exceed `max_items`, and there may be rows from
        outside the interval. Drop every row whose id came before. No row is missing.
        """
        if raw:
            return PageStream(self._raw, self._reading, _body)
        return PageStream(self._source, self._reading, _page)

    def placed(self) -> PageStream[tuple[bytes, list[int]]]:
        """Return raw pages, each with the places in it of the rows that iteration would give."""
        return PageStream(self._raw, self._reading, _placed)

    async def collect(self) -> list[T]:
        """Read all rows into a list."""
        async with PageStream(self._source, self._reading, _rows) as rows:
            return [row async for row in rows]

    async def first(self) -> T | None:
        """Return the first row, or None, without requesting pages ahead."""
        async with PageStream(self._source, evolve(self._reading, prefetch=1), _rows) as rows:
            return await anext(rows, None)


def _rows(_: PageReader[Any], page: Page[T], __: Fetched[Any]) -> tuple[T, ...]:
    return page.items


def _page(reader: PageReader[Any], page: Page[T], _: Fetched[Any]) -> tuple[Page[T]]:
    return (evolve(page, cursor=reader.cursor()),)


def _body(_: PageReader[Any], __: Page[Any], fetched: Fetched[Any]) -> tuple[bytes]:
    return (fetched.body,)


def _placed(_: PageReader[Any], page: Page[Any], fetched: Fetched[Any]) -> tuple[tuple[bytes, list[int]]]:
    given = {id(row) for row in page.items}
    rows = fetched.page.items[fetched.skipped :]
    return ((fetched.body, [place for place, row in enumerate(rows) if id(row) in given]),)
