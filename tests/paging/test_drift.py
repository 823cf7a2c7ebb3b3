"""Each row that is there throughout a read comes exactly once, whatever the list does meanwhile."""

from __future__ import annotations

import asyncio
import csv
import io
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve
from hypothesis import given, settings, strategies as st

from benchmarks.streaming.shifting import Schedule, Verdict, drawn, read, read_naively
from voxloud_async import VoxloudClient
from voxloud_async.errors import ConflictError
from voxloud_async.sandbox import Drift, Quirks, Sandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Iterable

SEEDS = range(200)

SCHEDULES = st.builds(
    Schedule,
    seed=st.integers(0, 2**32),
    rows=st.integers(0, 120),
    page_size=st.integers(1, 40),
    prefetch=st.integers(1, 8),
    inserts=st.integers(0, 20),
    deletes=st.integers(0, 20),
    updates=st.integers(0, 3),
    moments=st.sampled_from([300, 5_000, 1_000_000]),
    direction=st.sampled_from([1, -1]),
    unstable_ties=st.booleans(),
    is_timed=st.booleans(),
    half_open=st.booleans(),
    first_page=st.sampled_from([0, 1]),
    most=st.sampled_from([50, 100, 2000]),
    tells=st.booleans(),
    pauses=st.integers(0, 30),
)


async def faults(schedule: Schedule) -> tuple[int, int]:
    """What a read has lost and doubled: nothing where it says that the list cannot be read."""
    try:
        verdict = await read(schedule)
    except ConflictError:
        assert schedule.page_size < 16 or schedule.unstable_ties, "pages of this size can be read"
        return 0, 0
    return verdict.lost, verdict.doubled


@given(schedule=SCHEDULES)
@settings(max_examples=100, deadline=None)
def test_c11_t10_no_row_is_lost_or_doubled_whatever_moves(schedule: Schedule) -> None:
    assert asyncio.run(faults(schedule)) == (0, 0)


async def test_c11_t10_no_row_is_lost_or_doubled_over_drawn_schedules() -> None:
    found = {seed: await faults(drawn(seed)) for seed in SEEDS}
    assert {seed: each for seed, each in found.items() if each != (0, 0)} == {}


async def test_naive_paging_fails_the_same_test() -> None:
    moving = [schedule for schedule in map(drawn, SEEDS) if schedule.deletes and schedule.tells and schedule.rows > 99]
    found = [await read_naively(schedule) for schedule in moving]
    assert len(found) > 10
    assert sum(each.lost for each in found) > 100
    assert sum(each.doubled for each in found) > 100


async def test_naive_paging_is_right_where_nothing_moves() -> None:
    calm = evolve(drawn(2), rows=300, inserts=0, deletes=0, unstable_ties=False, tells=True, most=2000)
    naive = await read_naively(calm)
    assert (naive.lost, naive.doubled) == await faults(calm) == (0, 0)


async def test_t10_rows_of_one_moment_in_changing_order() -> None:
    """Where they fit a page they are read; where they do not, no page can be trusted."""
    ties = Schedule(seed=1, rows=400, page_size=20, prefetch=4, moments=5, unstable_ties=True)
    assert await faults(evolve(ties, page_size=200)) == (0, 0)
    with pytest.raises(ConflictError):
        await read(ties)
    assert (await read_naively(ties)).lost > 0


async def test_more_rows_of_one_moment_than_the_service_gives_at_once() -> None:
    ties = Schedule(seed=1, rows=400, page_size=20, prefetch=4, moments=2, most=50)
    assert await faults(ties) == (0, 0)


async def test_a_calm_list_costs_no_request_more_than_its_overlaps() -> None:
    for is_timed in (True, False):
        calm = Schedule(seed=3, rows=1000, page_size=50, prefetch=1, moments=1_000_000, is_timed=is_timed)
        verdict = await read(calm)
        assert verdict == Verdict(lost=0, doubled=0, requests=verdict.requests, repaired=0)
        assert verdict.requests <= 25


class Witness:
    """Which rows were there before and after a read."""

    def __init__(self, rows: Iterable[Any]) -> None:
        self._before = set(rows)

    def check(self, given: list[Any], after: Iterable[Any]) -> None:
        assert (self._before & set(after)) - set(given) == set()
        assert len(given) == len(set(given))


async def ids(rows: AsyncIterable[Any]) -> list[Any]:
    return [row.id async for row in rows]


async def csv_ids(chunks: AsyncIterable[bytes]) -> list[int]:
    text = b"".join([chunk async for chunk in chunks]).decode()
    return [int(row["id"]) for row in csv.DictReader(io.StringIO(text, newline=""))]


@pytest.mark.parametrize(
    "quirks",
    [Quirks(), Quirks(tie_order="unstable", contact_order="newest_first"), Quirks(size_cap=100), Quirks(csv="refused")],
    ids=lambda quirks: str(quirks.changed()),
)
async def test_c11_t10_over_real_sockets(quirks: Quirks) -> None:
    drift = Drift(seed=1, arrivals=8, removals=9, changes=3, pages=60)
    async with (
        Sandbox(events=900, contacts=400, quirks=quirks, drift=drift) as sandbox,
        VoxloudClient(sandbox.api_key, base_url=sandbox.url, rate=None) as client,
    ):
        events, contacts = sandbox.state.events, sandbox.state.contacts
        for sort in ("timestamp,asc", "timestamp,desc"):
            witness = Witness(events.ids)
            witness.check(await ids(client.telephony_events.query(page_size=40, sort=sort, prefetch=4)), events.ids)
            witness = Witness(events.ids)
            witness.check(await csv_ids(client.telephony_events.export_csv(page_size=40, sort=sort)), events.ids)
        witness = Witness(contacts)
        witness.check(await ids(client.contacts.search(page_size=20)), contacts)
