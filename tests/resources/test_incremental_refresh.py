"""Records that change after they were returned: each change comes once, marked as a revision, also across kills."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from attrs import define, field, frozen

from tests.resources.late import HOUR, Schedule, Service
from tests.resources.test_incremental import page, read, row, scripted
from voxloud_async import VoxloudClient
from voxloud_async.protocol.codec import unstructure
from voxloud_async.sandbox import NOW
from voxloud_async.testing import FakeTransport

if TYPE_CHECKING:
    from voxloud_async.models import TelephonyEvent

DAY = timedelta(days=1)


def revisions(batches: list[Any]) -> list[int | None]:
    return [event.id for batch in batches for event in batch.revisions]


async def test_p11_a_record_that_changed_comes_once_more() -> None:
    before, after = row(1, NOW - 30 * timedelta(hours=1)), row(1, NOW - 30 * timedelta(hours=1), transcription="Hello")
    other = row(2, NOW - timedelta(hours=1))
    client = scripted(page(before, other), page(after, other), page(after, other), page(after, other))
    refresh = timedelta(days=2)
    first = await read(client, refresh=refresh)
    assert ([event.id for event in first[-1].items], revisions(first)) == ([1, 2], [])
    second = await read(client, first[-1].state, refresh=refresh)
    assert [(batch.items, [unstructure(event)["transcription"] for event in batch.revisions]) for batch in second] == [
        ((), ["Hello"])
    ]
    third = await read(client, second[-1].state, refresh=refresh)
    assert [(batch.items, batch.revisions) for batch in third] == [((), ())]
    assert repr(second[0]) == "Batch(items=<0 items>, revisions=<1 items>, late=0)"


async def test_a_change_of_the_time_is_a_change() -> None:
    client = scripted(
        page(row(1, NOW - 5 * timedelta(hours=1))),
        page(row(1, NOW - timedelta(hours=1))),
        page(row(1, NOW - timedelta(hours=1))),
    )
    first = await read(client, refresh=DAY)
    second = await read(client, first[-1].state, refresh=DAY)
    assert revisions(second) == [1]
    assert revisions(await read(client, second[-1].state, refresh=DAY)) == []


async def test_without_refresh_nothing_is_said_of_changes() -> None:
    client = scripted(page(row(1, NOW - timedelta(hours=1))), page(row(1, NOW - timedelta(hours=1), summary="x")))
    first = await read(client)
    assert [(batch.items, batch.revisions) for batch in await read(client, first[-1].state)] == [((), ())]


async def test_refresh_may_begin_and_end_between_two_reads() -> None:
    """What was returned without it is compared from the first read with it on."""
    versions = [page(row(1, NOW - timedelta(hours=1), summary=text)) for text in "abccd"]
    client = scripted(*versions)
    state, found = None, list[list[int | None]]()
    for refresh in (None, DAY, DAY, None, DAY):
        batches = await read(client, state, refresh=refresh)
        state = batches[-1].state
        found.append(revisions(batches))
    assert found == [[], [], [1], [], []]


async def test_it_reads_that_far_back() -> None:
    transport = FakeTransport(page(row(1, NOW - timedelta(hours=1))), page())
    client = VoxloudClient("key", transport=transport, base_url="https://api.example")
    first = await read(client, lag=60, refresh=3 * DAY)
    await read(client, first[-1].state, refresh=3 * DAY)
    begin = datetime.fromisoformat(json.loads(transport.requests[-1].body or b"")["date_time_from"])
    assert begin == NOW - timedelta(seconds=60) - 3 * DAY - timedelta(milliseconds=1)


# Jobs that are killed, while records come late, change and go


@frozen
class Changing:
    """When a record changes: seconds since the start, the last one within `refresh` of its time."""

    times: tuple[float, ...]

    def version(self, now: float) -> int:
        return sum(at <= now for at in self.times)


@define
class ChangingService(Service):
    """Each record has a version in its `summary`."""

    changes: dict[int, Changing] = field(factory=dict)

    def page(self, body: dict[str, str], size: int, number: int) -> dict[str, Any]:
        found = super().page(body, size, number)
        for each in found["content"]:
            change = self.changes.get(each["id"])
            each["summary"] = str(change.version(self.clock.time)) if change else "0"
        return found


@define
class Warehouse:
    """What a user's table has: the last version that was stored of each record, and how often each was stored."""

    versions: dict[int, list[str]] = field(factory=dict)
    state: str | None = None

    def store(self, items: tuple[TelephonyEvent, ...], revised: tuple[TelephonyEvent, ...], state: str) -> None:
        for event in items:
            assert event.id not in self.versions, "an item comes once"
            self.versions[event.id or 0] = [str(event.summary)]  # type: ignore[union-attr]
        for event in revised:
            assert self.versions[event.id or 0][-1] != event.summary, "a change comes once"  # type: ignore[union-attr]
            self.versions[event.id or 0].append(str(event.summary))  # type: ignore[union-attr]
        self.state = state


def drawn(seed: int) -> tuple[ChangingService, float]:
    chance = Random(seed)
    schedule = Schedule(
        seed=seed,
        records=chance.choice([3, 40, 150]),
        lateness=chance.choice([0.0, 600.0, 4.0 * HOUR]),
        deletes=chance.choice([0.0, 0.2]),
        jobs=chance.choice([4, 12]),
        kills=chance.choice([0.0, 0.4, 0.8]),
        page_size=chance.choice([20, 50, 100]),
        prefetch=chance.choice([1, 3]),
        step=chance.choice([0.0, 5.0]),
        tells=chance.random() < 0.7,
    )
    service = ChangingService(schedule)
    refresh = 48.0 * HOUR
    for each in service.records:
        if chance.random() < 0.4 and each.at is not None:
            times = sorted(each.written + chance.uniform(0.0, refresh / 3) for _ in range(chance.choice([1, 1, 3])))
            service.changes[each.id] = Changing(tuple(times))
    return service, refresh


async def job(
    client: VoxloudClient, service: ChangingService, warehouse: Warehouse, refresh: float, kills: float
) -> None:
    schedule, chance = service.schedule, service.chance
    batches = client.telephony_events.incremental(
        warehouse.state,
        lag=schedule.lag,
        overlap=schedule.lateness,
        refresh=timedelta(seconds=refresh),
        page_size=schedule.page_size,
        prefetch=schedule.prefetch,
    )
    async with batches:
        async for batch in batches:
            if chance.random() < kills / 2:
                return
            warehouse.store(batch.items, batch.revisions, batch.state)
            if chance.random() < kills / 2:
                return


@pytest.mark.parametrize("seed", range(60))
async def test_p11_every_change_comes_once_wherever_jobs_are_killed(seed: int) -> None:
    service, refresh = drawn(seed)
    warehouse, schedule = Warehouse(), service.schedule
    async with service.client() as client:
        for _ in range(schedule.jobs):
            service.clock.time += service.chance.uniform(0.0, 2 * schedule.hours * HOUR / schedule.jobs)
            await job(client, service, warehouse, refresh, schedule.kills)
        service.clock.time = max(service.clock.time, schedule.hours * HOUR * 2) + schedule.lateness + schedule.lag + 2
        await job(client, service, warehouse, refresh, 0.0)
    now = service.clock.time
    there = [each for each in service.records if each.is_there(now)]
    assert {each.id for each in there} <= warehouse.versions.keys()
    stored, never = {each.id: warehouse.versions[each.id][-1] for each in there}, Changing(())
    assert stored == {each.id: str(service.changes.get(each.id, never).version(now)) for each in there}
