"""Walks the pages of a list, row by row or page by page."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Generic, TypeVar

from attrs import define, evolve, frozen

from .errors import DecodeError
from .protocol.page import Page

T = TypeVar("T")

Fetch = Callable[[int | None], Awaitable[Page[T]]]
"""Fetches the page at a position: rows before it (contacts) or its number (telephony events); None is the first."""

_STALLED = 2


@frozen(repr=False)
class Listing(Generic[T]):
    """A list that is read as it is iterated, each iteration anew. It holds no connection between two rows.

    A row that the page before had already, because rows moved in between, is left out. Where two pages in a row bring
    nothing new the service repeats itself: that raises `DecodeError`, since it would never end.
    """

    _fetch: Fetch[T]
    _advance: Callable[[int, Page[T]], int]
    _max_items: int | None = None
    _wanted: Callable[[T], bool] | None = None

    def __repr__(self) -> str:
        return "<Listing: iterate it with `async for`, or await its collect()>"  # what it looks for is personal

    async def __aiter__(self) -> AsyncGenerator[T, None]:
        walk = self._walk()
        while (page := await walk.step()) is not None:
            for item in page.items:
                yield item

    async def pages(self) -> AsyncGenerator[Page[T], None]:
        """The same rows page by page, with what each page says of the rest."""
        walk = self._walk()
        while (page := await walk.step()) is not None:
            yield page

    async def collect(self) -> list[T]:
        """All rows, in memory."""
        return [item async for item in self]

    async def first(self) -> T | None:
        """The first row, or None; fetches no page beyond it."""
        walk = self._walk()
        while (page := await walk.step()) is not None:
            if page.items:
                return page.items[0]
        return None

    def _walk(self) -> _Walk[T]:
        return _Walk(self._fetch, self._advance, self._max_items, self._wanted)


@define
class _Walk(Generic[T]):
    """One way through the pages: where it stands, how many rows are left to give, what the last page had."""

    fetch: Fetch[T]
    advance: Callable[[int, Page[T]], int]
    left: int | None
    wanted: Callable[[T], bool] | None
    position: int | None = None
    seen: frozenset[object] = frozenset()
    stalled: int = 0
    ended: bool = False

    async def step(self) -> Page[T] | None:
        """The next page, less what is not wanted; None at the end."""
        if self.ended or self.left == 0:
            return None
        page = await self.fetch(self.position)
        # `has_next` may promise a row that was deleted meanwhile (anomaly C14): an empty page ends too.
        self.ended = not page.items or page.has_next is False
        self.position = self.advance(self.position or 0, page)
        items = self._new(page.items)
        if self.wanted is not None:
            items = tuple(filter(self.wanted, items))
        if self.left is not None:
            items = items[: self.left]
            self.left -= len(items)
        return page if len(items) == len(page.items) else evolve(page, items=items)

    def _new(self, items: tuple[T, ...]) -> tuple[T, ...]:
        """The rows that the page before did not have."""
        keys = [_key(item) for item in items]
        new = tuple(item for item, key in zip(items, keys, strict=True) if key not in self.seen)
        self.stalled = 0 if new or not items else self.stalled + 1
        if self.stalled == _STALLED and not self.ended:
            raise DecodeError("the service sends the same rows over and over")
        self.seen = frozenset(keys)
        return new


def by_offset(position: int, page: Page[object]) -> int:
    """Contacts are addressed by the number of rows before them."""
    return position + len(page.items)


def by_number(position: int, page: Page[object]) -> int:
    """Telephony events are addressed by the number of their page, from 0 unless the answers count from 1 (T9)."""
    return position + (2 if page.number == position + 1 else 1)


def _key(item: object) -> object:
    identifier = getattr(item, "id", None)
    return item if identifier is None else (type(item), identifier)
