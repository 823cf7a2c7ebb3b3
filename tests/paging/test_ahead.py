"""Pages fetched before they are wanted: in order, bounded, and gone when their reader is."""

from __future__ import annotations

import asyncio
import gc
import threading
from contextlib import aclosing
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest
from attrs import define, field

from benchmarks.streaming.shifting import Row
from tests.session.harness import idle
from tests.virtual_time import run_virtual
from voxloud_async import VoxloudClient
from voxloud_async.errors import BadRequestError, ClientClosedError, DecodeError, UsageError
from voxloud_async.paging import Listing, Page
from voxloud_async.paging.addressing import Numbers, Offsets, PageRequest
from voxloud_async.paging.listing import Reading
from voxloud_async.paging.source import Fetched, Source
from voxloud_async.sandbox import Concurrency, Fault, Sandbox, Weather

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LATENCY = 1.0


@define
class Slow:
    """Contacts (or rows with numbered pages and a total), each page after a second of virtual time."""

    count: int
    numbered: bool = False
    failing_from: int | None = None
    asks: list[PageRequest] = field(factory=list)
    under_way: int = 0
    most: int = 0
    cancelled: int = 0

    async def fetch(self, ask: PageRequest) -> Fetched[Row]:
        self.asks.append(ask)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await asyncio.sleep(LATENCY)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.under_way -= 1
        return Fetched(self.page(ask))

    def page(self, ask: PageRequest) -> Page[Row]:
        if self.failing_from is not None and ask.start + ask.size > self.failing_from:
            raise DecodeError("broken")
        end = ask.start + ask.size
        items = tuple(map(Row, range(ask.start, min(end, self.count))))
        total = self.count if self.numbered else None
        return Page(items=items, has_next=end < self.count, total=total)

    def listing(self, prefetch: int, **options: Any) -> Listing[Row]:
        source: Source[Row] = Source(
            fetch=self.fetch, addressing=Numbers if self.numbered else Offsets, page_size=20, filters="slow"
        )
        return Listing(source, source, Reading(prefetch=prefetch, **options))


@pytest.fixture
def slow() -> Slow:
    return Slow(1000, numbered=True)


async def clock() -> float:
    return asyncio.get_running_loop().time()


def test_pages_come_at_once_and_rows_in_order(slow: Slow) -> None:
    async def main() -> tuple[list[int], float]:
        started = await clock()
        rows = [row.id async for row in slow.listing(8)]
        return rows, await clock() - started

    rows, seconds = run_virtual(main())
    assert rows == list(range(1000))
    assert slow.most == 8
    assert seconds <= len(slow.asks) / 8 + 2


def test_the_first_row_comes_as_early_as_without_look_ahead(slow: Slow) -> None:
    async def main() -> float:
        started = await clock()
        async with aiter(slow.listing(16)) as rows:
            await anext(rows)
            return await clock() - started

    assert run_virtual(main()) == pytest.approx(LATENCY)


def test_a_slow_reader_stops_further_fetches(slow: Slow) -> None:
    async def main() -> int:
        async with slow.listing(4).pages() as pages:
            await anext(pages)
            await asyncio.sleep(100.0)
            return len(slow.asks)

    assert run_virtual(main()) == 4  # the one that is read, and three behind it


def test_one_page_at_a_time_is_asked_for_when_it_is_wanted(slow: Slow) -> None:
    async def main() -> int:
        async with slow.listing(1).pages() as pages:
            await anext(pages)
            await asyncio.sleep(100.0)
            return len(slow.asks)

    assert run_virtual(main()) == 1
    assert slow.most == 1


@pytest.mark.parametrize(("count", "wasted"), [(0, 0), (20, 0), (40, 1), (60, 1), (1000, 7)])
def test_without_a_total_few_pages_are_asked_for_in_vain(count: int, wasted: int) -> None:
    """Contacts have `has_next` alone."""
    slow = Slow(count)
    assert len(run_virtual(slow.listing(8).collect())) == count
    beyond = [ask for ask in slow.asks if ask.start >= max(count, 1)]
    assert len(beyond) <= wasted
    assert slow.most <= 8


def test_no_more_is_fetched_than_wanted_rows_need(slow: Slow) -> None:
    assert len(run_virtual(slow.listing(8, max_items=50).collect())) == 50
    assert len(slow.asks) <= 4
    slow.asks.clear()
    assert run_virtual(slow.listing(8, max_items=0).collect()) == []
    assert run_virtual(slow.listing(8).first()) == Row(0)
    assert len(slow.asks) == 1


@pytest.mark.parametrize("prefetch", [1, 4, 8])
def test_an_error_is_raised_after_the_rows_before_it(prefetch: int) -> None:
    slow = Slow(1000, numbered=True, failing_from=200)

    async def main() -> list[int]:
        seen: list[int] = []

        async def read() -> None:
            async for row in slow.listing(prefetch):
                seen.append(row.id)  # noqa: PERF401 - what came before the error

        with pytest.raises(DecodeError, match="broken"):
            await read()
        assert others() == set()
        return seen

    seen = run_virtual(main())
    assert seen == list(range(len(seen)))
    assert 170 <= len(seen) < 200


def test_an_error_that_nobody_comes_to_is_nobodys(slow: Slow) -> None:
    slow.failing_from = 60

    async def main() -> list[dict[str, Any]]:
        heard: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context))
        async with aiter(slow.listing(8)) as rows:
            await anext(rows)
            await asyncio.sleep(10.0)
        gc.collect()
        await asyncio.sleep(1.0)
        return heard

    assert run_virtual(main()) == []


def others() -> set[asyncio.Task[Any]]:
    return asyncio.all_tasks() - {asyncio.current_task()}


def test_closed_it_has_let_go_before_control_returns(slow: Slow) -> None:
    async def main() -> None:
        rows = aiter(slow.listing(8))
        async with aclosing(rows):
            await anext(rows)
            await asyncio.sleep(0)
            assert len(others()) == 7
        assert others() == set()
        assert slow.cancelled == 7
        with pytest.raises(UsageError, match="closed before its end"):
            await anext(rows)
        await rows.aclose()

    run_virtual(main())


@pytest.mark.parametrize("way", ["rows", "pages", "raw"])
def test_left_without_closing_it_has_let_go_in_the_next_turn(slow: Slow, way: str) -> None:
    def reading() -> AsyncIterator[Any]:
        listing = slow.listing(8)
        if way == "rows":
            return aiter(listing)
        return listing.pages() if way == "pages" else listing.pages(raw=True)

    async def main() -> None:
        async for _ in reading():
            await asyncio.sleep(0)
            assert len(others()) == 7
            break
        await asyncio.sleep(0)
        assert others() == set()
        assert slow.cancelled == 7

    run_virtual(main())


def test_an_exception_in_the_loop_lets_go(slow: Slow) -> None:
    async def stumble() -> None:
        async for _ in slow.listing(8):
            raise ZeroDivisionError

    async def main() -> None:
        with pytest.raises(ZeroDivisionError):
            await stumble()
        await asyncio.sleep(0)
        assert others() == set()

    run_virtual(main())


@pytest.mark.parametrize("after", [0.5, 1.0, 1.5, 2.5])
def test_a_cancelled_reader_lets_go(slow: Slow, after: float) -> None:
    async def main() -> None:
        task = asyncio.ensure_future(slow.listing(8).collect())
        await asyncio.sleep(after)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert others() == set()
        assert slow.under_way == 0

    run_virtual(main())


def test_dropped_by_another_thread_or_after_its_loop(slow: Slow) -> None:
    held: list[AsyncIterator[Row]] = []

    async def main() -> None:
        held.append(aiter(slow.listing(8)))
        await anext(held[0])
        await asyncio.sleep(0)
        thread = threading.Thread(target=held.clear)
        thread.start()
        thread.join()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert others() == set()
        held.append(aiter(slow.listing(8)))
        await anext(held[0])

    run_virtual(main())
    held.clear()


def test_two_tasks_cannot_share_one_read(slow: Slow) -> None:
    async def main() -> None:
        rows = aiter(slow.listing(4))
        first = asyncio.ensure_future(anext(rows))
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="another task"):
            await anext(rows)
        with pytest.raises(RuntimeError, match="another task"):
            await rows.aclose()
        assert await first == Row(0)
        await rows.aclose()

    run_virtual(main())


async def test_many_streams_keep_to_the_one_limit_of_the_client() -> None:
    """Of 128 pages that are looked ahead for, the service sees no more than 6 at once."""
    weather = Weather(latency=0.01, limits=(Concurrency(6),))
    async with (
        Sandbox(events=600, weather=weather) as sandbox,
        VoxloudClient(sandbox.api_key, base_url=sandbox.url, rate=None, max_concurrency=6) as client,
    ):
        query = client.telephony_events.query(page_size=30, prefetch=4)
        found = await asyncio.gather(*(query.collect() for _ in range(32)))
        assert {len(rows) for rows in found} == {600}
        assert sandbox.count() == sandbox.count(status=200)


async def test_a_stream_left_early_gives_permits_and_connections_back() -> None:
    async with (
        Sandbox(events=600, weather=Weather(latency=0.01)) as sandbox,
        VoxloudClient(sandbox.api_key, base_url=sandbox.url, rate=None, max_concurrency=4) as client,
    ):
        for _ in range(20):
            async for _ in client.telephony_events.query(page_size=20, prefetch=8):
                break
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        limiter = client._session._limiter
        assert limiter is not None
        assert idle(limiter)
        assert len(await client.telephony_events.query(page_size=20).collect()) == 600


async def test_closing_the_client_ends_a_stream() -> None:
    async with Sandbox(events=600, weather=Weather(latency=0.05)) as sandbox:
        client = VoxloudClient(sandbox.api_key, base_url=sandbox.url, rate=None)
        rows = aiter(client.telephony_events.query(page_size=20, prefetch=4))
        await anext(rows)
        await client.aclose()
        with pytest.raises(ClientClosedError):
            _ = [row async for row in rows]


async def test_a_refused_page_is_an_error_where_it_stands() -> None:
    """What follows it is tried as an interval before: the service may only refuse deep pages."""
    async with (
        Sandbox(events=300) as sandbox,
        VoxloudClient(sandbox.api_key, base_url=sandbox.url, rate=None) as client,
    ):
        pages = client.telephony_events.query(page_size=50, prefetch=1).pages()
        assert (await anext(pages)).items
        sandbox.fail_next(Fault(status=HTTPStatus.BAD_REQUEST), 2)
        with pytest.raises(BadRequestError):
            await anext(pages)
        assert sandbox.count() == 3
        rest = [row async for page in pages for row in page.items]
        assert [row.id for row in rest] == list(sandbox.state.events.ids)[50:]
