"""A client's way to the limit of its key: permits in the order of the queue, at most so many at once."""

from __future__ import annotations

import asyncio
import math

from .._clock import Clock
from ..errors import UsageError
from .key_limit import KeyLimit
from .permit import UNBOUNDED, Bounds, GateBeyondDeadlineError, Outcome, Pause, Permit
from .wait_queue import WaitQueue


class Limiter:
    """Hands out permits, in turn with the other clients of the limit and at most `concurrency` at once.

    It may be made outside an event loop and used in one loop after another; it belongs to a loop only while calls wait.
    """

    def __init__(self, limit: KeyLimit, clock: Clock, *, concurrency: int) -> None:
        self._limit = limit
        self._limit.join(self)
        self._clock = clock
        self._concurrency = concurrency
        self._queue: WaitQueue | None = None
        self._in_flight: dict[int, Permit] = {}  # by identity: permits of one moment are equal

    @property
    def has_capacity(self) -> bool:
        """Return True if another call may be under way."""
        return len(self._in_flight) < self._concurrency

    async def acquire(self, bounds: Bounds = UNBOUNDED, operation: str = "", *, head: bool = False) -> Permit:
        """Wait for a permit; raises GateBeyondDeadlineError as soon as `bounds` cannot be met."""
        queue = self._queue_of_loop()
        now = self._clock.now()
        free = queue.is_empty and self.has_capacity
        ready = self._limit.controller.ready_at(now, operation, waiting=not free)
        if ready != math.inf and not bounds.allow(ready, self._limit.refused_since(operation)):
            raise GateBeyondDeadlineError(ready - now)
        if free and ready <= now:
            return self.grant(operation, now)
        return await self._wait(queue, operation, bounds, head=head)

    def take(self, deadline: float, operation: str = "") -> Permit | None:
        """Return a permit where there is one at once and nothing is refused: `acquire` in that case, for less time."""
        queue, limit = self._queue_of_loop(), self._limit
        if limit.refusals or not queue.is_empty or not self.has_capacity:
            return None
        now = self._clock.now()
        if now > deadline or limit.controller.ready_at(now, operation, waiting=False) > now:
            return None
        return self.grant(operation, now)

    def grant(self, operation: str, now: float) -> Permit:
        """Take a permit of the controller."""
        permit = self._limit.controller.grant(now, operation)
        self._in_flight[id(permit)] = permit
        return permit

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

    def feedback(self, permit: Permit, outcome: Outcome, retry_after: float | None = None) -> Pause | None:
        """Return a permit with its outcome; returns the pause that follows from it."""
        if not self._landed(permit):
            return None
        return self._limit.feedback(permit, outcome, self._clock.now(), retry_after)

    def is_refused(self, pause: Pause) -> bool:
        """Return True if nothing was answered since the first refusal of a pause."""
        return self._limit.refusals.get(pause.operation) == pause.since

    async def aclose(self) -> None:
        """Leave the limit, once no call is under way."""
        await self._limit.leave(self)

    async def _wait(self, queue: WaitQueue, operation: str, bounds: Bounds, *, head: bool) -> Permit:
        waiter = queue.enter(self, operation, bounds, head=head)
        timer = None
        if bounds.deadline != math.inf:
            timer = self._clock.call_at(bounds.deadline, lambda: waiter.turn_away(None))
        queue.wake()
        try:
            return await waiter.future
        except BaseException:  # perhaps cancelled in the very tick of its grant
            queue.leave(waiter)
            if waiter.granted is not None:
                self.give_back(waiter.granted)
            raise
        finally:
            if timer is not None:
                timer.cancel()

    def _landed(self, permit: Permit) -> bool:
        """Return True if this permit was out until now; one of a loop that ended is out no more."""
        return self._in_flight.pop(id(permit), None) is not None and self._queue is not None

    def _queue_of_loop(self) -> WaitQueue:
        """Return the queue of the running loop; raises UsageError while the client's calls run in another one."""
        if self._queue is None or self._queue.loop is not asyncio.get_running_loop():
            self._leave_loop()
            self._queue = self._limit.queue(self._clock)
        return self._queue

    def _leave_loop(self) -> None:
        """Forget the calls of a loop that ended under them."""
        if self._queue is not None:
            if self._queue.loop.is_running():
                raise UsageError("the client is in use in another running event loop: make one client per loop")
            self._queue.drop(self)
        for permit in self._in_flight.values():
            self._limit.controller.forget(permit)
        self._in_flight = {}
