"""The walk through pages, without a network."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from attrs import frozen
from hypothesis import given, settings, strategies as st

from voxloud_async import VoxloudClient
from voxloud_async.errors import DecodeError
from voxloud_async.paging import Listing, by_number, by_offset
from voxloud_async.protocol.page import Page
from voxloud_async.testing import FakeTransport, answer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@frozen
class Row:
    id: int | None
    text: str = ""


class Rows:
    """A server of rows that keeps the positions it was asked for."""

    def __init__(self, rows: Sequence[Row], size: int, *, numbered: bool = False, first: int = 0) -> None:
        self.rows = list(rows)
        self.size = size
        self.numbered = numbered
        self.first = first
        self.positions: list[int | None] = []
        self.hopeful = False
        self.silent = False

    async def fetch(self, position: int | None) -> Page[Row]:
        self.positions.append(position)
        await asyncio.sleep(0)
        number = (self.first if position is None else position) - self.first
        start = number * self.size if self.numbered else position or 0
        items = tuple(self.rows[start : start + self.size])
        more = start + self.size < len(self.rows) or (self.hopeful and len(items) == self.size)
        return Page(
            items=items,
            has_next=None if self.silent else more,
            number=number + self.first if self.numbered and not self.silent else None,
        )

    def listing(self, max_items: int | None = None, wanted: Callable[[Row], bool] | None = None) -> Listing[Row]:
        return Listing(self.fetch, by_number if self.numbered else by_offset, max_items, wanted)


def some(count: int) -> list[Row]:
    return [Row(number) for number in range(count)]


@given(
    count=st.integers(0, 40),
    size=st.integers(1, 12),
    max_items=st.none() | st.integers(0, 45),
    numbered=st.booleans(),
    first=st.integers(0, 1),
    hopeful=st.booleans(),
    silent=st.booleans(),
)
@settings(max_examples=200, deadline=None)
def test_every_row_comes_once_and_in_order(
    *, count: int, size: int, max_items: int | None, numbered: bool, first: int, hopeful: bool, silent: bool
) -> None:
    # A server that counts from 1 and does not say so cannot be told from one that counts from 0 and repeats its first
    # page: the repeated page is skipped all the same.
    rows = some(count)
    server = Rows(rows, size, numbered=numbered, first=first)
    server.hopeful, server.silent = hopeful, silent

    async def walk() -> tuple[list[Row], list[Row]]:
        listing = server.listing(max_items)
        by_page = [item async for page in listing.pages() for item in page.items]
        return await listing.collect(), by_page

    collected, by_page = asyncio.run(walk())
    assert collected == by_page == (rows if max_items is None else rows[:max_items])


async def test_an_iteration_starts_anew() -> None:
    listing = Rows(some(5), 2).listing()
    assert await listing.collect() == await listing.collect() == some(5)


async def test_no_page_is_fetched_beyond_what_is_needed() -> None:
    server = Rows(some(9), 3)
    assert await server.listing(max_items=6).collect() == some(6)
    assert server.positions == [None, 3]
    assert await server.listing(max_items=0).collect() == []
    assert await server.listing(max_items=0).first() is None
    assert [page async for page in server.listing(max_items=0).pages()] == []
    assert server.positions == [None, 3]


async def test_first_fetches_one_page() -> None:
    server = Rows(some(9), 3)
    assert await server.listing().first() == Row(0)
    assert server.positions == [None]
    assert await Rows([], 3).listing().first() is None


async def test_first_looks_on_where_no_row_of_a_page_is_wanted() -> None:
    server = Rows(some(9), 3)
    assert await server.listing(wanted=lambda row: row.id == 7).first() == Row(7)
    assert await server.listing(wanted=lambda _: False).first() is None


async def test_c13_an_empty_page_ends_a_walk_whatever_it_promises() -> None:
    server = Rows(some(4), 2)
    server.hopeful = True
    assert [len(page.items) async for page in server.listing().pages()] == [2, 2, 0]
    assert server.positions == [None, 2, 4]

    async def empty(_: int | None) -> Page[Row]:
        return Page(items=(), has_next=True)

    assert await Listing(empty, by_offset).collect() == []


async def test_t9_pages_may_count_from_one() -> None:
    server = Rows(some(5), 2, numbered=True, first=1)
    assert await server.listing().collect() == some(5)
    assert server.positions == [None, 2, 3]


async def test_t9_a_server_that_asks_from_one_and_answers_from_zero() -> None:
    """Spring's `one-indexed-parameters`: page 0 and page 1 are both the first, and `number` counts from 0."""
    rows = some(5)

    async def fetch(page: int | None) -> Page[Row]:
        number = max((page or 0) - 1, 0)
        return Page(items=tuple(rows[number * 2 : number * 2 + 2]), has_next=number < 2, number=number)

    assert await Listing(fetch, by_number).collect() == rows


@pytest.mark.parametrize("number", [None, 0, 7, 10**12, -5])
def test_the_number_of_a_page_is_trusted_by_one_at_most(number: int | None) -> None:
    page: Page[object] = Page(items=(), number=number)
    assert by_number(0, page) == 1
    assert by_number(6, page) == (8 if number == 7 else 7)


async def test_c11_a_row_that_shifts_onto_the_next_page_is_not_doubled() -> None:
    server = Rows(some(7), 3)
    seen = []
    async for row in server.listing():
        seen.append(row)
        if row.id == 1:
            server.rows.insert(0, Row(-1))
    assert seen == some(7)


async def test_pages_leave_the_doubled_row_out_as_well() -> None:
    server = Rows(some(6), 3)
    pages = []
    async for page in server.listing().pages():
        pages.append([row.id for row in page.items])
        server.rows = [Row(-1), *some(6)]
    assert pages == [[0, 1, 2], [3, 4], [5]]


async def test_rows_without_an_id_are_told_apart_by_all_they_hold() -> None:
    rows = [Row(None, "a"), Row(None, "b"), Row(None, "c")]
    assert await Rows(rows, 1).listing().collect() == rows


@pytest.mark.parametrize("advance", [by_offset, by_number])
@pytest.mark.parametrize("max_items", [None, 100])
async def test_a_server_that_repeats_itself_is_found_out(advance: Any, max_items: int | None) -> None:
    asked = []

    async def fetch(position: int | None) -> Page[Row]:
        asked.append(position)
        return Page(items=(Row(1), Row(2)), has_next=True, number=0)

    with pytest.raises(DecodeError, match="the same rows over and over"):
        await Listing(fetch, advance, max_items).collect()
    assert len(asked) == 3


async def test_a_repeated_last_page_is_no_fault() -> None:
    pages = iter([True, True, False])

    async def fetch(_: int | None) -> Page[Row]:
        return Page(items=(Row(1),), has_next=next(pages))

    assert await Listing(fetch, by_offset).collect() == [Row(1)]


async def test_repeating_once_and_going_on_is_no_fault() -> None:
    pages = iter([[1, 2], [1, 2], [3, 4], [3, 4], []])

    async def fetch(_: int | None) -> Page[Row]:
        return Page(items=tuple(map(Row, next(pages))), has_next=True)

    assert await Listing(fetch, by_offset).collect() == [Row(1), Row(2), Row(3), Row(4)]


async def test_an_unwanted_row_counts_for_the_walk_and_not_for_the_caller() -> None:
    server = Rows(some(9), 3)
    listing = server.listing(max_items=2, wanted=lambda row: row.id in {4, 7, 8})
    assert await listing.collect() == [Row(4), Row(7)]
    assert [len(page.items) async for page in server.listing(wanted=lambda row: row.id == 8).pages()] == [0, 0, 1]


async def test_an_early_break_leaves_nothing_open() -> None:
    server = Rows(some(9), 3)
    before = asyncio.all_tasks()
    walk = aiter(server.listing())
    assert await anext(walk) == Row(0)
    await walk.aclose()
    with pytest.raises(StopAsyncIteration):
        await anext(walk)
    assert asyncio.all_tasks() == before
    assert server.positions == [None]


async def test_a_page_that_fails_fails_the_walk() -> None:
    async def fetch(_: int | None) -> Page[Row]:
        raise DecodeError("missing")

    for walk in (Listing(fetch, by_offset).collect(), Listing(fetch, by_offset).first()):
        with pytest.raises(DecodeError):
            await walk


def test_a_listing_does_not_show_what_it_looks_for() -> None:
    client = VoxloudClient("key", transport=FakeTransport())
    shown = repr(client.contacts.search(phone="+390312345678", email="ada@example.com")) + repr(client.contacts)
    assert "390312345678" not in shown
    assert "ada" not in shown


async def test_no_more_rows_are_asked_for_than_are_wanted() -> None:
    transport = FakeTransport(answer({"data": [{"id": "a"}], "has_next": True}))
    client = VoxloudClient("key", transport=transport, base_url="https://api.example")
    assert [contact.id async for contact in client.contacts.search(max_items=1)] == ["a"]
    assert transport.requests[0].url.endswith("limit=1")
