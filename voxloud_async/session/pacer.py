"""The queue in front of the service: first come, first served; refused calls go to its head."""

from __future__ import annotations

import asyncio
import math
import threading
from collections import deque

from attrs import define

from ..errors import UsageError
from .clock import Clock, Timer
from .controller import Outcome, Permit
from .key_limit import KeyLimit


class GateBeyondDeadlineError(Exception):
    """The next permit comes later than the caller can wait; `wait` is how long that would be, if known."""

    def __init__(self, wait: float | None) -> None:
        super().__init__(wait)
        self.wait = wait


@define
class Bounds:
    """How long a caller can wait: until `deadline`, and while nobody is answered `patience` seconds from `started`."""

    deadline: float = math.inf
    patience: float = math.inf
    started: float = -math.inf

    def allow(self, ready: float, refused_since: float) -> bool:
        """Whether a permit at `ready` is early enough; nobody was answered from `refused_since` on."""
        return ready <= self.deadline and ready - max(self.started, refused_since) <= self.patience


UNBOUNDED = Bounds()


@define(eq=False)
class _Waiter:
    future: asyncio.Future[Permit]
    bounds: Bounds
    timer: Timer | None = None


class Pacer:
    """Hands out permits in order, at the controller's pace and at most `concurrency` at once.

    It may be made outside an event loop and used in one loop after another; it belongs to a loop only while calls wait.
    """

    def __init__(self, limit: KeyLimit, clock: Clock, *, concurrency: int) -> None:
        self._limit = limit
        self._limit.join(self)
        self._clock = clock
        self._concurrency = concurrency
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queue: deque[_Waiter] = deque()
        self._in_flight: dict[int, Permit] = {}  # by identity: permits of one moment are equal
        self._timer: Timer | None = None
        self._thread = threading.get_ident()
        self._refused_since = math.inf

    async def acquire(self, bounds: Bounds = UNBOUNDED, *, head: bool = False) -> Permit:
        """Wait for a permit; raises GateBeyondDeadlineError as soon as `bounds` cannot be met."""
        self._adopt_loop()
        now = self._clock.now()
        free = not self._queue and self._has_room()
        ready = self._limit.controller.ready_at(now, waiting=not free)
        if ready != math.inf and not bounds.allow(ready, self._refused_since):
            raise GateBeyondDeadlineError(ready - now)
        if free and ready <= now:
            return self._grant(now)
        return await self._wait(bounds, head=head)

    def give_back(self, permit: Permit) -> None:
        """Return a permit that was not used."""
        if self._landed(permit):
            self._limit.controller.give_back(permit)
            self._limit.wake()

    def forget(self, permit: Permit) -> None:
        """Return a permit whose outcome will not be known."""
        if self._landed(permit):
            self._limit.controller.forget(permit)
            self._limit.wake()

    def feedback(self, permit: Permit, outcome: Outcome, retry_after: float | None = None) -> float:
        """Return a permit with its outcome; gives the seconds everybody pauses because of it."""
        if not self._landed(permit):
            return 0.0
        now = self._clock.now()
        pause = self._limit.controller.feedback(permit, outcome, now, retry_after)
        if pause:
            self._refused_since = min(self._refused_since, now)
            self._limit.shut(now + pause, pause)
        elif outcome is Outcome.ANSWERED:
            self._refused_since = math.inf
        self._limit.wake()
        return pause

    async def aclose(self) -> None:
        """Leave the limit, once no call is under way."""
        await self._limit.leave(self)

    async def _wait(self, bounds: Bounds, *, head: bool) -> Permit:
        waiter = _Waiter(asyncio.get_running_loop().create_future(), bounds)
        (self._queue.appendleft if head else self._queue.append)(waiter)
        if bounds.deadline != math.inf:
            waiter.timer = self._clock.call_at(bounds.deadline, lambda: _turn_away(waiter, None))
        self.wake()
        try:
            return await waiter.future
        except BaseException:
            self._leave(waiter)
            raise
        finally:
            if waiter.timer is not None:
                waiter.timer.cancel()

    def _leave(self, waiter: _Waiter) -> None:
        """A waiter that was cancelled, perhaps in the very tick of its grant."""
        if waiter in self._queue:
            self._queue.remove(waiter)
        granted = waiter.future.done() and not waiter.future.cancelled() and waiter.future.exception() is None
        if granted:
            self.give_back(waiter.future.result())

    def _has_room(self) -> bool:
        return len(self._in_flight) < self._concurrency

    def _grant(self, now: float) -> Permit:
        permit = self._limit.controller.grant(now)
        self._in_flight[id(permit)] = permit
        return permit

    def _landed(self, permit: Permit) -> bool:
        """Whether this permit was out until now; one of a loop that died is out no more."""
        return self._in_flight.pop(id(permit), None) is not None

    def wake(self) -> None:
        """Grant what may be granted now, and come back when more may."""
        if not self._queue:
            return
        if self._loop is None or not self._loop.is_running():
            return  # a call of a loop that died was collected as garbage
        if self._elsewhere():
            self._loop.call_soon_threadsafe(self.wake)
            return
        self._stop_timer()
        while self._queue and self._has_room():
            if self._queue[0].future.done():
                self._queue.popleft()
                continue
            now = self._clock.now()
            ready = self._limit.controller.ready_at(now, waiting=True)
            if ready > now:
                self._come_back(ready)
                return
            self._queue.popleft().future.set_result(self._grant(now))

    def _come_back(self, ready: float) -> None:
        if ready != math.inf:  # else a probe is out, and its answer will
            self._timer = self._clock.call_at(ready, self.wake)

    def turn_away_before(self, reopening: float, pause: float) -> None:
        """Turn away the calls that cannot wait until a time."""
        if self._loop is not None and self._elsewhere():
            self._loop.call_soon_threadsafe(self.turn_away_before, reopening, pause)
            return
        for waiter in self._queue:
            if not waiter.bounds.allow(reopening, self._refused_since):
                _turn_away(waiter, pause)

    def _elsewhere(self) -> bool:
        """Whether the news came from a client in another thread than this queue's loop."""
        return threading.get_ident() != self._thread

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _adopt_loop(self) -> None:
        """Forget the calls of a loop that ended under them; raises UsageError where that loop still runs."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            if self._loop is not None and self._loop.is_running():
                raise UsageError("the client is in use in another running event loop: make one client per loop")
            self._loop, self._timer, self._thread = loop, None, threading.get_ident()
            self._queue.clear()
            for permit in self._in_flight.values():
                self._limit.controller.forget(permit)
            self._in_flight.clear()


def _turn_away(waiter: _Waiter, wait: float | None) -> None:
    if not waiter.future.done():
        waiter.future.set_exception(GateBeyondDeadlineError(wait))
