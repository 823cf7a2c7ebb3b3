"""What a read does where a page is refused, where pages cannot overlap, and where it cannot go on."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from attrs import define, evolve, field

from benchmarks.streaming.shifting import Row, Shifting
from tests.paging.calm import calm
from voxloud_async.errors import BadRequestError, ConflictError
from voxloud_async.paging import Listing
from voxloud_async.paging.addressing import Offsets, PageRequest, Window
from voxloud_async.paging.listing import Reading
from voxloud_async.paging.source import Fetched


@define
class Refusing:
    """A list that refuses pages that are too large, or too deep, with 400."""

    service: Shifting
    most: int = 10**9
    deepest: int = 10**9
    requests: list[PageRequest] = field(factory=list)

    async def fetch(self, request: PageRequest) -> Fetched[Row]:
        self.requests.append(request)
        if request.size > self.most or request.start > self.deepest:
            raise BadRequestError(400, "not so")
        return await self.service.fetch(request)

    def listing(self, **source: Any) -> Listing[Row]:
        own = evolve(self.service.source(), fetch=self.fetch, **source)
        return Listing(own, own, Reading(prefetch=self.service.schedule.prefetch))


async def test_p2_a_size_that_is_refused_after_a_smaller_one_worked_is_a_cap() -> None:
    """Such as a first page of as many rows as were left to read."""
    refusing = Refusing(calm(page_size=50), most=30)
    listing = refusing.listing()
    listing._reader.left = 30  # the first request is of 30 rows
    assert (await anext(listing)).id == refusing.service.rows[0].id
    listing._reader.left = None
    rest = [row async for row in listing]
    assert rest == refusing.service.rows[1:]
    assert listing._reader.progress.capped_size == 30
    assert max(request.size for request in refusing.requests) <= 50


async def test_p2_a_first_page_that_is_refused_is_an_error() -> None:
    refusing = Refusing(calm(page_size=50), most=30)
    with pytest.raises(BadRequestError):
        await refusing.listing().collect()
    assert len(refusing.requests) == 1


@pytest.mark.parametrize("direction", [1, -1])
async def test_where_deep_pages_are_refused_the_rest_is_an_interval(direction: int) -> None:
    refusing = Refusing(calm(rows=900, page_size=50, direction=direction), deepest=200)
    assert await refusing.listing().collect() == refusing.service.ordered(Window())
    assert len(refusing.requests) < 40


async def test_a_list_that_is_not_in_the_order_of_time_cannot_be_read_so() -> None:
    refusing = Refusing(calm(rows=900, page_size=50, is_timed=False), deepest=200)
    with pytest.raises(BadRequestError):
        await refusing.listing().collect()
    assert len(refusing.requests) <= 10


async def test_a_conflict_is_raised_again() -> None:
    """Another attempt would not know what was lost."""
    service = calm(is_timed=False, rows=400, page_size=20, prefetch=1)
    listing = service.listing()
    for _ in range(60):
        await anext(listing)

    async def rest() -> None:
        async for _ in listing:
            service.rows.reverse()

    with pytest.raises(ConflictError) as first:
        await rest()
    asked = len(service.asks)
    with pytest.raises(ConflictError) as again:
        await anext(listing)
    assert again.value is first.value
    assert len(service.asks) == asked


async def test_pages_that_cannot_overlap_are_read_twice() -> None:
    service = calm(is_timed=False, rows=5, page_size=1, prefetch=1)
    assert await service.listing().collect() == service.rows
    assert len(service.asks) == 1 + 3 * 4 + 3, "three for each page, and three for the one that is not there"


async def test_where_such_pages_move_meanwhile_the_read_says_so() -> None:
    service = calm(is_timed=False, rows=50, page_size=1, prefetch=1)

    async def fetch(request: PageRequest) -> Fetched[Row]:
        found = await service.fetch(request)
        service.rows.insert(0, Row(10_000 + len(service.asks)))
        return found

    source = evolve(service.source(), fetch=fetch, addressing=Offsets)
    with pytest.raises(ConflictError, match="pages of 1 rows cannot overlap: use a larger page_size"):
        await Listing(source, source, Reading(prefetch=1)).collect()
    assert len(service.asks) <= 4


async def test_a_fetch_that_others_cancel_cancels_its_reader() -> None:
    async def fetch(_: PageRequest) -> Fetched[Row]:
        raise asyncio.CancelledError

    source = evolve(calm().source(), fetch=fetch)
    with pytest.raises(asyncio.CancelledError):
        await anext(Listing(source, source, Reading(prefetch=1)))


def test_a_listing_that_was_never_made_is_dropped_in_peace() -> None:
    listing: Any = Listing.__new__(Listing)
    del listing
