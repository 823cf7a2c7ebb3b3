"""Long lists are read in windows of time, and an open end is frozen."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from tests.paging.shifting import START, calm, parsed
from voxloud_async import VoxloudClient
from voxloud_async.paging import Listing
from voxloud_async.paging.places import Window
from voxloud_async.paging.walk import WINDOW_PAGES, Walk
from voxloud_async.sandbox import Quirks, Sandbox


@pytest.mark.usefixtures("short_windows")
async def test_t17_a_long_list_goes_on_from_a_moment_and_not_from_a_deep_page() -> None:
    service = calm(rows=3000, page_size=20)
    assert await service.listing().collect() == service.rows
    deepest = max(ask.start // ask.size for ask in service.asks)
    assert deepest <= WINDOW_PAGES + 8
    assert len({ask.window.since for ask in service.asks}) > 2
    assert len(service.asks) <= 3000 / 20 * 1.1


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


async def test_an_open_end_is_frozen_after_the_first_page() -> None:
    service = calm()
    await service.listing().collect()
    assert [ask.window.until for ask in service.asks] == [None] + [START + timedelta(days=1)] * (len(service.asks) - 1)


async def test_a_start_that_is_ahead_leaves_the_end_open() -> None:
    service = calm()
    source = evolve(service.source(), window=Window(since=START), now=lambda: START - timedelta(days=1))
    rows = await Listing(source=source, raw=source, prefetch=2).collect()
    assert rows == service.rows
    assert {ask.window.until for ask in service.asks} == {None}


async def test_memory_is_bounded_by_what_may_come_again() -> None:
    for is_timed, rows, most in ((True, 6_000, 2_000), (False, 30_000, 20_000)):
        service = calm(rows=rows, page_size=100, moments=80_000_000, is_timed=is_timed)
        read = Walk(source=service.source(), prefetch=1)
        held, count = 0, 0
        while (page := await read.step()) is not None:
            count += len(page.items)
            held = max(held, len(read._seam.ids))
        assert count == rows
        assert held <= most


async def test_the_end_is_frozen_at_the_services_time() -> None:
    async with (
        Sandbox(events=200, keep_bodies=True) as sandbox,
        VoxloudClient(sandbox.api_key, base_url=sandbox.url, rate=None) as client,
    ):
        newest = sandbox.state.events.moment(sandbox.state.events.ids[-1])
        rows = await client.telephony_events.query(page_size=50).collect()
        assert len(rows) == 200
        ends = [json.loads(each.body or b"").get("date_time_to") for each in sandbox.requests]
        assert ends[0] is None
        assert len(set(ends[1:])) == 1
        frozen = datetime.fromisoformat(ends[1])
        assert newest <= frozen.timestamp() * 1000 <= newest + 10_000 or frozen >= sandbox.now


@pytest.mark.parametrize("interval", ["half_open", "closed"])
async def test_windows_hold_whether_or_not_an_end_is_included(interval: Any) -> None:
    async with (
        Sandbox(events=2000, quirks=Quirks(interval=interval)) as sandbox,
        VoxloudClient(sandbox.api_key, base_url=sandbox.url, rate=None) as client,
    ):
        rows = await client.telephony_events.query(page_size=16, prefetch=8).collect()
        assert [row.id for row in rows] == list(sandbox.state.events.ids)
