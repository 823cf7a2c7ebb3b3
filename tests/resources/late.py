"""A service whose records come late and go, and jobs that read it and are killed: all in virtual time."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from random import Random
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from attrs import define, evolve, field, frozen

from voxloud_async import VoxloudClient
from voxloud_async.errors import ConflictError
from voxloud_async.testing import answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from voxloud_async._clock import Timer
    from voxloud_async.wire.message import Request, Response

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = 3600


@frozen
class Record:
    """Seconds since the start: the time it bears, when it is written, and when it is deleted."""

    id: int
    at: float | None
    written: float
    deleted: float = float("inf")

    def is_there(self, now: float) -> bool:
        return self.written <= now < self.deleted

    @property
    def moment(self) -> datetime | None:
        return None if self.at is None else START + timedelta(seconds=self.at)

    def wire(self) -> dict[str, Any]:
        shown = None if self.moment is None else self.moment.isoformat(timespec="milliseconds")
        return {"id": self.id, "type": "PHONE_CALL", "timestamp": shown}


class Never:
    def cancel(self) -> None: ...


@define
class Hand:
    """A clock that stands still until it is moved; the machine's date is years off."""

    time: float = 0.0

    def now(self) -> float:
        return self.time

    def wall(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        assert when >= self.time
        assert callable(callback)
        return Never()


@frozen(kw_only=True)
class Schedule:
    """What a service and its readers meet."""

    seed: int
    records: int
    lateness: float
    """Seconds: no record is written longer after the time it bears, which lag and overlap together make up for."""
    hours: int = 24
    moments: int = 1_000_000
    """Of so many moments every record has one."""
    deletes: float = 0.0
    """The share of records that are deleted some time."""
    timeless: float = 0.0
    jobs: int = 12
    kills: float = 0.3
    """The share of batches after which a job is killed: before it stored them, or after."""
    lag: float = 60.0
    page_size: int = 20
    prefetch: int = 2
    step: float = 5.0
    """Up to so many seconds pass with each request."""
    since: float | None = None
    half_open: bool = False
    unstable_ties: bool = False
    most: int = 2000
    tells: bool = True


@define
class Service:
    """A transport that answers queries."""

    schedule: Schedule
    clock: Hand = field(factory=Hand)
    requests: int = 0
    records: list[Record] = field(init=False)
    chance: Random = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.chance = Random(self.schedule.seed)
        self.records = [self._drawn(number) for number in range(1, self.schedule.records + 1)]

    @property
    def now(self) -> datetime:
        return START + timedelta(seconds=self.clock.time)

    def client(self) -> VoxloudClient:
        return VoxloudClient("key", base_url="https://pbx.example", transport=self, rate=None, clock=self.clock)

    async def send(self, request: Request, *, timeout: float) -> Response:  # noqa: ARG002, ASYNC109 - the contract
        self.requests += 1
        query = dict(parse_qsl(urlsplit(request.url).query))
        assert query["sort"] == "timestamp,asc"
        body = json.loads(request.body or b"{}")
        page = self.page(body, min(int(query["size"]), self.schedule.most), int(query.get("page", "0")))
        headers = {"Date": formatdate(self.now.timestamp(), usegmt=True)}
        self.clock.time += self.chance.uniform(0.0, self.schedule.step)
        return answer(page, headers=headers)

    async def aclose(self) -> None: ...

    def page(self, body: dict[str, str], size: int, number: int) -> dict[str, Any]:
        rows = self.ordered(body)
        content = [row.wire() for row in rows[number * size : (number + 1) * size]]
        if not self.schedule.tells:
            return {"content": content}
        is_last = (number + 1) * size >= len(rows)
        return {"content": content, "last": is_last, "totalElements": len(rows), "number": number, "size": size}

    def ordered(self, body: dict[str, str]) -> list[Record]:
        since, until = (_moment(body.get(name)) for name in ("date_time_from", "date_time_to"))
        rows = [each for each in self.records if each.is_there(self.clock.time) and self._is_in(each, since, until)]
        sign = -1 if self.schedule.unstable_ties and self.requests % 2 else 1
        return sorted(rows, key=lambda each: (each.at is None, each.at or 0.0, sign * each.id))

    def _is_in(self, record: Record, since: datetime | None, until: datetime | None) -> bool:
        at = record.moment
        if at is None:
            return True
        if self.schedule.half_open:
            return (since is None or since < at) and (until is None or at < until)
        return (since is None or since <= at) and (until is None or at <= until)

    def _drawn(self, number: int) -> Record:
        schedule, chance = self.schedule, self.chance
        span = schedule.hours * HOUR
        moments = max(1, min(schedule.moments, span * 1000))
        at = chance.randrange(moments) * span * 1000 // moments / 1000
        late = chance.choice([0.0, chance.uniform(0.0, 10.0), chance.uniform(0.0, schedule.lateness)])
        written = at + min(late, schedule.lateness)
        deleted = written + chance.uniform(0.0, span) if chance.random() < schedule.deletes else float("inf")
        is_timeless = chance.random() < schedule.timeless
        return Record(number, None if is_timeless else at, written, deleted)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


@define
class Store:
    """The warehouse: rows and state of a batch are in it, or neither is."""

    ids: list[int] = field(factory=list)
    state: str | None = None
    late: int = 0


@frozen
class Verdict:
    lost: int
    doubled: int
    strange: int = 0
    """Records that were not asked for."""


def judge(service: Service, told: list[int]) -> Verdict:
    since = service.schedule.since
    wanted = {each.id for each in service.records if since is None or each.at is None or each.at >= since}
    always = {each.id for each in service.records if each.deleted == float("inf")} & wanted
    return Verdict(len(always - set(told)), len(told) - len(set(told)), len(set(told) - wanted))


async def read(schedule: Schedule) -> Verdict:
    """Run jobs as the client reads; the last one is not killed, and by then every record is written."""
    service, store = Service(schedule), Store()
    async with service.client() as client:
        for _ in range(schedule.jobs):
            service.clock.time += service.chance.uniform(0.0, 2 * schedule.hours * HOUR / schedule.jobs)
            await run(client, service, store, schedule.kills)
        service.clock.time = max(service.clock.time, schedule.hours * HOUR) + schedule.lateness + schedule.lag + 2
        is_complete = await run(client, service, store, 0.0)
    verdict = judge(service, store.ids)
    return verdict if is_complete else evolve(verdict, lost=0)


async def run(client: VoxloudClient, service: Service, store: Store, kills: float) -> bool:
    """One job, which may be killed between two batches, or between a batch and the end of its transaction.

    Returns False where the client says that the list cannot be read: pages of few rows may not overlap.
    """
    schedule, chance = service.schedule, service.chance
    since = None if schedule.since is None else START + timedelta(seconds=schedule.since)
    batches = client.telephony_events.incremental(
        store.state,
        since=since,
        lag=schedule.lag,
        overlap=max(0.0, schedule.lateness - schedule.lag) * chance.choice([1, 1, 2, 5]),
        page_size=schedule.page_size,
        prefetch=schedule.prefetch,
    )
    try:
        async with batches:
            async for batch in batches:
                if chance.random() < kills / 2:
                    return True
                store.ids += [row.id for row in batch.items if row.id is not None]
                store.state, store.late = batch.state, store.late + batch.late
                if chance.random() < kills / 2:
                    return True
    except ConflictError:
        assert schedule.page_size < 16 or schedule.unstable_ties, "pages of this size can be read"
        return False
    return True


async def read_naively(schedule: Schedule) -> Verdict:
    """Run jobs that go on from the highest time they have seen, as a first attempt does; none is killed."""
    service, told = Service(schedule), list[int]()
    mark = None if schedule.since is None else START + timedelta(seconds=schedule.since)
    async with service.client() as client:
        for number in range(schedule.jobs + 1):
            service.clock.time += service.chance.uniform(0.0, 2 * schedule.hours * HOUR / schedule.jobs)
            if number == schedule.jobs:
                service.clock.time = max(service.clock.time, schedule.hours * HOUR) + schedule.lateness + 2
            rows = await client.telephony_events.query(date_time_from=mark, page_size=1_000).collect()
            told += [row.id for row in rows if row.id is not None and row.id not in told]
            mark = max([row.timestamp for row in rows if row.timestamp is not None], default=mark)
    return judge(service, told)


def drawn(seed: int) -> Schedule:
    """A schedule out of a great many."""
    chance = Random(seed)
    return Schedule(
        seed=seed,
        records=chance.choice([0, 3, 40, 150, 400]),
        lateness=chance.choice([0.0, 30.0, 600.0, 4 * HOUR, 12 * HOUR]),
        moments=chance.choice([20, 500, 1_000_000]),
        deletes=chance.choice([0.0, 0.1, 0.5]),
        timeless=chance.choice([0.0, 0.0, 0.05]),
        jobs=chance.choice([2, 6, 20]),
        kills=chance.choice([0.0, 0.3, 0.8]),
        lag=chance.choice([0.0, 60.0, 900.0]),
        page_size=chance.choice([1, 5, 20, 100]),
        prefetch=chance.choice([1, 2, 4]),
        step=chance.choice([0.0, 5.0, 600.0]),
        since=chance.choice([None, None, 5.5 * HOUR]),
        half_open=chance.random() < 0.3,
        unstable_ties=chance.random() < 0.3,
        most=chance.choice([2000, 2000, 50]),
        tells=chance.random() < 0.8,
    )
