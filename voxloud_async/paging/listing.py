"""A list as its reader sees it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar, overload

from attrs import evolve, field, frozen

from ..protocol.page import Page, Progress
from .cursor import Cursor
from .reader import Reader
from .source import Source
from .walk import Walk

T = TypeVar("T")


@frozen(repr=False, kw_only=True)
class Listing(Generic[T]):
    """A list that is read as it is iterated, each iteration anew, with some pages fetched ahead.

    Every row that is there throughout the read comes once, whatever arrives or is deleted meanwhile: pages overlap,
    each must prove that no row slipped by ahead of it, and what does not is read again. Where the rows move faster than
    that, `ConflictError` is raised; where the service repeats itself without end, `DecodeError`.

    The error of a page is raised when the reader comes to it. A loop that is left cancels the fetches under way;
    `async with aiter(listing) as rows` has waited for that when it ends.
    """

    _source: Source[T] = field(alias="source")
    _raw: Source[Any] = field(alias="raw")
    _prefetch: int = field(alias="prefetch")
    _max_items: int | None = field(default=None, alias="max_items")
    _includes: Callable[[datetime | None], bool] | None = field(default=None, alias="includes")
    _on_progress: Callable[[Progress], object] | None = field(default=None, alias="on_progress")
    _cursor: Cursor | None = field(default=None, alias="cursor")

    def __repr__(self) -> str:
        return "<Listing: iterate it with `async for`, or await its collect()>"  # what it looks for is personal

    def __aiter__(self) -> Reader[T]:
        return Reader(self._walk(self._source), _rows)

    @overload
    def pages(self, *, raw: Literal[False] = False) -> Reader[Page[T]]: ...

    @overload
    def pages(self, *, raw: Literal[True]) -> Reader[bytes]: ...

    def pages(self, *, raw: bool = False) -> Reader[Page[T]] | Reader[bytes]:
        """The same rows page by page, with what each page says of the rest and a `cursor` to go on after it.

        With `raw=True` the JSON of each page, as bytes as they came: of it only the envelope, ids and times are read.
        Since nothing can be left out of such a page, some rows come on two of them, some of the last page may be more
        than `max_items`, and rows that the service sent from outside of the interval are there: drop what has an id
        that came before. No row is missing.
        """
        if raw:
            return Reader(self._walk(self._raw), _body)
        return Reader(self._walk(self._source), _page)

    def placed(self) -> Reader[tuple[bytes, list[int]]]:
        """Raw pages, each with the places at which it has the rows that iteration would give."""
        return Reader(self._walk(self._raw), _placed)

    async def collect(self) -> list[T]:
        """All rows, in memory."""
        async with aiter(self) as rows:
            return [row async for row in rows]

    async def first(self) -> T | None:
        """The first row, or None; fetches no page beyond it."""
        async with aiter(evolve(self, prefetch=1)) as rows:
            return await anext(rows, None)

    def _walk(self, source: Source[Any]) -> Walk[Any]:
        includes = self._includes
        return Walk(
            source=source,
            prefetch=self._prefetch,
            left=self._max_items,
            wanted=None if includes is None else lambda row: includes(source.moment(row)),
            on_progress=self._on_progress,
            cursor_in=self._cursor,
        )


def _rows(_: Walk[T], page: Page[T]) -> tuple[T, ...]:
    return page.items


def _page(walk: Walk[T], page: Page[T]) -> tuple[Page[T]]:
    return (evolve(page, cursor=walk.cursor()),)


def _body(walk: Walk[Any], _: Page[Any]) -> tuple[bytes]:
    return (walk.came.body,)


def _placed(walk: Walk[Any], page: Page[Any]) -> tuple[tuple[bytes, list[int]]]:
    given = {id(row) for row in page.items}
    return ((walk.came.body, [place for place, row in enumerate(walk.came.page.items) if id(row) in given]),)
