"""Incremental reading, against the sandbox."""

from __future__ import annotations

import asyncio
import gc
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import pytest

from tests.resources.late import Hand
from voxloud_async import VoxloudClient
from voxloud_async.errors import BadRequestError
from voxloud_async.models import UnknownEvent
from voxloud_async.sandbox import NOW, Drift, Fault
from voxloud_async.testing import FakeTransport, answer

if TYPE_CHECKING:
    from tests.resources.conftest import Serve, Served
    from voxloud_async.resources.incremental import Batch
    from voxloud_async.sandbox import Sandbox

HOUR = timedelta(hours=1)


async def read(client: VoxloudClient, state: str | None = None, **options: Any) -> list[Batch]:
    return [batch async for batch in client.telephony_events.incremental(state, **options)]


def ids(batches: list[Batch]) -> list[int | None]:
    return [row.id for batch in batches for row in batch.items]


def write(sandbox: Sandbox, at: datetime) -> int:
    """Let a record be written that bears this time."""
    events = sandbox.state.events
    return events.append(events[events.ids[0]] | {"timestamp": round(at.timestamp() * 1000), "callId": f"{at}"})


async def test_t18_a_late_record_comes_once(client: VoxloudClient, sandbox: Sandbox) -> None:
    first = await read(client, page_size=50)
    assert ids(first) == list(sandbox.state.events.ids)
    assert [(len(each.items), each.late) for each in first] == [(50, 0), (46, 0), (34, 0)]
    assert sandbox.count("POST") == 3
    (second,) = await read(client, first[-1].state, page_size=50)
    assert (second.items, second.late) == ((), 0)
    assert sandbox.count("POST") == 4
    late, new = write(sandbox, NOW - 3 * HOUR), write(sandbox, NOW - timedelta(seconds=60))
    missed = write(sandbox, NOW - 5 * HOUR)
    (third,) = await read(client, second.state, page_size=50)
    assert (ids([third]), third.late) == ([late, new], 1)
    assert missed not in ids(await read(client, third.state))
    assert sandbox.count("POST") == 6


async def test_a_killed_job_goes_on_after_its_last_batch(client: VoxloudClient, sandbox: Sandbox) -> None:
    told: list[int | None] = []
    state = None
    for job in range(10):
        async with aclosing(client.telephony_events.incremental(state, page_size=30, prefetch=1)) as batches:
            batch = await anext(batches)
            if job % 2:  # else it is killed before it could store the batch
                told, state = [*told, *ids([batch])], batch.state
    assert told == list(sandbox.state.events.ids)
    assert sandbox.count("POST") == 10


async def test_records_of_the_last_minute_are_left_to_the_next_read(serve: Serve) -> None:
    hand = Hand()
    served = await serve(clock=hand.now)
    recent = write(served.sandbox, NOW - timedelta(seconds=59))
    last = (await read(served.client))[-1]
    assert recent not in ids([last])
    hand.time = 2.0
    (again,) = await read(served.client, last.state)
    assert (ids([again]), again.late) == ([recent], 0)
    assert recent in ids(await read(served.client, lag=0))


async def test_the_first_read_begins_at_since_and_later_ones_at_their_state(
    client: VoxloudClient, sandbox: Sandbox
) -> None:
    events = sandbox.state.events
    since = datetime.fromtimestamp(events.moment(events.ids[100]) / 1000, UTC)
    first = await read(client, since=since)
    assert ids(first) == list(events.ids[100:])
    write(sandbox, since - timedelta(milliseconds=1))
    new = write(sandbox, NOW - HOUR)
    for later in (since, NOW - timedelta(days=170), NOW):
        assert ids(await read(client, first[-1].state, since=later)) == [new]
    assert sandbox.count("POST") == 4


async def test_it_reads_as_it_is_iterated_and_in_time_order(client: VoxloudClient, sandbox: Sandbox) -> None:
    batches = client.telephony_events.incremental(since=NOW - timedelta(days=30), page_size=20, number=None)
    assert sandbox.count() == 0
    rows = [row async for batch in batches for row in batch.items]
    assert rows == sorted(rows, key=lambda row: row.timestamp or NOW)
    assert {dict(parse_qsl(each.query))["sort"] for each in sandbox.requests} == {"timestamp,asc"}


@pytest.mark.parametrize(("before", "after"), [(1 * HOUR, 24 * HOUR), (24 * HOUR, 1 * HOUR)])
async def test_the_overlap_may_change_between_reads(served: Served, before: timedelta, after: timedelta) -> None:
    sandbox, client = served.sandbox, served.client
    crowd = [write(sandbox, NOW - timedelta(minutes=10 * each)) for each in range(1, 200)]
    first = await read(client, overlap=before.total_seconds())
    assert set(crowd) <= set(ids(first))
    late = write(sandbox, NOW - timedelta(minutes=30))
    state = first[-1].state
    told: list[int | None] = []
    for overlap in (after, before, after):
        batches = await read(client, state, overlap=overlap.total_seconds())
        state, told = batches[-1].state, [*told, *ids(batches)]
    assert told == [late]


async def test_rows_move_and_come_late_over_real_sockets(serve: Serve) -> None:
    drift = Drift(seed=2, arrivals=4, removals=4, changes=2, pages=60)
    served = await serve(drift=drift, events=600, days=2)
    events = served.sandbox.state.events
    before = set(events.ids)
    told: list[int | None] = []
    state = None
    for job in range(12):
        async for batch in served.client.telephony_events.incremental(state, page_size=40, overlap=72 * 3600.0):
            told, state = [*told, *ids([batch])], batch.state
            if job % 3:
                break
    assert len(told) == len(set(told))
    assert set(events.ids) - set(told) == set()
    assert set(told) - before, "some arrived meanwhile"


async def test_number_filters(client: VoxloudClient, sandbox: Sandbox) -> None:
    events = sandbox.state.events
    number = events[events.ids[7]]["originatorNumber"]
    first = await read(client, number=number)
    assert events.ids[7] in ids(first)
    assert len(ids(first)) < 130
    assert ids(await read(client, first[-1].state, number=number)) == []


async def test_a_state_is_good_for_the_same_number_and_service_alone(serve: Serve) -> None:
    served, other = await serve(), await serve()
    state = (await read(served.client))[-1].state
    asked = served.sandbox.count()
    assert state.isascii()
    assert state.isprintable()
    bad: tuple[Any, ...] = ("x", "", "ä", f"A{state}", state[:-4], f"{state[:-8]}AAAA{state[-4:]}", b"state", 5)
    for damaged in bad:
        with pytest.raises((ValueError, TypeError), match="state"):
            served.client.telephony_events.incremental(damaged)
    with pytest.raises(ValueError, match=r"state .* of this number"):
        served.client.telephony_events.incremental(state, number="+390612")
    with pytest.raises(ValueError, match=r"state .* at this service"):
        other.client.telephony_events.incremental(state)
    assert (served.sandbox.count(), other.sandbox.count()) == (asked, 0)


NAIVE = datetime(2026, 1, 1)  # noqa: DTZ001 - naive on purpose
BAD: dict[str, tuple[type[Exception], str, dict[str, Any]]] = {
    "naive since": (ValueError, "since", {"since": NAIVE}),
    "text as since": (TypeError, "since", {"since": "2026-01-01"}),
    "negative lag": (ValueError, "lag", {"lag": -1}),
    "endless lag": (ValueError, "lag", {"lag": float("nan")}),
    "text as lag": (TypeError, "lag", {"lag": "60"}),
    "negative overlap": (ValueError, "overlap", {"overlap": -0.1}),
    "endless overlap": (ValueError, "overlap", {"overlap": float("inf")}),
    "yes overlap": (TypeError, "overlap", {"overlap": True}),
    "empty number": (ValueError, "number", {"number": ""}),
    "number as int": (TypeError, "number", {"number": 39}),
    "no time to refresh": (ValueError, "refresh", {"refresh": timedelta(0)}),
    "years to refresh": (ValueError, "refresh", {"refresh": timedelta(days=367)}),
    "seconds to refresh": (TypeError, "refresh", {"refresh": 3600}),
    "unknown misfits": (ValueError, "misfits", {"misfits": "drop"}),
    "no rows": (ValueError, "page_size", {"page_size": 0}),
    "no pages": (ValueError, "prefetch", {"prefetch": 0}),
    "unknown filter": (TypeError, "direction", {"direction": "INBOUND"}),
}


@pytest.mark.parametrize(("kind", "names", "options"), BAD.values(), ids=BAD)
def test_a_bad_argument_is_told_at_the_call(kind: type[Exception], names: str, options: dict[str, Any]) -> None:
    transport = FakeTransport()
    with pytest.raises(kind, match=names):
        VoxloudClient("key", transport=transport).telephony_events.incremental(**options)
    assert transport.requests == []


async def test_the_farthest_times_are_no_trouble(client: VoxloudClient, sandbox: Sandbox) -> None:
    year = 366 * 86_400.0
    first = await read(client, since=datetime.min.replace(tzinfo=UTC), overlap=year, lag=year, page_size=200)
    assert ids(first) == []
    assert ids(await read(client, first[-1].state, page_size=200)) == list(sandbox.state.events.ids)
    assert ids(await read(client, since=datetime.max.replace(tzinfo=UTC), page_size=200)) == []
    assert sandbox.count("POST") == 3


async def test_an_error_comes_after_the_batches_before_it(client: VoxloudClient, sandbox: Sandbox) -> None:
    batches = client.telephony_events.incremental(page_size=50, prefetch=1)
    first = await anext(batches)
    sandbox.fail_next(Fault(status=400), 2)  # after one, an interval is tried
    with pytest.raises(BadRequestError):
        await anext(batches)
    rest = await read(client, first.state, page_size=50)
    assert [*ids([first]), *ids(rest)] == list(sandbox.state.events.ids)


async def test_left_it_ends_what_is_under_way(client: VoxloudClient, sandbox: Sandbox) -> None:
    async with aclosing(client.telephony_events.incremental(page_size=20, prefetch=4)) as batches:
        await anext(batches)
        assert len(reading()) == 3
    assert reading() == set()
    async for _ in client.telephony_events.incremental(page_size=20, prefetch=4):
        assert len(reading()) == 3
        break
    gc.collect()
    for _ in range(50):
        await asyncio.sleep(0)
    assert reading() == set()
    assert sandbox.count() <= 8


def reading() -> set[asyncio.Task[Any]]:
    """The pages that are being fetched."""
    return {each for each in asyncio.all_tasks() if "Prefetcher" in repr(each.get_coro())}


# What the sandbox does not do: services that stray from the text


def row(number: int | None, at: datetime | None, **fields: Any) -> dict[str, Any]:
    head = {"id": number, "timestamp": None if at is None else at.isoformat()}
    return {"type": "PHONE_CALL", **{name: value for name, value in head.items() if value is not None}, **fields}


def page(*rows: dict[str, Any], last: bool = True) -> Any:
    return answer({"content": rows, "last": last}, headers={"Date": formatdate(NOW.timestamp(), usegmt=True)})


def scripted(*pages: Any) -> VoxloudClient:
    return VoxloudClient("key", transport=FakeTransport(*pages), base_url="https://api.example")


async def test_a_record_without_a_time_comes_once_and_is_remembered_for_good() -> None:
    timeless, late = row(1, None), row(2, NOW - 3 * HOUR)
    client = scripted(page(timeless), page(timeless, late), page(timeless))
    state: str | None = None
    told: list[int | None] = []
    for _ in range(3):
        batches = await read(client, state)
        state, told = batches[-1].state, [*told, *ids(batches)]
    assert told == [1, 2]


async def test_a_record_without_an_id_is_known_by_all_it_says() -> None:
    one, other = (row(None, NOW - HOUR, type="VIDEO_CALL", duration=each) for each in (1, 2))
    client = scripted(page(one), page(one, other), page(one, other))
    first = await read(client)
    second = await read(client, first[-1].state)
    assert [each.duration for batch in second for each in batch.items if isinstance(each, UnknownEvent)] == [2]
    assert ids(await read(client, second[-1].state)) == []


async def test_a_record_without_a_type_is_known_by_its_id() -> None:
    client = scripted(*[page(row(1, NOW - HOUR, type=None), row(2, NOW - HOUR))] * 2)
    first = await read(client)
    assert ids(first) == [1, 2]
    assert ids(await read(client, first[-1].state)) == []


async def test_p20_a_record_whose_time_is_moved_on_is_the_same() -> None:
    """From the start of the call to its end, say."""
    moved = page(row(1, NOW - HOUR), row(2, NOW - HOUR))
    client = scripted(page(row(1, NOW - 5 * HOUR)), moved, page(row(3, NOW - HOUR)), moved)
    state: str | None = None
    told: list[int | None] = []
    for overlap in (6, 6, 1.5, 2):
        batches = await read(client, state, overlap=overlap * 3600.0)
        state, told = batches[-1].state, [*told, *ids(batches)]
    assert told == [1, 2, 3]


async def test_p17_a_record_comes_once_as_it_was() -> None:
    client = scripted(page(row(1, NOW - HOUR)), page(row(1, NOW - HOUR, transcription="Hello")))
    first = await read(client)
    assert ids(first) == [1]
    assert ids(await read(client, first[-1].state)) == []


async def test_a_service_that_ignores_the_interval_doubles_nothing() -> None:
    old, recent = row(1, NOW - 30 * HOUR), row(2, NOW - HOUR)
    client = scripted(page(old, recent), page(old, recent, row(3, NOW)))
    first = await read(client)
    assert ids(first) == [1, 2]
    assert ids(await read(client, first[-1].state)) == []


async def test_a_service_that_ignores_the_order_loses_nothing_to_a_kill() -> None:
    newest, oldest = page(row(3, NOW - HOUR), row(2, NOW - 20 * HOUR), last=False), page(row(1, NOW - 90 * HOUR))
    client = scripted(newest, page(row(3, NOW - HOUR), row(2, NOW - 20 * HOUR), row(1, NOW - 90 * HOUR)), oldest)
    async with aclosing(client.telephony_events.incremental(prefetch=1, overlap=0)) as batches:
        killed = await anext(batches)
    assert ids([killed]) == [3, 2]
    assert ids(await read(client, killed.state, overlap=0)) == [1]


async def test_what_is_late_is_so_by_the_end_of_the_read_that_went_furthest() -> None:
    first = await read(scripted(page(row(1, NOW - 2 * HOUR))))
    again = page(row(1, NOW - 2 * HOUR), row(2, NOW - 1.8 * HOUR), last=False)
    async with aclosing(scripted(again).telephony_events.incremental(first[-1].state, prefetch=1)) as batches:
        killed = await anext(batches)
    assert killed.late == 1
    last = await read(scripted(page(row(3, NOW - 1.5 * HOUR))), killed.state)
    assert [each.late for each in last] == [1]


async def test_a_batch_shows_nothing_of_whom_it_is_about() -> None:
    (batch,) = await read(scripted(page(row(1, NOW - HOUR, originatorNumber="+390612345678"))))
    assert repr(batch) == "Batch(items=<1 items>, revisions=<0 items>, late=0)"


async def test_a_state_is_small() -> None:
    client = scripted(
        *(
            page(
                *(row(8_000_000 + 37 * each, NOW - each * timedelta(seconds=7)) for each in range(1000, 8, -1)),
            )
            for _ in "1"
        )
    )
    (batch,) = await read(client)
    assert len(batch.items) == 992
    assert len(batch.state) < 2_000
