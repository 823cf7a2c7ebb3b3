"""PostgreSQL behind PgBouncer, in both of its modes, whatever the database is set to."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import asyncpg  # type: ignore[import-untyped]  # it ships no types
import pytest

from benchmarks import free_port
from tests.servers import PgBouncer, need_pgbouncer
from tests.webhooks.deliveries import incoming, packed, receiver, record, stored
from tests.webhooks.inbox.stores import deliveries
from voxloud_async.webhooks.inbox.postgres import PostgresInbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers import PostgresServer

MODES = ("session", "transaction")
HOUR = 3600.0


@pytest.fixture(scope="module", params=MODES)
def bouncer(request: pytest.FixtureRequest, postgres: PostgresServer, folder: Path) -> Iterator[PgBouncer]:
    need_pgbouncer()
    server = PgBouncer(folder / request.param, free_port(), postgres, request.param)
    server.folder.mkdir()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def table() -> str:
    return f"test_{uuid4().hex}"


async def test_300_of_300_events_are_handled_once(bouncer: PgBouncer, table: str) -> None:
    inboxes = [PostgresInbox(bouncer.url, table=table) for _ in range(2)]
    receivers = [receiver(inbox=inbox, concurrency=8) for inbox in inboxes]
    handled: list[str] = []
    for each in receivers:

        @each.on()
        async def take(event: Any) -> None:
            handled.append(event.call_id)

    async with receivers[0], receivers[1], asyncio.timeout(60):
        bodies = [incoming(f"c{n}") if n % 2 else packed(record(n)) for n in range(300)]
        for start in range(0, 300, 50):
            adds = [receivers[n % 2]._lifetime.add(stored(bodies[n])) for n in range(start, start + 50)]
            await asyncio.gather(*adds)
        while (await inboxes[0].counts()).done < 300:  # noqa: ASYNC110 - an inbox sends no event
            await asyncio.sleep(0.05)
    assert len(handled) == len(set(handled)) == 300
    assert [each.stats.inbox_failures for each in receivers] == [0, 0]
    for inbox in inboxes:
        await inbox.aclose()


@pytest.mark.parametrize("told", [True, None])
async def test_it_works_whether_it_is_told_or_finds_out(bouncer: PgBouncer, table: str, *, told: bool | None) -> None:
    inbox = PostgresInbox(bouncer.url, table=table, pooled=told)
    await asyncio.gather(*(inbox.add([each]) for each in deliveries(20)))
    leases = await inbox.lease(20, HOUR)
    assert all(await asyncio.gather(*(inbox.done(each) for each in leases)))
    assert (await inbox.counts()).done == 20
    await inbox.aclose()


@pytest.mark.parametrize("through", ["server", "pooler"])
async def test_a_strict_default_of_the_database_makes_nothing_fail(
    bouncer: PgBouncer, postgres: PostgresServer, table: str, through: str
) -> None:
    admin = await asyncpg.connect(postgres.url)
    strict = {"default_transaction_isolation": "serializable", "synchronous_commit": "off"}
    await admin.execute(f"CREATE DATABASE {table}")
    for name, value in strict.items():
        await admin.execute(f"ALTER DATABASE {table} SET {name} TO '{value}'")
    url = (bouncer if through == "pooler" else postgres).url.replace("/postgres", f"/{table}")
    inboxes = [PostgresInbox(url, connections=4) for _ in range(3)]
    await inboxes[0].add(deliveries(300))

    async def work(inbox: PostgresInbox) -> int:
        count = 0
        while leases := await inbox.lease(5, HOUR):
            count += sum(await asyncio.gather(*(inbox.done(each) for each in leases)))
        return count

    assert sum(await asyncio.gather(*map(work, inboxes * 3))) == 300
    async with inboxes[0]._opened.use() as database, database.use() as db, db.transaction():
        shown = [await db.fetchval(f"SHOW {name}") for name in ("transaction_isolation", "synchronous_commit")]
    assert shown == ["read committed", "on"]
    for inbox in inboxes:
        await inbox.aclose()
    await admin.close()


async def test_settings_of_other_clients_are_left_as_they_are(bouncer: PgBouncer, table: str) -> None:
    inbox = PostgresInbox(bouncer.url, table=table)
    await inbox.add(deliveries(3))
    other = await asyncpg.connect(bouncer.url, statement_cache_size=0)
    for _ in range(5):
        async with other.transaction():
            assert await other.fetchval("SHOW default_transaction_isolation") == "read committed"
    await other.close()
    await inbox.aclose()
