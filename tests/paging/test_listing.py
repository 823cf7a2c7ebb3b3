"""The face of a list: rows, pages, bytes, cursors, progress; and services that are not as one would like."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from attrs import define, evolve, field
from hypothesis import given, settings, strategies as st

from tests.paging.shifting import START, Row, Schedule, Shifting, judge
from tests.virtual_time import run_virtual
from voxloud_async import VoxloudClient
from voxloud_async.errors import ConflictError, DecodeError
from voxloud_async.paging import Listing, Page, Progress, walk
from voxloud_async.paging.places import Ask, Numbers, Offsets, Window
from voxloud_async.paging.source import Fetched, Source
from voxloud_async.paging.walk import WINDOW_PAGES, Walk
from voxloud_async.sandbox import Quirks, Sandbox
from voxloud_async.testing import FakeTransport, answer

if TYPE_CHECKING:
    from collections.abc import Callable

CALM = Schedule(seed=1, rows=300, page_size=50, prefetch=4, moments=1_000_000)


def calm(**changes: Any) -> Shifting:
    return Shifting(evolve(CALM, **changes))


@pytest.mark.parametrize("is_timed", [True, False])
async def test_rows_pages_and_all_at_once_are_the_same(is_timed: bool) -> None:  # noqa: FBT001
    service = calm(is_timed=is_timed)
    listing = service.listing()
    rows = [row async for row in listing]
    assert rows == await listing.collect() == service.rows
    assert rows == [row async for page in listing.pages() for row in page.items]
    assert await listing.first() == rows[0]


@given(count=st.integers(0, 130), size=st.integers(1, 40), prefetch=st.integers(1, 9), cut=st.integers(0, 140))
@settings(max_examples=100, deadline=None)
def test_max_items_bounds_the_rows(count: int, size: int, prefetch: int, cut: int) -> None:
    for is_timed in (True, False):
        service = calm(rows=count, page_size=size, prefetch=prefetch, is_timed=is_timed)
        assert run_virtual(service.listing(max_items=cut).collect()) == service.rows[:cut]


async def test_a_page_tells_where_it_is_and_what_there_is() -> None:
    pages = [page async for page in calm().listing().pages()]
    assert [page.number for page in pages] == list(range(len(pages)))
    assert {page.total for page in pages} == {300}
    assert sum(len(page.items) for page in pages) == 300
    assert [page.has_next for page in pages] == [True] * (len(pages) - 1) + [False]


async def test_progress_counts_what_was_given() -> None:
    told: list[Progress] = []
    pages = [page async for page in calm().listing(on_progress=told.append).pages()]
    assert [page.progress for page in pages] == told
    assert [each.pages for each in told] == list(range(1, len(pages) + 1))
    assert told[-1] == Progress(rows=300, pages=len(pages), total=300)


async def test_progress_reports_what_moved() -> None:
    service = calm(inserts=20, deletes=20, prefetch=1)
    last = [page.progress async for page in service.listing().pages()][-1]
    assert last is not None
    assert last.repaired > 0
    assert last.duplicates > 0


async def test_an_error_of_the_callback_ends_the_read() -> None:
    def angry(_: Progress) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await calm().listing(on_progress=angry).collect()


async def test_no_rows_are_one_empty_page() -> None:
    for is_timed in (True, False):
        for tells in (True, False):
            service = calm(rows=0, is_timed=is_timed, tells=tells)
            pages = [page async for page in service.listing().pages()]
            assert [page.items for page in pages] == [()]
            assert await service.listing().collect() == []
            assert await service.listing().first() is None
            assert len(service.asks) == 3


async def test_rows_that_are_not_wanted_are_left_out_and_end_nothing() -> None:
    service = calm()
    late = [row for row in service.rows if row.id > 290]
    listing = service.listing(wanted=lambda row: row.id > 290)
    assert await listing.collect() == late
    assert await service.listing(wanted=lambda row: row.id > 290, max_items=3).collect() == late[:3]
    pages = [page async for page in listing.pages()]
    assert all(page.items for page in pages[1:])
    assert await service.listing(wanted=lambda _: False).first() is None


@pytest.mark.parametrize("is_timed", [True, False])
@pytest.mark.parametrize("direction", [1, -1])
async def test_a_cursor_goes_on_after_its_page(is_timed: bool, direction: int) -> None:  # noqa: FBT001
    service = calm(is_timed=is_timed, direction=direction, moments=60)
    pages = [page async for page in service.listing().pages()]
    for place, page in enumerate(pages):
        rest = await service.listing(cursor=parsed(page)).collect()
        assert rest == [row for later in pages[place + 1 :] for row in later.items]


def parsed(page: Page[Any]) -> Any:
    from voxloud_async.paging.cursor import Cursor  # noqa: PLC0415

    assert page.cursor is not None
    assert page.cursor.isascii()
    assert page.cursor.isprintable()
    return Cursor.parse(page.cursor, "rows")


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


async def test_raw_pages_are_the_bytes_that_came() -> None:
    async with (
        Sandbox(events=500, contacts=90, keep_bodies=True) as sandbox,
        VoxloudClient(sandbox.api_key, base_url=sandbox.url, rate=None) as client,
    ):
        bodies = [json.loads(body) async for body in client.telephony_events.query(page_size=100).pages(raw=True)]
        assert bodies[0]["size"] == 100
        assert bodies[0]["totalElements"] == 500
        assert {row["id"] for body in bodies for row in body["content"]} == set(sandbox.state.events.ids)
        found = [json.loads(body) async for body in client.contacts.search(page_size=40).pages(raw=True)]
        assert {row["id"] for body in found for row in body["data"]} == set(sandbox.state.contacts)
        assert len(found) == 3
        few = client.telephony_events.query(page_size=100, max_items=120).pages(raw=True)
        assert len([body async for body in few]) == 2


async def test_raw_pages_lose_no_row_that_stays() -> None:
    service = calm(seed=5, inserts=9, deletes=9)
    seen = [json.loads(body) async for body in raw(service).pages(raw=True)]
    assert service.always <= {number for body in seen for number in body}


def raw(service: Shifting) -> Listing[Row]:
    source = service.source()

    async def fetch(ask: Ask) -> Fetched[Row]:
        page = (await service.fetch(ask)).page
        return Fetched(page, json.dumps([row.id for row in page.items]).encode())

    return Listing(source=source, raw=evolve(source, fetch=fetch), prefetch=4)


async def test_a_raw_page_of_something_else_is_a_decode_error() -> None:
    client = VoxloudClient("key", transport=FakeTransport(answer(b"<html>")), base_url="https://api.example")
    with pytest.raises(DecodeError) as caught:
        await anext(client.contacts.search().pages(raw=True))
    assert caught.value.operation == "GET /api/v1/contacts"


async def test_raw_rows_without_id_or_time() -> None:
    page = {"content": [{"a": 1}, {"a": 2}, 3, {"a": 1}, {"id": [4]}], "last": True}
    client = VoxloudClient("key", transport=FakeTransport(answer(page)), base_url="https://api.example")
    assert [json.loads(body) async for body in client.telephony_events.query().pages(raw=True)] == [page]


# Windows


@pytest.fixture
def short_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "WINDOW_ROWS", 500)


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


# Services


@define
class Numbered:
    """Rows in order of time, under numbers counted as `index` says."""

    index: Callable[[int | None], int]
    told: Callable[[int], int | None]
    count: int = 500
    honours_windows: bool = True
    has_next: bool = True
    asks: list[Ask] = field(factory=list)

    async def fetch(self, ask: Ask) -> Fetched[Row]:
        self.asks.append(ask)
        rows = [Row(number, START + timedelta(seconds=number)) for number in range(self.count)]
        since = ask.window.since
        if self.honours_windows and since is not None:
            rows = [row for row in rows if row.timestamp is not None and since <= row.timestamp]
        index = self.index(ask.number)
        end = (index + 1) * ask.size
        told = self.told(index)
        return Fetched(
            Page(
                items=tuple(rows[index * ask.size : end]),
                has_next=end < len(rows) if self.has_next else None,
                total=len(rows) if self.has_next else None,
                number=told,
                size=None if told is None else ask.size,
            )
        )

    def listing(self, *, direction: int = 1, prefetch: int = 4, size: int = 50) -> Listing[Row]:
        source: Source[Row] = Source(
            fetch=self.fetch,
            places=lambda: Numbers(2000),
            size=size,
            digest="numbered",
            direction=direction,
            now=lambda: datetime(2027, 1, 1, tzinfo=UTC),
        )
        return Listing(source=source, raw=source, prefetch=prefetch)


COUNTS: dict[str, tuple[Callable[[int | None], int], Callable[[int], int | None]]] = {
    "from 0": (lambda number: number or 0, lambda index: index),
    "from 1": (lambda number: (number or 1) - 1, lambda index: index + 1),
    "asked from 0, told from 1": (lambda number: number or 0, lambda index: index + 1),
    "asked from 1, told from 0": (lambda number: max(0, (number or 0) - 1), lambda index: index),
    "from 0, not told": (lambda number: number or 0, lambda _: None),
    "from 1, not told": (lambda number: max(0, (number or 1) - 1), lambda _: None),
}


@pytest.mark.parametrize(("index", "told"), COUNTS.values(), ids=COUNTS)
@pytest.mark.parametrize("direction", [1, 0])
@pytest.mark.parametrize("has_next", [True, False])
async def test_t9_however_pages_are_counted(index: Any, told: Any, direction: int, has_next: bool) -> None:  # noqa: FBT001
    service = Numbered(index, told, has_next=has_next)
    rows = await service.listing(direction=direction).collect()
    assert [row.id for row in rows] == list(range(500))
    assert len(service.asks) <= 30


@pytest.mark.usefixtures("short_windows")
@pytest.mark.parametrize("count", [120, 5000])
async def test_t5_a_service_that_ignores_bounds_is_read_by_position(count: int) -> None:
    service = Numbered(*COUNTS["from 0"], count=count, honours_windows=False)
    assert [row.id for row in await service.listing(size=20).collect()] == list(range(count))
    assert len(service.asks) <= count / 20 + 30


@define
class Constant:
    """Gives the same page whatever is asked for."""

    page: Page[Row]
    asks: list[Ask] = field(factory=list)

    async def fetch(self, ask: Ask) -> Fetched[Row]:
        self.asks.append(ask)
        return Fetched(self.page)

    def listing(self, places: Any, direction: int = 0) -> Listing[Row]:
        source: Source[Row] = Source(fetch=self.fetch, places=places, size=2, digest="constant", direction=direction)
        return Listing(source=source, raw=source, prefetch=2)


@pytest.mark.parametrize("places", [lambda: Offsets(100), lambda: Numbers(2000)])
@pytest.mark.parametrize("direction", [0, 1])
@pytest.mark.parametrize("number", [None, 0])
async def test_a_service_that_repeats_itself_is_found_out(places: Any, direction: int, number: int | None) -> None:
    rows = (Row(1, START), Row(2, START + timedelta(seconds=1)))
    service = Constant(Page(items=rows, has_next=True, number=number, size=None if number is None else 2))
    with pytest.raises(DecodeError, match="the same rows over and over"):
        await service.listing(places, direction).collect()
    assert len(service.asks) <= 30


async def test_a_page_without_rows_ends_whatever_it_promises() -> None:
    service = Constant(Page(items=(), has_next=True))
    assert await service.listing(lambda: Offsets(100)).collect() == []
    assert len(service.asks) == 1


async def test_c14_a_promised_page_that_is_not_there() -> None:
    service = calm(is_timed=False, rows=100)
    hopeful = service.source()

    async def fetch(ask: Ask) -> Fetched[Row]:
        page = service.offset(ask)
        return Fetched(evolve(page, has_next=len(page.items) == ask.size))

    listing = Listing(source=evolve(hopeful, fetch=fetch), raw=hopeful, prefetch=1)
    assert await listing.collect() == service.rows


async def test_c11_a_list_that_is_replaced_while_it_is_read_is_a_conflict() -> None:
    asked = 0

    async def fetch(ask: Ask) -> Fetched[Row]:
        nonlocal asked
        asked += 1
        rows = [Row(asked * 100_000 + place) for place in range(50_000)]
        return Fetched(Page(items=tuple(rows[ask.start : ask.start + ask.size]), has_next=True))

    cursor_page = None
    source: Source[Row] = Source(fetch=fetch, places=lambda: Offsets(100), size=50, digest="rows")
    async with Listing(source=source, raw=source, prefetch=1).pages() as pages:
        cursor_page = await anext(pages)
    with pytest.raises(ConflictError, match="faster than it can be read"):
        await Listing(source=source, raw=source, prefetch=1, cursor=parsed(cursor_page)).collect()


async def test_rows_without_an_id_are_told_apart_by_all_they_hold() -> None:
    rows: Any = tuple(map(Text, "abca"))
    service = Constant(Page(items=rows, has_next=False))
    assert await service.listing(lambda: Offsets(100)).collect() == list(rows[:3])


@define(frozen=True)
class Text:
    text: str


async def test_a_service_that_ignores_the_order_asked_for() -> None:
    """Rows come by id, whatever was asked: then what pages have in common must do."""
    rows = [Row(number, START + timedelta(seconds=number * 37 % 101)) for number in range(300)]

    async def fetch(ask: Ask) -> Fetched[Row]:
        index = ask.number or 0
        end = (index + 1) * ask.size
        return Fetched(
            Page(items=tuple(rows[index * ask.size : end]), has_next=end < 300, total=300, number=index, size=ask.size)
        )

    source: Source[Row] = Source(fetch=fetch, places=lambda: Numbers(2000), size=30, digest="rows", direction=1)
    assert await Listing(source=source, raw=source, prefetch=4).collect() == rows


# Through the client


def scripted(*pages: Any) -> tuple[VoxloudClient, FakeTransport]:
    transport = FakeTransport(*map(answer, pages))
    return VoxloudClient("key", transport=transport, base_url="https://api.example"), transport


def test_a_listing_does_not_show_what_it_looks_for() -> None:
    client, _ = scripted()
    shown = repr(client.contacts.search(phone="+390312345678", email="ada@example.com")) + repr(client.contacts)
    assert "390312345678" not in shown
    assert "ada" not in shown


async def test_no_more_rows_are_asked_for_than_are_wanted() -> None:
    client, transport = scripted({"data": [{"id": "a"}], "has_next": True})
    assert [contact.id async for contact in client.contacts.search(max_items=1)] == ["a"]
    assert transport.requests[0].url.endswith("limit=1")


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


@pytest.mark.parametrize(
    "bad", [{"prefetch": 0}, {"prefetch": True}, {"prefetch": "8"}, {"on_progress": 5}, {"max_items": -1}]
)
def test_bad_arguments_are_told_at_the_call(bad: Any) -> None:
    client, transport = scripted()
    name = next(iter(bad))
    for call in (client.contacts.search, client.telephony_events.query, client.telephony_events.export_csv):
        if name != "max_items" or call is not client.telephony_events.export_csv:
            with pytest.raises((ValueError, TypeError), match=name):
                call(**bad)
    assert transport.requests == []


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
