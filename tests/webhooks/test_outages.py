"""A PostgreSQL or Redis that dies, hangs and comes back under a receiver at work."""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks import free_port
from tests.servers import PostgresServer, RedisServer, need_postgres, need_redis
from tests.webhooks.deliveries import incoming, receiver
from tests.webhooks.serving import Wire, serving
from voxloud_async.webhooks.notices import InboxFailed, Notice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from voxloud_async.models import CallEvent
    from voxloud_async.webhooks import Received, WebhookReceiver

pytestmark = pytest.mark.acceptance
Database = PostgresServer | RedisServer

KINDS = ("postgres", "redis")
NUMBER = "+390612345678"
LEASE = 1.5
ANSWERED_WITHIN = 7.0
"""Seconds: five that a delivery waits for its store, and the rest for a busy machine."""

PATIENCE = 30.0
WORKERS = 4
KILLS = 3


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """One of its own for each test, which keeps on disk what it has confirmed."""
    need, make = (need_postgres, PostgresServer) if request.param == "postgres" else (need_redis, RedisServer)
    need()
    folder = Path(tempfile.mkdtemp())  # outside pytest's own, which nobody but its owner may enter
    folder.chmod(0o755)
    server = make(folder, free_port(), durable=True)
    server.start()
    yield server
    server.kill()
    shutil.rmtree(folder)


class Desk:
    """A receiver on a database, what it told, and what its handlers have seen."""

    def __init__(self, database: Database, **options: Any) -> None:
        self.notices: list[Notice] = []
        self.seen: Counter[str] = Counter()
        self.go = asyncio.Event()
        self.begun = asyncio.Event()
        self.receiver: WebhookReceiver = receiver(
            inbox=database.url, lease=LEASE, concurrency=WORKERS, subscribers=[self.notices.append], **options
        )
        self.receiver.on("CALL_INCOMING")(self.handle)

    async def handle(self, event: CallEvent, received: Received) -> None:
        """Note it; those whose call is named `held` wait in their first run."""
        if event.call_id.startswith("held") and received.run == 1:
            self.begun.set()
            await self.go.wait()
        self.seen[event.call_id] += 1

    def failures(self) -> Counter[str]:
        """What the inbox could not do, and how often."""
        return Counter(notice.what for notice in self.notices if isinstance(notice, InboxFailed))

    async def settled(self) -> None:
        """Wait until nothing waits any more."""
        async with asyncio.timeout(PATIENCE):
            while (await self.receiver.inbox.counts()).waiting:  # noqa: ASYNC110 - an inbox sends no event
                await asyncio.sleep(0.05)


async def wait_until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - nor do servers that start
            await asyncio.sleep(0.01)


async def timed(wire: Wire, call_id: str) -> tuple[int, float]:
    """Deliver a call; the status, and the seconds until it came."""
    started = time.monotonic()
    reply = await wire.post(incoming(call_id, originatorNumber=NUMBER))
    return reply.status, time.monotonic() - started


async def deliver(wire: Wire, *call_ids: str) -> list[int]:
    """Deliver calls at once; the statuses, each within its time."""
    answers = await asyncio.gather(*(timed(wire, each) for each in call_ids))
    assert max(seconds for _, seconds in answers) < ANSWERED_WITHIN
    return [status for status, _ in answers]


def names(kind: str, count: int) -> list[str]:
    return [f"{kind}-{number}" for number in range(count)]


@pytest.fixture(autouse=True)
def _tell_no_one(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No log of any library holds a number, or the secret of a path."""
    caplog.set_level(logging.DEBUG)
    yield
    records = [*caplog.get_records("call")]
    told = "\n".join(logging.Formatter().format(each) for each in records if each.name != "asyncio")
    assert NUMBER.lstrip("+") not in told
    assert "CALL_INCOMING-" not in told


async def test_w7_a_database_that_was_killed_has_lost_nothing_acknowledged(database: Database, server: str) -> None:
    desk = Desk(database)
    async with serving(server, desk.receiver) as wire, desk.receiver:
        assert {*await deliver(wire, *names("before", 20))} == {200}
        await desk.settled()
        assert await deliver(wire, "held") == [200]
        await desk.begun.wait()
        database.kill()
        assert {*await deliver(wire, *names("during", 10))} == {503}
        desk.go.set()
        before = desk.failures()
        await asyncio.sleep(3)
        failures = desk.failures() - before
        assert failures.keys() <= {"lease", "tell what is due", "mark as done", "extend"}
        assert failures.total() <= 12  # a look in every second, and what was under way
        assert desk.receiver.stats.refused == {"inbox_failed": 10}
        database.start()
        assert {*await deliver(wire, *names("during", 10))} == {200}
        await desk.settled()
        counts = await desk.receiver.inbox.counts()
    assert (counts.waiting, counts.dead, counts.done) == (0, 0, 31)
    assert desk.seen == Counter(dict.fromkeys([*names("before", 20), *names("during", 10)], 1) | {"held": 2})


async def test_w7_a_database_that_is_killed_amid_a_flood_loses_nothing(database: Database) -> None:
    desk, waiting, over = Desk(database), iter(names("flood", 100_000)), asyncio.Event()
    acknowledged: set[str] = set()

    async def send(wire: Wire) -> None:
        while not over.is_set():
            name = next(waiting)
            (status,) = await deliver(wire, name)
            assert status in (200, 503)
            if status == 200:
                acknowledged.add(name)
            else:
                await asyncio.sleep(0.1)

    async def more_come() -> None:
        enough = len(acknowledged) + 100
        await wait_until(lambda: len(acknowledged) > enough)

    async with serving("aiohttp", desk.receiver) as wire, desk.receiver:
        senders = [asyncio.create_task(send(wire)) for _ in range(8)]
        for _ in range(KILLS):
            await more_come()
            database.kill()
            await asyncio.sleep(0.3)
            await asyncio.to_thread(database.start)
        await more_come()
        over.set()
        await asyncio.gather(*senders)
        await desk.settled()
    assert acknowledged <= desk.seen.keys()
    assert desk.seen.total() - len(desk.seen) <= KILLS * WORKERS
    assert desk.receiver.stats.refused.keys() == {"inbox_failed"}
    assert desk.receiver.stats.buried == 0


async def test_a_server_that_hangs_is_waited_for_so_long(database: Database) -> None:
    desk = Desk(database)
    async with serving("aiohttp", desk.receiver) as wire, desk.receiver:
        assert {*await deliver(wire, *names("before", 5))} == {200}
        await desk.settled()
        database.hang()
        assert {*await deliver(wire, *names("during", 5))} == {503}
        database.go_on()
        assert {*await deliver(wire, *names("during", 5))} == {200}
        await desk.settled()
    assert desk.seen == Counter(names("before", 5) + names("during", 5))


async def test_a_server_that_was_away_for_a_moment_costs_no_delivery(database: Database) -> None:
    desk = Desk(database)
    async with serving("aiohttp", desk.receiver) as wire, desk.receiver:
        assert {*await deliver(wire, *names("before", 12))} == {200}  # over several connections, which then idle
        await desk.settled()
        database.kill()
        await asyncio.sleep(0.1)
        await asyncio.to_thread(database.start)
        assert {*await deliver(wire, *names("after", 12))} == {200}
        await desk.settled()


@pytest.mark.parametrize("misfortune", ["kill", "hang"])
async def test_a_receiver_ends_beside_a_server_that_is_gone(database: Database, misfortune: str) -> None:
    desk = Desk(database, grace=0.5)
    async with serving("aiohttp", desk.receiver) as wire:
        async with desk.receiver:
            assert await deliver(wire, "held") == [200]
            await desk.begun.wait()
            getattr(database, misfortune)()
            started = time.monotonic()
        assert time.monotonic() - started < PATIENCE
    assert desk.failures()["give back"] == 1
    database.kill()
    database.start()
    another = Desk(database)
    async with another.receiver:
        await wait_until(lambda: another.seen["held"] == 1)


async def test_a_receiver_may_start_before_its_server(database: Database) -> None:
    database.kill()
    desk = Desk(database)
    async with serving("aiohttp", desk.receiver) as wire, desk.receiver:
        assert {*await deliver(wire, *names("early", 3))} == {503}
        database.start()
        assert {*await deliver(wire, *names("early", 3))} == {200}
        await desk.settled()
    assert desk.seen == Counter(names("early", 3))
