"""Walks the pages of a list, row by row or page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Generic, TypeVar

from attrs import frozen

from .protocol.page import Page

T = TypeVar("T")

Fetch = Callable[[int], Awaitable[Page[T]]]
"""Fetches the page that starts after this many rows (contacts) or has this number (telephony events)."""


@frozen
class Listing(Generic[T]):
    """A list that is read as it is iterated, each iteration anew. It holds no connection between two rows."""

    _fetch: Fetch[T]
    _advance: Callable[[int, Page[T]], int]
    _max_items: int | None = None

    async def __aiter__(self) -> AsyncIterator[T]:
        position, left = 0, self._max_items
        while left is None or left > 0:
            page = await self._fetch(position)
            for item in page.items[:left]:
                yield item
            if _is_last(page):
                return
            left = None if left is None else left - len(page.items)
            position = self._advance(position, page)

    async def pages(self) -> AsyncIterator[Page[T]]:
        """The pages, with what each says of the rest. `max_items` ends after the page that reaches it."""
        position, left = 0, self._max_items
        while left is None or left > 0:
            page = await self._fetch(position)
            yield page
            if _is_last(page):
                return
            left = None if left is None else left - len(page.items)
            position = self._advance(position, page)

    async def collect(self) -> list[T]:
        """All rows, in memory."""
        return [item async for item in self]

    async def first(self) -> T | None:
        """The first row, or None; fetches one page."""
        page = await self._fetch(0)
        return page.items[0] if page.items else None


def by_offset(position: int, page: Page[object]) -> int:
    """Contacts are addressed by the number of rows before them."""
    return position + len(page.items)


def by_number(position: int, _: Page[object]) -> int:
    """Telephony events are addressed by the number of their page, from 0."""
    return position + 1


def _is_last(page: Page[object]) -> bool:
    # `has_next` may promise a row that was deleted meanwhile (anomaly C14): an empty page ends too.
    return not page.items or page.has_next is False
