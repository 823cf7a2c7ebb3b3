"""An inbox in Redis or Valkey, for the processes of several hosts (the extra `redis`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from importlib import resources
from typing import Any
from uuid import uuid4

from attrs import evolve
from redis import RedisError
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.commands.core import AsyncScript

from .checks import as_origin, by_key, check_error, check_most, check_seconds
from .opened import Opened
from .protocol import EVERY, KEPT, Counts, DeadLetter, Delivery, InboxError, InboxFullError, Lease, Selection

VERSION = 2

PATIENCE = 5.0
"""Seconds for one step, for a connection to be opened, and for one to be free."""

MOST_ARGUMENTS = 1000
"""Keys or deliveries in one step: a script takes some thousands of values, and nobody else is served meanwhile."""

_PARTS = ("waiting", "leased", "dead", "done", "heads", "bodies", "version", "types", "handled", "fingerprints")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,50}")
_FAULTS = (RedisError, OSError)


class RedisInbox:
    """Deliveries in Redis 5 or later, or Valkey. `url` is redis-py's, such as `redis://host:6379/0`.

    What is stored is as durable as the server is told to make it: only `appendonly yes` with `appendfsync always` loses
    nothing that was acknowledged when the server dies. It takes up to `max_waiting` deliveries that wait, opens up to
    `connections`, and belongs to one event loop. `name` tells inboxes on one server apart. Times are the server's;
    `ahead` is how many seconds later it shall think it is, for tests.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str = "inbox",
        max_waiting: int = 100_000,
        connections: int = 16,
        ahead: Callable[[], float] = lambda: 0.0,
    ) -> None:
        check_most("max_waiting", max_waiting)
        check_most("connections", connections)
        if not _NAME.fullmatch(name):
            raise ValueError("name must be 1 to 50 letters, digits, dots, hyphens and underscores")
        self._url = url
        self._keys = [f"voxloud:{{{name}}}:{part}" for part in _PARTS]  # braces: one slot of a cluster for all
        self._name = name
        self._max_waiting = max_waiting
        self._connections = connections
        self._ahead = ahead
        self._opened: Opened[AsyncScript] = Opened(self._open, _close, faults=_FAULTS)

    async def add(self, deliveries: Sequence[Delivery]) -> frozenset[str]:
        """Store up to 1,000 deliveries, all or none, and return the keys that were new. Raises InboxFullError."""
        coming = by_key(deliveries).values()
        if len(coming) > MOST_ARGUMENTS:
            raise ValueError(f"deliveries must be {MOST_ARGUMENTS} at most")
        values = [
            value
            for each in coming
            for value in (each.key, each.type, each.fingerprint, each.origin, repr(each.received), each.body)
        ]
        answer = await self._step("add", self._max_waiting, *values)
        if isinstance(answer, int):
            raise InboxFullError(f"the inbox holds {answer} deliveries, and may hold {self._max_waiting}")
        return frozenset(key.decode() for key in answer)

    async def lease(self, limit: int, seconds: float, of: Selection = EVERY) -> Sequence[Lease]:
        """Take up to `limit` deliveries that are due, the earliest first."""
        check_most("limit", limit)
        check_seconds("seconds", seconds)
        token = uuid4().hex
        rows = await self._step("lease", limit, seconds, token, of.waited, int(of.others), *of.types)
        return [
            Lease(delivery=_delivery(*columns), token=token, until=float(until), run=int(runs))
            for until, *columns, runs in rows
        ]

    async def extend(self, lease: Lease, seconds: float) -> Lease | None:
        """Hold a delivery for `seconds` from now; None where the lease went to another."""
        check_seconds("seconds", seconds)
        until = await self._step("extend", lease.delivery.key, lease.token, seconds)
        return None if until is None else evolve(lease, until=float(until))

    async def done(self, lease: Lease) -> bool:
        """It was handled: keep its key, drop its body."""
        return bool(await self._step("done", lease.delivery.key, lease.token))

    async def retry(self, lease: Lease, delay: float, error: str) -> bool:
        """Handling failed: make it due again after `delay`."""
        check_seconds("delay", delay)
        check_error(error)
        return bool(await self._step("retry", lease.delivery.key, lease.token, delay, error))

    async def release(self, lease: Lease) -> bool:
        """Give it back, due at once, as if it had not been taken."""
        return bool(await self._step("release", lease.delivery.key, lease.token))

    async def bury(self, lease: Lease, error: str) -> bool:
        """Give it up: a dead letter, body and all."""
        check_error(error)
        return bool(await self._step("bury", lease.delivery.key, lease.token, error))

    async def known(self, keys: Collection[str]) -> frozenset[str]:
        """Those of the keys that wait, are dead, or were done or discarded within the last `KEPT` seconds."""
        found = [await self._step("known", *part) for part in _parts(keys)]
        return frozenset(key.decode() for part in found for key in part)

    async def fingerprints(self, keys: Collection[str]) -> Mapping[str, str]:
        """The fingerprints of those of the keys that are known."""
        found = [await self._step("fingerprints", *part) for part in _parts(keys)]
        return {key.decode(): text.decode() for part in found for key, text in part}

    async def announce(self, types: Collection[str], seconds: float) -> None:
        """Note that a process handles these event types for so many seconds from now."""
        check_seconds("seconds", seconds)
        await self._step("announce", seconds, *types)

    async def announced(self) -> frozenset[str]:
        """The event types that some process handles now."""
        return frozenset(each.decode() for each in await self._step("announced"))

    async def dead_letters(self, limit: int = 100) -> Sequence[DeadLetter]:
        """The dead letters, the latest first."""
        check_most("limit", limit)
        return [
            DeadLetter(delivery=_delivery(*columns), runs=int(runs), error=error.decode(), died=float(died))
            for died, error, *columns, runs in await self._step("dead_letters", limit)
        ]

    async def replay(self, keys: Collection[str]) -> int:
        """Make dead letters due again, with their runs counted anew; how many there were."""
        return sum([int(await self._step("replay", *part)) for part in _parts(keys)])

    async def discard(self, keys: Collection[str]) -> int:
        """Forget dead letters: keep their keys as those of what was handled, drop their bodies; how many there were."""
        return sum([int(await self._step("discard", *part)) for part in _parts(keys)])

    async def due_in(self, of: Selection = EVERY) -> float | None:
        """Seconds until something of these is due, 0 where it is already; None where nothing waits."""
        seconds = await self._step("due_in", int(of.others), *of.types)
        return None if seconds is None else max(0.0, float(seconds) + of.waited)

    async def counts(self) -> Counts:
        """What it holds."""
        waiting, leased, dead, done = await self._step("counts")
        return Counts(waiting=waiting, leased=leased, dead=dead, done=done)

    async def aclose(self) -> None:
        """Wait for the calls under way and close the connections."""
        await self._opened.aclose()

    async def _open(self) -> AsyncScript:
        pool = BlockingConnectionPool.from_url(
            self._url,
            max_connections=self._connections,
            timeout=PATIENCE,
            socket_timeout=PATIENCE,
            socket_connect_timeout=PATIENCE,
            protocol=2,  # with 3, redis-py 8 no longer sees that an idle connection was closed, and its next step fails
            retry=Retry(NoBackoff(), 0),  # a step that was lost may have been taken: whoever asked decides
        )
        script = Redis.from_pool(pool).register_script(
            resources.files("voxloud_async.webhooks.inbox").joinpath("inbox.lua").read_text()
        )
        try:
            await self._check_version(script)
        except BaseException:
            await _close(script)
            raise
        return script

    async def _check_version(self, script: AsyncScript) -> None:
        version = int(await self._run(script, "open", VERSION))
        if version != VERSION:
            raise InboxError(
                f"the inbox {self._name} is of version {version}, and this release knows version {VERSION}"
            )

    async def _step(self, step: str, *values: str | bytes | float) -> Any:
        async with self._opened.use() as script:
            return await self._run(script, step, *values)

    async def _run(self, script: AsyncScript, step: str, *values: str | bytes | float) -> Any:
        return await script(keys=self._keys, args=[step, self._ahead(), KEPT, *values])


async def _close(script: AsyncScript) -> None:
    await script.registered_client.aclose()


def _parts(keys: Collection[str]) -> Iterator[list[str]]:
    """As many keys as one step takes at a time."""
    every = list(keys)
    for start in range(0, len(every), MOST_ARGUMENTS):
        yield every[start : start + MOST_ARGUMENTS]


def _delivery(*columns: bytes) -> Delivery:
    key, event_type, fingerprint, origin, received, body = columns
    return Delivery(
        key=key.decode(),
        type=event_type.decode(),
        fingerprint=fingerprint.decode(),
        origin=as_origin(origin.decode()),
        received=float(received),
        body=body,
    )
