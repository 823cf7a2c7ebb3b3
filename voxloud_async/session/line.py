"""The line in front of a limit: the calls of all its clients in an event loop, first come, first served."""

from __future__ import annotations

import asyncio
import heapq
import math
import threading
from collections import OrderedDict
from itertools import count
from weakref import WeakSet

from attrs import define, field

from .clock import Clock, Timer
from .controller import Controller, Permit


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
class Waiter:
    """A call in the line; the lower its ticket, the sooner it goes."""

    ticket: int
    future: asyncio.Future[Permit]
    bounds: Bounds

    def turn_away(self, wait: float | None) -> None:
        """Let the caller know that it waits in vain."""
        if not self.future.done():
            self.future.set_exception(GateBeyondDeadlineError(wait))

    @property
    def granted(self) -> Permit | None:
        """The permit, where it came."""
        future = self.future
        return future.result() if future.done() and not future.cancelled() and future.exception() is None else None


@define(eq=False)
class Lane:
    """One client's calls: those under way, at most `concurrency`, and those that wait, by ticket."""

    concurrency: int
    in_flight: dict[int, Permit] = field(factory=dict)  # by identity: permits of one moment are equal
    waiters: OrderedDict[int, Waiter] = field(factory=OrderedDict)
    listed: int | None = None  # the ticket by which the line knows of this lane

    @property
    def has_room(self) -> bool:
        """Whether another call may be under way."""
        return len(self.in_flight) < self.concurrency

    def first(self) -> int | None:
        """The ticket of the call that goes next, if it may go."""
        while self.waiters:
            ticket = next(iter(self.waiters))
            if not self.waiters[ticket].future.done():
                return ticket if self.has_room else None
            del self.waiters[ticket]
        return None

    def grant(self, controller: Controller, now: float) -> Permit:
        """Take a permit."""
        permit = controller.grant(now)
        self.in_flight[id(permit)] = permit
        return permit


class Line:
    """The waiting calls of all lanes, in the order of their tickets; a lane that is full lets the others pass."""

    def __init__(self, controller: Controller, clock: Clock) -> None:
        self.loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._controller = controller
        self._clock = clock
        self._lanes: WeakSet[Lane] = WeakSet()
        self._fronts: list[tuple[int, int, Lane]] = []  # a heap of the lanes' first tickets; what changed stays in it
        self._numbers = count(1)
        self._timer: Timer | None = None

    def lane(self, concurrency: int) -> Lane:
        """A lane for another client."""
        lane = Lane(concurrency)
        self._lanes.add(lane)
        return lane

    def free(self, lane: Lane) -> bool:
        """Whether a call need not wait for others."""
        return not self._fronts and lane.has_room

    def enter(self, lane: Lane, bounds: Bounds, *, head: bool) -> Waiter:
        """Put a call in the line."""
        number = next(self._numbers)
        waiter = Waiter(-number if head else number, self.loop.create_future(), bounds)
        lane.waiters[waiter.ticket] = waiter
        lane.waiters.move_to_end(waiter.ticket, last=not head)
        self.changed(lane)
        return waiter

    def changed(self, lane: Lane) -> None:
        """Take note of a lane's first call: it has another one, or room for it."""
        first = lane.first()
        if first is not None and (lane.listed is None or first < lane.listed):
            lane.listed = first
            heapq.heappush(self._fronts, (first, next(self._numbers), lane))

    def wake(self) -> None:
        """Grant what may be granted now, and come back when more may."""
        if not self._fronts:
            return
        if not self.loop.is_running():
            return  # a call of a loop that died was collected as garbage
        if self._elsewhere():
            self.loop.call_soon_threadsafe(self.wake)
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while (lane := self._next()) is not None:
            now = self._clock.now()
            ready = self._controller.ready_at(now, waiting=True)
            if ready > now:
                self._come_back(ready)
                return
            _, waiter = lane.waiters.popitem(last=False)
            waiter.future.set_result(lane.grant(self._controller, now))

    def turn_away_before(self, reopening: float, pause: float, refused_since: float) -> None:
        """Turn away the calls that cannot wait until a time."""
        if not self.loop.is_running():
            return  # its calls ended with it
        if self._elsewhere():
            self.loop.call_soon_threadsafe(self.turn_away_before, reopening, pause, refused_since)
            return
        for waiter in [waiter for lane in self._lanes for waiter in lane.waiters.values()]:
            if not waiter.bounds.allow(reopening, refused_since):
                waiter.turn_away(pause)

    def _next(self) -> Lane | None:
        """The lane whose first call is the next to go."""
        while self._fronts:
            ticket, _, lane = self._fronts[0]
            if lane.listed == ticket == lane.first():
                return lane
            heapq.heappop(self._fronts)
            if lane.listed == ticket:  # else it is known by an earlier ticket
                lane.listed = None
                self.changed(lane)
        return None

    def _come_back(self, ready: float) -> None:
        if ready != math.inf:  # else a probe is out, and its answer will
            self._timer = self._clock.call_at(ready, self.wake)

    def _elsewhere(self) -> bool:
        """Whether the news came from a client in another thread than this line's loop."""
        return threading.get_ident() != self._thread
