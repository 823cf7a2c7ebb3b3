"""The face of a list: rows, pages, progress; and services that are not as one would like."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from attrs import define, evolve, field
from hypothesis import given, settings, strategies as st

from benchmarks.streaming.shifting import START, Row
from tests.paging.calm import calm, parsed
from tests.virtual_time import run_virtual
from voxloud_async import VoxloudClient
from voxloud_async.errors import ConflictError
from voxloud_async.paging import Listing, Page, Progress
from voxloud_async.paging.addressing import Numbers, Offsets, PageRequest
from voxloud_async.paging.listing import Reading
from voxloud_async.paging.source import Fetched, Source
from voxloud_async.testing import FakeTransport, answer

if TYPE_CHECKING:
    from collections.abc import Callable


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
    late = service.rows[-10:]
    since = late[0].timestamp
    assert since is not None

    def wanted(at: datetime | None) -> bool:
        return at is not None and at >= since

    listing = service.listing(wanted=wanted)
    assert await listing.collect() == late
    assert await service.listing(wanted=wanted, max_items=3).collect() == late[:3]
    pages = [page async for page in listing.pages()]
    assert all(page.items for page in pages[1:])
    assert await service.listing(wanted=lambda _: False).first() is None


# Services


@define
class Numbered:
    """Rows in order of time, under numbers counted as `index` says."""

    index: Callable[[int | None], int]
    told: Callable[[int], int | None]
    count: int = 500
    honours_windows: bool = True
    has_next: bool = True
    asks: list[PageRequest] = field(factory=list)

    async def fetch(self, ask: PageRequest) -> Fetched[Row]:
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
            addressing=Numbers,
            page_size=size,
            filters="numbered",
            direction=direction,
        )
        return Listing(source, source, Reading(prefetch=prefetch))


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
    assert len(service.asks) <= 40


@pytest.mark.usefixtures("short_windows")
@pytest.mark.parametrize("count", [120, 5000])
async def test_t5_a_service_that_ignores_bounds_is_read_by_position(count: int) -> None:
    service = Numbered(*COUNTS["from 0"], count=count, honours_windows=False)
    assert [row.id for row in await service.listing(size=20).collect()] == list(range(count))
    assert len(service.asks) <= count / 20 * 1.5


@define
class Constant:
    """Gives the same page whatever is asked for."""

    page: Page[Row]
    asks: list[PageRequest] = field(factory=list)

    async def fetch(self, ask: PageRequest) -> Fetched[Row]:
        self.asks.append(ask)
        return Fetched(self.page)

    def listing(self, addressing: Any, direction: int = 0) -> Listing[Row]:
        source: Source[Row] = Source(
            fetch=self.fetch, addressing=addressing, page_size=2, filters="constant", direction=direction
        )
        return Listing(source, source, Reading(prefetch=2))


@pytest.mark.parametrize("addressing", [Offsets, Numbers])
@pytest.mark.parametrize("direction", [0, 1])
@pytest.mark.parametrize("number", [None, 0])
async def test_a_service_that_repeats_itself_is_found_out(addressing: Any, direction: int, number: int | None) -> None:
    rows = (Row(1, START), Row(2, START + timedelta(seconds=1)))
    service = Constant(Page(items=rows, has_next=True, number=number, size=None if number is None else 2))
    with pytest.raises(ConflictError, match=r"repeats itself|cannot overlap|change places"):
        await service.listing(addressing, direction).collect()
    assert len(service.asks) <= 90  # three for each page of two rows


async def test_a_page_without_rows_ends_whatever_it_promises() -> None:
    service = Constant(Page(items=(), has_next=True))
    assert await service.listing(Offsets).collect() == []
    assert len(service.asks) == 1


async def test_c14_a_promised_page_that_is_not_there() -> None:
    service = calm(is_timed=False, rows=100)
    hopeful = service.source()

    async def fetch(ask: PageRequest) -> Fetched[Row]:
        page = service.offset(ask)
        return Fetched(evolve(page, has_next=len(page.items) == ask.size))

    listing = Listing(evolve(hopeful, fetch=fetch), hopeful, Reading(prefetch=1))
    assert await listing.collect() == service.rows


async def test_c11_a_list_that_is_replaced_while_it_is_read_is_a_conflict() -> None:
    asked = 0

    async def fetch(ask: PageRequest) -> Fetched[Row]:
        nonlocal asked
        asked += 1
        places = range(50_000)[ask.start : ask.start + ask.size]
        return Fetched(Page(items=tuple(Row(asked * 100_000 + place) for place in places), has_next=True))

    cursor_page = None
    source: Source[Row] = Source(fetch=fetch, addressing=Offsets, page_size=50, filters="rows")
    async with Listing(source, source, Reading(prefetch=1)).pages() as pages:
        cursor_page = await anext(pages)
    with pytest.raises(ConflictError, match="faster than it can be read"):
        await Listing(source, source, Reading(prefetch=1, cursor=parsed(cursor_page))).collect()


async def test_rows_without_an_id_are_told_apart_by_all_they_hold() -> None:
    rows: Any = tuple(map(Text, "abca"))
    service = Constant(Page(items=rows, has_next=False))
    assert await service.listing(Offsets).collect() == list(rows[:3])


@define(frozen=True)
class Text:
    text: str


async def test_a_service_that_ignores_the_order_asked_for() -> None:
    """Rows come by id, whatever was asked: then what pages have in common must do."""
    rows = [Row(number, START + timedelta(seconds=number * 37 % 101)) for number in range(300)]

    async def fetch(ask: PageRequest) -> Fetched[Row]:
        index = ask.number or 0
        end = (index + 1) * ask.size
        return Fetched(
            Page(items=tuple(rows[index * ask.size : end]), has_next=end < 300, total=300, number=index, size=ask.size)
        )

    source: Source[Row] = Source(fetch=fetch, addressing=Numbers, page_size=30, filters="rows", direction=1)
    assert await Listing(source, source, Reading(prefetch=4)).collect() == rows


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
