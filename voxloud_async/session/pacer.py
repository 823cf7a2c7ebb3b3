"""A client's way to its limit: permits in the order of the line, at most so many at once."""

from __future__ import annotations

import asyncio
import math

from ..errors import UsageError
from .clock import Clock
from .controller import Outcome, Permit
from .key_limit import KeyLimit
from .line import UNBOUNDED, Bounds, GateBeyondDeadlineError, Lane, Line


class Pacer:
    """Hands out permits, in turn with the other clients of the limit and at most `concurrency` at once.

    It may be made outside an event loop and used in one loop after another; it belongs to a loop only while calls wait.
    """

    def __init__(self, limit: KeyLimit, clock: Clock, *, concurrency: int) -> None:
        self._limit = limit
        self._limit.join(self)
        self._clock = clock
        self._line: Line | None = None
        self._lane = Lane(concurrency)

    async def acquire(self, bounds: Bounds = UNBOUNDED, *, head: bool = False) -> Permit:
        """Wait for a permit; raises GateBeyondDeadlineError as soon as `bounds` cannot be met."""
        line = self._line_of_loop()
        now = self._clock.now()
        free = line.free(self._lane)
        ready = self._limit.controller.ready_at(now, waiting=not free)
        if ready != math.inf and not bounds.allow(ready, self._limit.refused_since):
            raise GateBeyondDeadlineError(ready - now)
        if free and ready <= now:
            return self._lane.grant(self._limit.controller, now)
        return await self._wait(line, self._lane, bounds, head=head)

    def take(self, deadline: float) -> Permit | None:
        """A permit, where one can be had at once and all is well; what `acquire` would do in that case, for less."""
        line, limit = self._line_of_loop(), self._limit
        if limit.refused_since != math.inf or not line.free(self._lane):
            return None
        now = self._clock.now()
        if now > deadline or limit.controller.ready_at(now, waiting=False) > now:
            return None
        return self._lane.grant(limit.controller, now)

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
            self._limit.shut(now + pause, pause)
            self._limit.wake()
        elif outcome is Outcome.ANSWERED:
            self._limit.answered()
        else:
            self._limit.wake()
        return pause

    async def aclose(self) -> None:
        """Leave the limit, once no call is under way."""
        await self._limit.leave(self)

    async def _wait(self, line: Line, lane: Lane, bounds: Bounds, *, head: bool) -> Permit:
        waiter = line.enter(lane, bounds, head=head)
        timer = None
        if bounds.deadline != math.inf:
            timer = self._clock.call_at(bounds.deadline, lambda: waiter.turn_away(None))
        line.wake()
        try:
            return await waiter.future
        except BaseException:  # perhaps cancelled in the very tick of its grant
            lane.waiters.pop(waiter.ticket, None)
            if waiter.granted is not None:
                self.give_back(waiter.granted)
            raise
        finally:
            if timer is not None:
                timer.cancel()

    def _landed(self, permit: Permit) -> bool:
        """Whether this permit was out until now; one of a loop that died is out no more."""
        if self._lane.in_flight.pop(id(permit), None) is None or self._line is None:
            return False
        self._line.changed(self._lane)
        return True

    def _line_of_loop(self) -> Line:
        """The line of the running loop; raises UsageError where another loop, in which this client has calls, runs."""
        if self._line is None or self._line.loop is not asyncio.get_running_loop():
            self._leave_loop()
            self._line = self._limit.line(self._clock)
            self._lane = self._line.lane(self._lane.concurrency)
        return self._line

    def _leave_loop(self) -> None:
        """Forget the calls of a loop that ended under them."""
        if self._line is not None and self._line.loop.is_running():
            raise UsageError("the client is in use in another running event loop: make one client per loop")
        self._lane.waiters.clear()
        for permit in self._lane.in_flight.values():
            self._limit.controller.forget(permit)
