"""An inbox that lasts as long as its process."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Sequence
from heapq import heappop, heappush
from itertools import count
from uuid import uuid4

from attrs import define, evolve

from .protocol import KEPT, Counts, DeadLetter, Delivery, InboxFullError, Lease

_REMEMBERED = 200_000

_log = logging.getLogger("voxloud_async.webhooks")


@define
class _Waiting:
    delivery: Delivery
    due: float = 0.0
    turn: int = 0
    runs: int = 0
    token: str | None = None


class MemoryInbox:
    """Deliveries in memory: what it holds is lost with the process, so it promises at most once after a crash.

    It holds up to `limit` deliveries and `max_bytes` of bodies, and refuses more. Dead letters are among them, but give
    way to what comes in, the oldest first, with a warning in the log. It remembers the keys of 200,000 handled
    deliveries at the most. `wall` is seconds since 1970.
    """

    def __init__(
        self, *, limit: int = 10_000, max_bytes: int = 64 * 2**20, wall: Callable[[], float] = time.time
    ) -> None:
        self._limit = limit
        self._max_bytes = max_bytes
        self._wall = wall
        self._waiting: dict[str, _Waiting] = {}
        self._queue: list[tuple[float, int, str]] = []
        self._turns = count()
        self._dead: OrderedDict[str, DeadLetter] = OrderedDict()
        self._done: OrderedDict[str, float] = OrderedDict()
        self._bytes = 0
        self._dead_bytes = 0

    async def add(self, deliveries: Sequence[Delivery]) -> frozenset[str]:
        """Store deliveries, all of them or none, and return the keys that were new. Raises InboxFullError."""
        self._forget()
        new = {each.key: each for each in deliveries if not self._knows(each.key)}
        size = sum(len(each.body) for each in new.values())
        if new:
            self._make_room(len(new), size)
        for each in new.values():
            self._wait(each)
        return frozenset(new)

    async def lease(self, limit: int, seconds: float) -> Sequence[Lease]:
        """Take up to `limit` deliveries that are due, the earliest first."""
        now = self._wall()
        due: list[_Waiting] = []
        while len(due) < limit and (first := self._first()) is not None and first.due <= now:
            heappop(self._queue)
            due.append(first)
        return [self._leased(each, now + seconds) for each in due]

    async def extend(self, lease: Lease, seconds: float) -> Lease | None:
        """Hold a delivery for `seconds` from now; None where the lease went to another."""
        held = self._of(lease)
        if held is None:
            return None
        self._queue_up(held, self._wall() + seconds)
        return evolve(lease, until=held.due)

    async def done(self, lease: Lease) -> bool:
        """It was handled: keep its key, drop its body."""
        if self._take(lease) is None:
            return False
        self._remember(lease.delivery.key)
        return True

    async def retry(self, lease: Lease, delay: float, error: str) -> bool:  # noqa: ARG002 - nobody reads it before the death
        """Handling failed: make it due again after `delay`."""
        held = self._of(lease)
        if held is None:
            return False
        held.token = None
        self._queue_up(held, self._wall() + delay)
        return True

    async def bury(self, lease: Lease, error: str) -> bool:
        """Give it up: a dead letter, body and all."""
        held = self._take(lease)
        if held is None:
            return False
        self._dead_bytes += len(held.delivery.body)
        self._dead[held.delivery.key] = DeadLetter(
            delivery=held.delivery, runs=held.runs, error=error, died=self._wall()
        )
        return True

    async def known(self, keys: Collection[str]) -> frozenset[str]:
        """Those of the keys that wait, are dead, or were done or discarded within the last `KEPT` seconds."""
        self._forget()
        return frozenset(key for key in keys if self._knows(key))

    async def dead_letters(self, limit: int = 100) -> Sequence[DeadLetter]:
        """The dead letters, the latest first."""
        return list(reversed(self._dead.values()))[:limit]

    async def replay(self, keys: Collection[str]) -> int:
        """Make dead letters due again, with their runs counted anew; how many there were."""
        found = self._take_dead(keys)
        for each in found:
            self._wait(each)
        return len(found)

    async def discard(self, keys: Collection[str]) -> int:
        """Forget dead letters: keep their keys as those of what was handled, drop their bodies; how many there were."""
        found = self._take_dead(keys)
        for each in found:
            self._remember(each.key)
        return len(found)

    async def due_in(self) -> float | None:
        """Seconds until something is due, 0 where it is already; None where nothing waits."""
        first = self._first()
        return None if first is None else max(0.0, first.due - self._wall())

    async def counts(self) -> Counts:
        """What it holds."""
        self._forget()
        now = self._wall()
        leased = sum(each.token is not None and each.due > now for each in self._waiting.values())
        return Counts(waiting=len(self._waiting), leased=leased, dead=len(self._dead), done=len(self._done))

    async def aclose(self) -> None:
        """Nothing to let go of."""

    def _make_room(self, count: int, size: int) -> None:
        """Let dead letters go where that is enough; else nobody would come in once enough events were given up."""
        if len(self._waiting) + count > self._limit or self._bytes + size > self._max_bytes:
            raise InboxFullError
        while self._lacks(count, size):
            _, letter = self._dead.popitem(last=False)
            self._dead_bytes -= len(letter.delivery.body)
            _log.warning("a dead letter is lost: the inbox in memory is full")

    def _lacks(self, count: int, size: int) -> bool:
        held = len(self._waiting) + len(self._dead)
        return held + count > self._limit or self._bytes + self._dead_bytes + size > self._max_bytes

    def _knows(self, key: str) -> bool:
        return key in self._waiting or key in self._dead or key in self._done

    def _wait(self, delivery: Delivery) -> None:
        held = self._waiting[delivery.key] = _Waiting(delivery)
        self._bytes += len(delivery.body)
        self._queue_up(held, self._wall())

    def _queue_up(self, held: _Waiting, due: float) -> None:
        held.due, held.turn = due, next(self._turns)
        heappush(self._queue, (due, held.turn, held.delivery.key))

    def _first(self) -> _Waiting | None:
        """Whoever is due first; places in the queue that were given up are cleared away."""
        while self._queue:
            _, turn, key = self._queue[0]
            held = self._waiting.get(key)
            if held is not None and held.turn == turn:
                return held
            heappop(self._queue)
        return None

    def _leased(self, held: _Waiting, until: float) -> Lease:
        held.token = uuid4().hex
        held.runs += 1
        self._queue_up(held, until)
        return Lease(delivery=held.delivery, token=held.token, until=until, run=held.runs)

    def _of(self, lease: Lease) -> _Waiting | None:
        held = self._waiting.get(lease.delivery.key)
        return held if held is not None and held.token == lease.token else None

    def _take(self, lease: Lease) -> _Waiting | None:
        held = self._of(lease)
        if held is not None:
            del self._waiting[lease.delivery.key]
            self._bytes -= len(held.delivery.body)
        return held

    def _take_dead(self, keys: Collection[str]) -> list[Delivery]:
        found = [self._dead.pop(key).delivery for key in dict.fromkeys(keys) if key in self._dead]
        self._dead_bytes -= sum(len(each.body) for each in found)
        return found

    def _remember(self, key: str) -> None:
        self._done[key] = self._wall()
        self._forget()

    def _forget(self) -> None:
        for key in [*self._expired()]:
            del self._done[key]

    def _expired(self) -> Iterator[str]:
        """The keys that are too old, or too many; the oldest come first."""
        now, spare = self._wall(), len(self._done) - _REMEMBERED
        for place, (key, at) in enumerate(self._done.items()):
            if place >= spare and at + KEPT > now:
                return
            yield key
