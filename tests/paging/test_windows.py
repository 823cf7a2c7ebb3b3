"""Long lists are read in intervals; an open end stays open."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from benchmarks.streaming.shifting import Row
from tests.paging.calm import calm, parsed
from voxloud_async import VoxloudClient
from voxloud_async.paging.addressing import Window
from voxloud_async.paging.by_time import ByTime
from voxloud_async.paging.epoch import from_epoch, to_epoch
from voxloud_async.paging.page_reader import DEEP_PAGES, PageReader
from voxloud_async.sandbox import Quirks, Sandbox


@pytest.mark.usefixtures("short_windows")
async def test_t17_a_long_list_goes_on_from_a_moment_and_not_from_a_deep_page() -> None:
    service = calm(rows=3000, page_size=20)
    assert await service.listing().collect() == service.rows
    *early, last = service.asks
    assert max(ask.start for ask in early) <= DEEP_PAGES * 20
    assert last.window == Window(), "an interval may leave out rows without a time"
    assert len({ask.window.since for ask in service.asks}) > 2
    assert len(service.asks) <= 3000 / 20 * 1.5


@pytest.mark.usefixtures("short_windows")
async def test_t17_the_latest_first() -> None:
    service = calm(rows=3000, page_size=20, direction=-1)
    assert await service.listing().collect() == service.ordered(Window())
    assert len({ask.window.until for ask in service.asks}) > 2


async def test_t17_a_list_of_a_few_thousand_rows_is_one_window() -> None:
    service = calm(rows=3000, page_size=20)
    assert await service.listing().collect() == service.rows
    assert {ask.window.since for ask in service.asks} == {None}


@pytest.mark.usefixtures("short_windows")
async def test_totals_and_positions_hold_over_several_windows() -> None:
    service = calm(rows=3000, page_size=20)
    pages = [page async for page in service.listing().pages()]
    assert {page.total for page in pages} == {3000}
    rest = await service.listing(cursor=parsed(pages[-2])).collect()
    assert rest == list(pages[-1].items)


async def test_an_open_end_stays_open() -> None:
    service = calm()
    await service.listing().collect()
    assert {ask.window.until for ask in service.asks} == {None}


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-03:00", "2026-06-30T10:00:00+02:00"]
)
def test_p5_every_time_is_a_number_and_the_nearest_time_of_utc(text: str) -> None:
    at = datetime.fromisoformat(text)
    back = from_epoch(to_epoch(at))
    assert back.utcoffset() == timedelta(0)
    assert abs(to_epoch(back) - to_epoch(at)) <= 14 * 3600 * 1_000_000
    assert (back == at) is (at.year == 2026)


@pytest.mark.parametrize(("text", "direction"), [("0001-01-01T00:00:00+14:00", 1), ("9999-12-31T23:59:59-03:00", -1)])
async def test_p5_a_time_that_utc_cannot_express_is_the_first_or_last_one(text: str, direction: int) -> None:
    service = calm(rows=200, direction=direction)
    service.rows[0] = evolve(service.rows[0], timestamp=datetime.fromisoformat(text))
    rows, cursor = list[Row](), None
    while True:
        async with service.listing(cursor=cursor, max_items=7 if cursor is None else None).pages() as pages:
            page = await anext(pages, None)
        if page is None or not page.items:
            break
        rows += page.items
        cursor = parsed(page)
    assert sorted(row.id for row in rows) == sorted(row.id for row in service.rows)


async def test_memory_is_bounded_by_what_may_come_again() -> None:
    for is_timed, rows, most in ((True, 6_000, 2_000), (False, 30_000, 20_000)):
        service = calm(rows=rows, page_size=100, moments=80_000_000, is_timed=is_timed)
        read = PageReader(source=service.source(), prefetch=1)
        held, count = 0, 0
        while (step := await read.next_page()) is not None:
            count += len(step[0].items)
            order = read._order
            held = max(held, len(order.recent if isinstance(order, ByTime) else order.known))
        assert count == rows
        assert held <= most


@pytest.mark.parametrize("interval", ["half_open", "closed"])
async def test_windows_hold_whether_or_not_an_end_is_included(interval: Any) -> None:
    async with (
        Sandbox(events=2000, quirks=Quirks(interval=interval)) as sandbox,
        VoxloudClient(sandbox.api_key, base_url=sandbox.url, rate=None) as client,
    ):
        rows = await client.telephony_events.query(page_size=16, prefetch=8).collect()
        assert [row.id for row in rows] == list(sandbox.state.events.ids)
