"""Cursors: a read goes on where another ended."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from benchmarks.streaming.shifting import START, Row, judge
from tests.paging.calm import calm, parsed
from voxloud_async import VoxloudClient
from voxloud_async.errors import ConflictError
from voxloud_async.paging import Progress
from voxloud_async.paging.addressing import Window
from voxloud_async.sandbox import Quirks, Sandbox


@pytest.mark.parametrize("is_timed", [True, False])
@pytest.mark.parametrize("direction", [1, -1])
async def test_a_cursor_goes_on_after_its_page(is_timed: bool, direction: int) -> None:  # noqa: FBT001
    service = calm(is_timed=is_timed, direction=direction, moments=60)
    pages = [page async for page in service.listing().pages()]
    for place, page in enumerate(pages):
        rest = await service.listing(cursor=parsed(page)).collect()
        assert rest == [row for later in pages[place + 1 :] for row in later.items]


@pytest.mark.parametrize("is_timed", [True, False])
@pytest.mark.parametrize("cut", [1, 20, 70, 99])
async def test_a_cursor_goes_on_where_max_items_cut(is_timed: bool, cut: int) -> None:  # noqa: FBT001
    service = calm(is_timed=is_timed)
    pages = [page async for page in service.listing(max_items=cut).pages()]
    first = [row for page in pages for row in page.items]
    assert len(first) == cut
    assert first + await service.listing(cursor=parsed(pages[-1])).collect() == service.rows


@pytest.mark.parametrize("is_timed", [True, False])
async def test_a_cursor_holds_while_rows_move(is_timed: bool) -> None:  # noqa: FBT001
    for seed in range(40):
        service = calm(seed=seed, rows=150, is_timed=is_timed, inserts=5, deletes=5, page_size=20, pauses=30)
        rows: list[int] = []
        cursor = None
        for _ in range(200):
            page = await anext(service.listing(cursor=cursor).pages(), None)
            if page is None or not page.items:
                break
            rows += [row.id for row in page.items]
            cursor = parsed(page)
        verdict = judge(service, rows)
        assert (verdict.lost, verdict.doubled) == (0, 0)


async def test_a_cursor_is_good_for_the_same_filters_alone() -> None:
    async with (
        Sandbox(events=200, contacts=60) as sandbox,
        VoxloudClient(sandbox.api_key, base_url=sandbox.url, rate=None) as client,
    ):
        pages = [page async for page in client.contacts.search(page_size=25).pages()]
        cursor = pages[0].cursor
        rest = await client.contacts.search(page_size=10, cursor=cursor).collect()
        assert rest == [row for page in pages[1:] for row in page.items]
        events = [page async for page in client.telephony_events.query(page_size=50).pages()]
        later = await client.telephony_events.query(cursor=events[1].cursor).collect()
        assert later == [row for page in events[2:] for row in page.items]
        asked = sandbox.count()
        for bad in (cursor, events[0].cursor, "x", "", "ä", f"{cursor}A", 5, (cursor or "")[:-4]):
            with pytest.raises((ValueError, TypeError), match="cursor"):
                client.contacts.search(first_name="a", cursor=bad)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="cursor"):
            client.telephony_events.query(sort="timestamp,desc", cursor=events[0].cursor)
        assert sandbox.count() == asked


@pytest.mark.parametrize("direction", [1, -1])
async def test_a_cut_page_may_be_larger_than_what_a_read_remembers(direction: int) -> None:
    service = calm(rows=5_000, page_size=2_000, direction=direction)
    for cut in (10, 2_500):
        pages = [page async for page in service.listing(max_items=cut).pages()]
        given = [row for page in pages for row in page.items]
        rest = await service.listing(cursor=parsed(pages[-1])).collect()
        assert given + rest == service.ordered(Window())


async def test_a_cursor_holds_where_late_rows_of_one_moment_are_cut() -> None:
    for seed in range(12):
        service = calm(seed=seed, rows=10, moments=5, inserts=20, pauses=20)
        rows: list[int] = []
        cursor = None
        for cut in (1, 2, 3) * 300:
            pages = [page async for page in service.listing(max_items=cut, cursor=cursor).pages()]
            given = [row.id for page in pages for row in page.items]
            if not given:
                break
            rows += given
            cursor = parsed(pages[-1])
        verdict = judge(service, rows)
        assert (verdict.lost, verdict.doubled) == (0, 0)


async def test_the_cursor_of_an_empty_list_finds_what_came_since() -> None:
    service = calm(rows=0)
    nothing = await anext(service.listing().pages())
    assert nothing.items == ()
    service.rows = calm(rows=30).rows
    assert await service.listing(cursor=parsed(nothing)).collect() == service.rows


async def test_a_cursor_of_the_last_page_finds_what_came_since() -> None:
    service = calm(rows=20)
    page = await anext(service.listing().pages())
    assert await service.listing(cursor=parsed(page)).collect() == []
    late = Row(1_000, START + timedelta(days=9))
    service.rows.append(late)
    assert await service.listing(cursor=parsed(page)).collect() == [late]


async def test_a_cursor_holds_where_the_service_sends_fewer_rows_at_once_since() -> None:
    service = calm(rows=300, page_size=50)
    page = await anext(service.listing().pages())
    service.schedule = evolve(service.schedule, most=20)
    assert await service.listing(cursor=parsed(page)).collect() == service.rows[50:]


async def test_c11_a_cursor_finds_its_rows_behind_many_new_ones() -> None:
    async with (
        Sandbox(contacts=120, quirks=Quirks(contact_order="newest_first")) as sandbox,
        VoxloudClient(sandbox.api_key, base_url=sandbox.url, rate=None) as client,
    ):
        pages = [page async for page in client.contacts.search(page_size=50).pages()]
        fields: Any = ({"first_name": "New", "primary_phone": f"+3903120{each:05}"} for each in range(250))
        assert (await client.contacts.create_many(fields).finish()).done == 250
        told: list[Progress] = []
        rest = await client.contacts.search(cursor=pages[0].cursor, on_progress=told.append).collect()
        assert rest == [row for page in pages[1:] for row in page.items]
        assert told[-1].repaired == 1
        assert told[-1].duplicates < 10, "rows that it looks through are no duplicates"


async def test_c11_a_cursor_whose_rows_are_gone_is_a_conflict() -> None:
    service = calm(is_timed=False)
    page = await anext(service.listing().pages())
    service.rows = [Row(1_000_000 + number) for number in range(50)]
    with pytest.raises(ConflictError, match="lacks the rows"):
        await service.listing(cursor=parsed(page)).collect()
    service.rows = []
    assert await service.listing(cursor=parsed(page)).collect() == [], "no row is left to lose"
