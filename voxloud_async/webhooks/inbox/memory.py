"""An inbox that lasts as long as its process."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from heapq import heappop, heappush
from itertools import count
from uuid import uuid4

from attrs import define, evolve

from .protocol import EVERY, KEPT, Counts, DeadLetter, Delivery, InboxFullError, Lease, Selection
from .throttle import Throttle

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
        self._queues: dict[str, list[tuple[float, int, str]]] = {}
        self._turns = count()
        self._dead: OrderedDict[str, DeadLetter] = OrderedDict()
        self._done: OrderedDict[str, tuple[float, str]] = OrderedDict()
        self._announced: dict[str, float] = {}
        self._bytes = 0
        self._dead_bytes = 0
        self._lost = 0
        self._throttle = Throttle()

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

    async def lease(self, limit: int, seconds: float, of: Selection = EVERY) -> Sequence[Lease]:
        """Take up to `limit` deliveries that are due, the earliest first."""
        now = self._wall()
        due: list[_Waiting] = []
        while len(due) < limit and (first := self._first(of)) is not None and first.due + of.waited <= now:
            heappop(self._queues[first.delivery.type])
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
        self._remember(lease.delivery)
        return True

    async def retry(self, lease: Lease, delay: float, error: str) -> bool:  # noqa: ARG002 - nobody reads it before the death
        """Handling failed: make it due again after `delay`."""
        held = self._of(lease)
        if held is None:
            return False
        held.token = None
        self._queue_up(held, self._wall() + delay)
        return True

    async def release(self, lease: Lease) -> bool:
        """Give it back, due at once, as if it had not been taken."""
        held = self._of(lease)
        if held is None:
            return False
        held.token, held.runs = None, held.runs - 1
        self._queue_up(held, self._wall())
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

    async def fingerprints(self, keys: Collection[str]) -> Mapping[str, str]:
        """The fingerprints of those of the keys that are known."""
        return {key: self._fingerprint(key) for key in await self.known(keys)}

    async def announce(self, types: Collection[str], seconds: float) -> None:
        """Note that a process handles these event types for so many seconds from now."""
        until = self._wall() + seconds
        self._announced |= {each: max(until, self._announced.get(each, until)) for each in types}

    async def announced(self) -> frozenset[str]:
        """The event types that some process handles now."""
        now = self._wall()
        return frozenset(each for each, until in self._announced.items() if until > now)

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
            self._remember(each)
        return len(found)

    async def due_in(self, of: Selection = EVERY) -> float | None:
        """Seconds until something of these is due, 0 where it is already; None where nothing waits."""
        first = self._first(of)
        return None if first is None else max(0.0, first.due + of.waited - self._wall())

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
            self._lost += 1
            if self._throttle.admit(self._wall()) is not None:
                _log.warning("dead letters are lost, as the inbox in memory is full: %d so far", self._lost)

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
        queue = self._queues.setdefault(held.delivery.type, [])
        heappush(queue, (due, held.turn, held.delivery.key))

    def _first(self, of: Selection) -> _Waiting | None:
        """What is due first of a selection."""
        heads = [self._head(each) for each in [*self._queues] if of.has(each)]
        return min(filter(None, heads), key=lambda held: (held.due, held.turn), default=None)

    def _head(self, event_type: str) -> _Waiting | None:
        """What is due first of a type; places in its queue that were given up are cleared away."""
        queue = self._queues[event_type]
        while queue:
            _, turn, key = queue[0]
            held = self._waiting.get(key)
            if held is not None and held.turn == turn:
                return held
            heappop(queue)
        del self._queues[event_type]
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

    def _remember(self, delivery: Delivery) -> None:
        self._done[delivery.key] = self._wall(), delivery.fingerprint
        self._forget()

    def _fingerprint(self, key: str) -> str:
        if key in self._done:
            return self._done[key][1]
        return (self._waiting[key].delivery if key in self._waiting else self._dead[key].delivery).fingerprint

    def _forget(self) -> None:
        for key in [*self._expired()]:
            del self._done[key]

    def _expired(self) -> Iterator[str]:
        """The keys that are too old, or too many; the oldest come first."""
        now, spare = self._wall(), len(self._done) - _REMEMBERED
        for place, (key, (at, _)) in enumerate(self._done.items()):
            if place >= spare and at + KEPT > now:
                return
            yield key
