"""Each record comes exactly once, however late it is written and however often jobs are killed."""

from __future__ import annotations

import asyncio

from attrs import evolve
from hypothesis import given, settings, strategies as st

from tests.resources.late import HOUR, Schedule, Service, Store, Verdict, drawn, read, read_naively, run

SEEDS = range(150)
RIGHT = Verdict(lost=0, doubled=0, strange=0)

SCHEDULES = st.builds(
    Schedule,
    seed=st.integers(0, 2**32),
    records=st.integers(0, 120),
    lateness=st.sampled_from([0.0, 30.0, 600.0, 4.0 * HOUR, 12.0 * HOUR]),
    moments=st.sampled_from([20, 500, 1_000_000]),
    deletes=st.sampled_from([0.0, 0.2]),
    timeless=st.sampled_from([0.0, 0.1]),
    jobs=st.integers(1, 12),
    kills=st.sampled_from([0.0, 0.4, 0.9]),
    lag=st.sampled_from([0.0, 60.0, 900.0]),
    page_size=st.integers(1, 40),
    prefetch=st.integers(1, 4),
    step=st.sampled_from([0.0, 5.0, 600.0]),
    since=st.sampled_from([None, 5.5 * HOUR]),
    half_open=st.booleans(),
    unstable_ties=st.booleans(),
    most=st.sampled_from([50, 2000]),
    tells=st.booleans(),
)


@given(schedule=SCHEDULES)
@settings(max_examples=60, deadline=None)
def test_t18_each_record_comes_once(schedule: Schedule) -> None:
    assert asyncio.run(read(schedule)) == RIGHT


async def test_t18_each_record_comes_once_over_drawn_schedules() -> None:
    found = {seed: await read(drawn(seed)) for seed in SEEDS}
    assert {seed: each for seed, each in found.items() if each != RIGHT} == {}


async def test_a_high_water_mark_alone_loses_what_is_late() -> None:
    late = [each for each in map(drawn, SEEDS) if each.lateness >= 600 and each.records >= 150]
    found = [await read_naively(evolve(schedule, unstable_ties=False)) for schedule in late]
    assert len(found) > 30
    assert sum(each.lost > 0 for each in found) > len(found) / 2
    assert sum(each.doubled for each in found) == 0


async def test_a_high_water_mark_is_right_where_nothing_is_late() -> None:
    calm = Schedule(seed=1, records=200, lateness=0.0, moments=1_000_000)
    assert await read_naively(calm) == await read(calm) == RIGHT


async def test_what_is_later_than_the_overlap_is_missed_and_what_is_late_is_counted() -> None:
    schedule = Schedule(seed=4, records=300, lateness=6 * HOUR, kills=0.0)
    service, store = Service(schedule), Store()
    short = Schedule(seed=4, records=300, lateness=60.0 + HOUR, kills=0.0)  # what the readers reckon with
    service.schedule = short
    async with service.client() as client:
        for _ in range(40):
            service.clock.time += HOUR
            await run(client, service, store, 0.0)
    missed = {each.id for each in service.records} - set(store.ids)
    lateness = {each.id: each.written - (each.at or 0.0) for each in service.records}
    assert missed
    assert min(lateness[each] for each in missed) > HOUR + 60
    assert 0 < store.late <= sum(late > 60 for late in lateness.values())
