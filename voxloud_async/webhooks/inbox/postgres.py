"""An inbox in PostgreSQL, for the processes of several hosts (the extra `postgres`)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Container, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import asyncpg  # type: ignore[import-untyped]  # it ships no types
from attrs import evolve, frozen

from . import postgres_statements as sql
from .checks import as_origin, by_key, check_error, check_most, check_seconds
from .joined import Joined
from .opened import Opened
from .postgres_schema import checked, prepare
from .protocol import EVERY, KEPT, Counts, DeadLetter, Delivery, InboxFullError, Lease, Selection
from .room import Room

PATIENCE = 10.0
"""Seconds for one statement, and for a connection to be opened."""

# the internal error is what a connection that is cut at the wrong moment may raise
_FAULTS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)

_Answer = frozenset[str] | InboxFullError


# A database may be set to acknowledge before the disk does, and to isolate transactions so far that they fail.
_SETTINGS = {"synchronous_commit": "on", "default_transaction_isolation": "read committed"}
_PROGRAM = {"application_name": "voxloud_async"}


@frozen
class _Database:
    """Connections to a server, or to a pooler between it and them such as PgBouncer.

    A pooler may give each transaction another connection of its own: settings and prepared statements do not outlive
    it, and the parameters of a startup are refused. So every statement there is in a transaction that has the settings.
    """

    pool: Any
    pooled: bool

    @asynccontextmanager
    async def use(self) -> AsyncIterator[Any]:
        """A connection, or a transaction of one."""
        async with self.pool.acquire() as db:
            if not self.pooled:
                yield db
                return
            async with db.transaction(isolation="read_committed"):
                await db.execute("SET LOCAL synchronous_commit TO on")
                yield db


@frozen
class _Call:
    database: _Database
    coming: Mapping[str, Delivery]


class PostgresInbox:
    """Deliveries in a table of PostgreSQL 12 or later, made on first use. `url` is libpq's, `postgresql://...`.

    It takes up to `max_waiting` deliveries that wait; where several processes store, what they store within a second
    may come on top. It opens up to `connections`, and belongs to one event loop. `pooled`: whether a pooler such as
    PgBouncer is in between, in session or in transaction mode; None to find out. Times are the server's; `ahead` is how
    many seconds later it shall think it is, for tests.
    """

    def __init__(
        self,
        url: str,
        *,
        table: str = "voxloud_inbox",
        max_waiting: int = 100_000,
        connections: int = 4,
        pooled: bool | None = None,
        ahead: Callable[[], float] = lambda: 0.0,
    ) -> None:
        check_most("max_waiting", max_waiting)
        check_most("connections", connections)
        self._url = url
        self._table = checked(table)
        self._connections = connections
        self._pooled = pooled
        self._ahead = ahead
        self._room = Room(max_waiting)
        self._opened: Opened[_Database] = Opened(self._open, _close, faults=_FAULTS)
        self._joined: Joined[_Call, frozenset[str]] = Joined(self._store)

    async def add(self, deliveries: Sequence[Delivery]) -> frozenset[str]:
        """Store deliveries, all of them or none, and return the keys that were new. Raises InboxFullError."""
        coming = by_key(deliveries)
        async with self._opened.use() as database:
            return await self._joined(_Call(database, coming))

    async def lease(self, limit: int, seconds: float, of: Selection = EVERY) -> Sequence[Lease]:
        """Take up to `limit` deliveries that are due, the earliest first."""
        check_most("limit", limit)
        check_seconds("seconds", seconds)
        token = uuid4().hex
        rows = await self._fetch(sql.LEASE, [*of.types], of.others, of.waited, limit, token, seconds)
        return [
            Lease(delivery=_delivery(row), token=token, until=row["at"], run=row["runs"])
            for row in sorted(rows, key=lambda row: row["was"])
        ]

    async def extend(self, lease: Lease, seconds: float) -> Lease | None:
        """Hold a delivery for `seconds` from now; None where the lease went to another."""
        check_seconds("seconds", seconds)
        rows = await self._fetch(sql.EXTEND, lease.delivery.key, lease.token, seconds)
        return evolve(lease, until=rows[0]["at"]) if rows else None

    async def done(self, lease: Lease) -> bool:
        """It was handled: keep its key, drop its body."""
        return bool(await self._fetch(sql.DONE, lease.delivery.key, lease.token))

    async def retry(self, lease: Lease, delay: float, error: str) -> bool:
        """Handling failed: make it due again after `delay`."""
        check_seconds("delay", delay)
        check_error(error)
        return bool(await self._fetch(sql.RETRY, lease.delivery.key, lease.token, delay, error))

    async def release(self, lease: Lease) -> bool:
        """Give it back, due at once, as if it had not been taken."""
        return bool(await self._fetch(sql.RELEASE, lease.delivery.key, lease.token))

    async def bury(self, lease: Lease, error: str) -> bool:
        """Give it up: a dead letter, body and all."""
        check_error(error)
        return bool(await self._fetch(sql.BURY, lease.delivery.key, lease.token, error))

    async def known(self, keys: Collection[str]) -> frozenset[str]:
        """Those of the keys that wait, are dead, or were done or discarded within the last `KEPT` seconds."""
        return frozenset(row["key"] for row in await self._fetch(sql.KNOWN, list(keys), KEPT))

    async def fingerprints(self, keys: Collection[str]) -> Mapping[str, str]:
        """The fingerprints of those of the keys that are known."""
        return {row["key"]: row["fingerprint"] for row in await self._fetch(sql.KNOWN, list(keys), KEPT)}

    async def announce(self, types: Collection[str], seconds: float) -> None:
        """Note that a process handles these event types for so many seconds from now."""
        check_seconds("seconds", seconds)
        await self._fetch(sql.ANNOUNCE, [*frozenset(types)], seconds)

    async def announced(self) -> frozenset[str]:
        """The event types that some process handles now."""
        return frozenset(row["type"] for row in await self._fetch(sql.ANNOUNCED))

    async def dead_letters(self, limit: int = 100) -> Sequence[DeadLetter]:
        """The dead letters, the latest first."""
        check_most("limit", limit)
        return [
            DeadLetter(delivery=_delivery(row), runs=row["runs"], error=row["error"], died=row["at"])
            for row in await self._fetch(sql.DEAD_LETTERS, limit)
        ]

    async def replay(self, keys: Collection[str]) -> int:
        """Make dead letters due again, with their runs counted anew; how many there were."""
        return len(await self._fetch(sql.REPLAY, list(keys)))

    async def discard(self, keys: Collection[str]) -> int:
        """Forget dead letters: keep their keys as those of what was handled, drop their bodies; how many there were."""
        return len(await self._fetch(sql.DISCARD, list(keys)))

    async def due_in(self, of: Selection = EVERY) -> float | None:
        """Seconds until something of these is due, 0 where it is already; None where nothing waits."""
        (row,) = await self._fetch(sql.DUE_IN, [*of.types], of.others)
        return None if row["seconds"] is None else max(0.0, row["seconds"] + of.waited)

    async def counts(self) -> Counts:
        """What it holds."""
        (row,) = await self._fetch(sql.COUNTS, KEPT)
        return Counts(**row)

    async def aclose(self) -> None:
        """Wait for the calls under way and close the connections."""
        await self._opened.aclose()

    async def _open(self) -> _Database:
        pooled = await self._is_pooled() if self._pooled is None else self._pooled
        pool = asyncpg.create_pool(
            self._url,
            min_size=0,  # else the pool reconnects by itself as well, and logs each attempt that fails
            max_size=self._connections,
            timeout=PATIENCE,
            command_timeout=PATIENCE,
            **({"statement_cache_size": 0, "reset": _leave_as_it_is} if pooled else {}),
            server_settings=_PROGRAM if pooled else _PROGRAM | _SETTINGS,
        )
        database = _Database(pool, pooled)
        try:
            await pool
            async with database.use() as db:
                await prepare(db, self._table)
        except BaseException:
            pool.terminate()
            raise
        return database

    async def _is_pooled(self) -> bool:
        """Whether the process that answers is another one than that which took the connection."""
        settings = {"timeout": PATIENCE, "command_timeout": PATIENCE, "statement_cache_size": 0}
        db = await asyncpg.connect(self._url, server_settings=_PROGRAM, **settings)
        try:
            async with db.transaction():
                return bool(await db.fetchval("SELECT pg_backend_pid()") != db.get_server_pid())
        finally:
            await db.close()

    async def _fetch(self, statement: str, *values: object) -> Sequence[Any]:
        async with self._opened.use() as database:
            return await self._rows(database, statement, *values)

    async def _rows(self, database: _Database, statement: str, *values: object) -> Sequence[Any]:
        """Run a statement, whose first value is how far the clock is ahead, in a transaction of its own."""
        async with database.use() as db:
            rows: Sequence[Any] = await db.fetch(sql.on_table(statement, self._table), self._ahead(), *values)
            return rows

    async def _store(self, calls: Sequence[_Call]) -> Sequence[_Answer]:
        database = calls[0].database
        every = {key for call in calls for key in call.coming}
        known = {row["key"] for row in await self._rows(database, sql.KNOWN, list(every), KEPT)}
        await self._look_round(database, len(every - known))
        chosen: dict[str, Delivery] = {}
        answers = [self._choose(call.coming, known, chosen) for call in calls]
        stored = await self._insert(database, list(chosen.values()))
        return [answer if isinstance(answer, Exception) else answer & stored for answer in answers]

    def _choose(self, coming: Mapping[str, Delivery], known: Container[str], chosen: dict[str, Delivery]) -> _Answer:
        """Add what is new in a call to what will be stored, where there is room for all of it."""
        new = {key: each for key, each in coming.items() if key not in known and key not in chosen}
        try:
            self._room.take(len(new))
        except InboxFullError as error:
            return error
        chosen.update(new)
        return frozenset(new)

    async def _insert(self, database: _Database, new: Sequence[Delivery]) -> frozenset[str]:
        columns = (
            [each.key for each in new],
            [each.type for each in new],
            [each.fingerprint for each in new],
            [each.origin for each in new],
            [each.received for each in new],
            [each.body for each in new],
        )
        return (
            frozenset(row["key"] for row in await self._rows(database, sql.INSERT, KEPT, *columns))
            if new
            else frozenset()
        )

    async def _look_round(self, database: _Database, wanted: int) -> None:
        """Where it is not known how many wait, forget what is too old and count."""
        now = asyncio.get_running_loop().time()
        if wanted and self._room.unsure(wanted, now):
            await self._rows(database, sql.FORGET, KEPT)
            (row,) = await self._rows(database, sql.WAITING)
            self._room.count(row["waiting"], now)


async def _close(database: _Database) -> None:
    await database.pool.close()


async def _leave_as_it_is(_db: Any) -> None:
    """Reset nothing: the connection behind a pooler may be another client's by now."""


def _delivery(row: Any) -> Delivery:
    return Delivery(
        key=row["key"],
        type=row["type"],
        fingerprint=row["fingerprint"],
        origin=as_origin(row["origin"]),
        received=row["received"],
        body=row["body"],
    )
