"""An inbox in a SQLite file: durable, for the processes of one host."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from attrs import evolve

from .checks import as_origin, by_key, check_error, check_most, check_seconds
from .protocol import EVERY, KEPT, Counts, DeadLetter, Delivery, Lease, Selection
from .room import Room
from .sqlite_file import connect, empty_log
from .writer import Writer

_log = logging.getLogger("voxloud_async.webhooks")

_INSERT = """
INSERT OR REPLACE INTO inbox (key, state, at, type, fingerprint, origin, received, body)
VALUES (?, 'waiting', ?, ?, ?, ?, ?, ?)
"""  # what it replaces was done so long ago that it counts as forgotten

_FIND = "SELECT state, at FROM inbox WHERE key = ?"

_COUNT_WAITING = "SELECT count(*) FROM inbox WHERE state = 'waiting'"

_FORGET = """
DELETE FROM inbox WHERE seq IN (SELECT seq FROM inbox WHERE state = 'done' AND at <= ? ORDER BY at LIMIT ?)
"""

_DUE = """
SELECT key, type, fingerprint, origin, received, body, runs + 1 FROM inbox
WHERE state = 'waiting' AND at <= ? {of} ORDER BY at, seq LIMIT ?
"""

_LEASE = "UPDATE inbox SET token = ?, at = ?, runs = runs + 1 WHERE key = ?"

_EXTEND = "UPDATE inbox SET at = ? WHERE key = ? AND token = ?"

_DONE = "UPDATE inbox SET state = 'done', at = ?, token = NULL, error = NULL, body = NULL WHERE key = ? AND token = ?"

_RETRY = "UPDATE inbox SET at = ?, token = NULL, error = ? WHERE key = ? AND token = ?"

_RELEASE = "UPDATE inbox SET at = ?, token = NULL, runs = runs - 1 WHERE key = ? AND token = ?"

_BURY = "UPDATE inbox SET state = 'dead', at = ?, token = NULL, error = ? WHERE key = ? AND token = ?"

_DEAD = """
SELECT key, type, fingerprint, origin, received, body, runs, error, at FROM inbox
WHERE state = 'dead' ORDER BY at DESC, seq DESC LIMIT ?
"""

_REPLAY = "UPDATE inbox SET state = 'waiting', at = ?, runs = 0, error = NULL WHERE key = ? AND state = 'dead'"

_DISCARD = "UPDATE inbox SET state = 'done', at = ?, error = NULL, body = NULL WHERE key = ? AND state = 'dead'"

_NEXT = "SELECT min(at) FROM inbox WHERE state = 'waiting' {of}"

_FINGERPRINT = "SELECT fingerprint FROM inbox WHERE key = ?"

_ANNOUNCE = """
INSERT INTO handled_types (type, until) VALUES (?, ?)
ON CONFLICT (type) DO UPDATE SET until = max(until, excluded.until)
"""

_ANNOUNCED = "SELECT type FROM handled_types WHERE until > ?"

_COUNTS = """
SELECT (SELECT count(*) FROM inbox WHERE state = 'waiting'),
       (SELECT count(*) FROM inbox WHERE state = 'waiting' AND at > :now AND token IS NOT NULL),
       (SELECT count(*) FROM inbox WHERE state = 'dead'),
       (SELECT count(*) FROM inbox WHERE state = 'done' AND at > :now - :kept)
"""


class SqliteInbox:
    """Deliveries in the SQLite file `path`, which is made where there is none, for its owner alone to read.

    It takes up to `max_waiting` deliveries that wait; where several processes store, what they store within a second
    may come on top. `wall` is seconds since 1970. The file must lie on a disk of this host. An inbox belongs to
    one process: after a fork, open another.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, max_waiting: int = 100_000, wall: Callable[[], float] = time.time
    ) -> None:
        check_most("max_waiting", max_waiting)
        self._file = file = Path(path)
        self._writer = Writer(lambda: connect(file))
        self._reader = Writer(lambda: connect(file))  # of what takes long to read and shall hold up no delivery
        self._room = Room(max_waiting)
        self._wall = wall

    async def add(self, deliveries: Sequence[Delivery]) -> frozenset[str]:
        """Store deliveries, all of them or none, and return the keys that were new. Raises InboxFullError."""
        coming = by_key(deliveries)
        return await self._writer.run(lambda db: self._add(db, coming))

    async def lease(self, limit: int, seconds: float, of: Selection = EVERY) -> Sequence[Lease]:
        """Take up to `limit` deliveries that are due, the earliest first."""
        check_most("limit", limit)
        check_seconds("seconds", seconds)
        return await self._writer.run(lambda db: self._lease(db, limit, seconds, of))

    async def extend(self, lease: Lease, seconds: float) -> Lease | None:
        """Hold a delivery for `seconds` from now; None where the lease went to another."""
        check_seconds("seconds", seconds)

        def extend(db: sqlite3.Connection) -> Lease | None:
            until = self._wall() + seconds
            return evolve(lease, until=until) if _change(db, _EXTEND, lease, until) else None

        return await self._writer.run(extend)

    async def done(self, lease: Lease) -> bool:
        """It was handled: keep its key, drop its body."""
        return await self._writer.run(lambda db: _change(db, _DONE, lease, self._wall()))

    async def retry(self, lease: Lease, delay: float, error: str) -> bool:
        """Handling failed: make it due again after `delay`."""
        check_seconds("delay", delay)
        check_error(error)
        return await self._writer.run(lambda db: _change(db, _RETRY, lease, self._wall() + delay, error))

    async def release(self, lease: Lease) -> bool:
        """Give it back, due at once, as if it had not been taken."""
        return await self._writer.run(lambda db: _change(db, _RELEASE, lease, self._wall()))

    async def bury(self, lease: Lease, error: str) -> bool:
        """Give it up: a dead letter, body and all."""
        check_error(error)
        return await self._writer.run(lambda db: _change(db, _BURY, lease, self._wall(), error))

    async def known(self, keys: Collection[str]) -> frozenset[str]:
        """Those of the keys that wait, are dead, or were done or discarded within the last `KEPT` seconds."""
        asked = frozenset(keys)
        return await self._writer.run(lambda db: frozenset(key for key in asked if self._knows(db, key)), writes=False)

    async def fingerprints(self, keys: Collection[str]) -> Mapping[str, str]:
        """The fingerprints of those of the keys that are known."""
        asked = frozenset(keys)

        def read(db: sqlite3.Connection) -> Mapping[str, str]:
            return {key: db.execute(_FINGERPRINT, (key,)).fetchone()[0] for key in asked if self._knows(db, key)}

        return await self._writer.run(read, writes=False)

    async def announce(self, types: Collection[str], seconds: float) -> None:
        """Note that a process handles these event types for so many seconds from now."""
        check_seconds("seconds", seconds)
        named = frozenset(types)
        until = self._wall() + seconds
        await self._writer.run(lambda db: db.executemany(_ANNOUNCE, [(each, until) for each in named]))

    async def announced(self) -> frozenset[str]:
        """The event types that some process handles now."""
        rows = await self._writer.run(lambda db: db.execute(_ANNOUNCED, (self._wall(),)).fetchall(), writes=False)
        return frozenset(each for (each,) in rows)

    async def dead_letters(self, limit: int = 100) -> Sequence[DeadLetter]:
        """The dead letters, the latest first."""
        check_most("limit", limit)
        return await self._reader.run(lambda db: _dead_letters(db, limit), writes=False)

    async def replay(self, keys: Collection[str]) -> int:
        """Make dead letters due again, with their runs counted anew; how many there were."""
        return await self._update_dead(_REPLAY, keys)

    async def discard(self, keys: Collection[str]) -> int:
        """Forget dead letters: keep their keys as those of what was handled, drop their bodies; how many there were."""
        count = await self._update_dead(_DISCARD, keys)
        if count and not await asyncio.to_thread(empty_log, self._file):
            _log.warning("bodies that were discarded stay in the log of the inbox for now: it cannot be cut")
        return count

    async def due_in(self, of: Selection = EVERY) -> float | None:
        """Seconds until something of these is due, 0 where it is already; None where nothing waits."""
        statement, types = _of(_NEXT, of), [*of.types]
        (first,) = await self._writer.run(lambda db: db.execute(statement, types).fetchone(), writes=False)
        return None if first is None else max(0.0, float(first) + of.waited - self._wall())

    async def counts(self) -> Counts:
        """What it holds."""
        values = await self._reader.run(
            lambda db: db.execute(_COUNTS, {"now": self._wall(), "kept": KEPT}).fetchone(), writes=False
        )
        return Counts(**dict(zip(("waiting", "leased", "dead", "done"), values, strict=True)))

    async def aclose(self) -> None:
        """Finish the calls under way and close the file."""
        await self._reader.aclose()
        await self._writer.aclose()

    async def _update_dead(self, statement: str, keys: Collection[str]) -> int:
        asked = list(keys)
        return await self._writer.run(
            lambda db: sum(db.execute(statement, (self._wall(), key)).rowcount for key in asked)
        )

    def _add(self, db: sqlite3.Connection, coming: Mapping[str, Delivery]) -> frozenset[str]:
        new = [each for each in coming.values() if not self._knows(db, each.key)]
        if new:
            self._take_room(db, len(new))
            now = self._wall()
            db.executemany(_INSERT, [_row(each, now) for each in new])
            db.execute(_FORGET, (now - KEPT, 2 * len(new)))  # two for one: what is too old dwindles, and nobody waits
        return frozenset(each.key for each in new)

    def _take_room(self, db: sqlite3.Connection, wanted: int) -> None:
        now = self._wall()
        if self._room.unsure(wanted, now):
            self._room.count(int(db.execute(_COUNT_WAITING).fetchone()[0]), now)
        self._room.take(wanted)

    def _knows(self, db: sqlite3.Connection, key: str) -> bool:
        found = db.execute(_FIND, (key,)).fetchone()
        return found is not None and (found[0] != "done" or found[1] + KEPT > self._wall())

    def _lease(self, db: sqlite3.Connection, limit: int, seconds: float, of: Selection) -> list[Lease]:
        now, token = self._wall(), uuid4().hex
        found = db.execute(_of(_DUE, of), (now - of.waited, *of.types, limit)).fetchall()
        db.executemany(_LEASE, [(token, now + seconds, row[0]) for row in found])
        return [
            Lease(delivery=_delivery(*columns), token=token, until=now + seconds, run=run) for *columns, run in found
        ]


def _change(db: sqlite3.Connection, statement: str, lease: Lease, *values: object) -> bool:
    """Change a delivery unless its lease went to another."""
    return db.execute(statement, (*values, lease.delivery.key, lease.token)).rowcount == 1


def _dead_letters(db: sqlite3.Connection, limit: int) -> list[DeadLetter]:
    return [
        DeadLetter(delivery=_delivery(*columns), runs=runs, error=error, died=died)
        for *columns, runs, error, died in db.execute(_DEAD, (limit,))
    ]


def _row(each: Delivery, due: float) -> tuple[object, ...]:
    return each.key, due, each.type, each.fingerprint, each.origin, each.received, each.body


def _delivery(*columns: Any) -> Delivery:
    key, event_type, fingerprint, origin, received, body = columns
    return Delivery(
        key=key, type=event_type, fingerprint=fingerprint, origin=as_origin(origin), received=received, body=body
    )


@lru_cache
def _of(statement: str, of: Selection) -> str:
    """A statement for a selection, whose types are among its values."""
    if of.others and not of.types:
        return statement.format(of="")
    places = ", ".join("?" for _ in of.types)
    return statement.format(of=f"AND type {'NOT IN' if of.others else 'IN'} ({places})")
