"""The calls of an event loop that wait for a permit: first come, first served, but for those that may not go yet."""

from __future__ import annotations

import asyncio
import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from itertools import count
from typing import Protocol

from attrs import define

from .._clock import Clock, Timer
from .controller import Controller
from .permit import Bounds, GateBeyondDeadlineError, Permit


class Client(Protocol):
    """A client whose calls wait."""

    @property
    def has_capacity(self) -> bool:
        """Return True if another of its calls may be under way."""
        ...

    def grant(self, operation: str, now: float) -> Permit:
        """Take a permit of the controller."""
        ...


@define(eq=False)
class Waiter:
    """A waiting call; the lower its ticket, the sooner it goes."""

    ticket: int
    client: Client
    operation: str
    bounds: Bounds
    future: asyncio.Future[Permit]

    def turn_away(self, wait: float | None) -> None:
        """Raise GateBeyondDeadlineError in the call."""
        if not self.future.done():
            self.future.set_exception(GateBeyondDeadlineError(wait))

    @property
    def granted(self) -> Permit | None:
        """The permit, if there is one."""
        future = self.future
        return future.result() if future.done() and not future.cancelled() and future.exception() is None else None


Group = tuple[Client, str]
"""A client and an operation: of their calls, the first one waits for all."""


class WaitQueue:
    """The waiting calls of all clients of a limit in one event loop."""

    def __init__(self, controller: Controller, clock: Clock) -> None:
        self.loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._controller = controller
        self._clock = clock
        self._groups: dict[Group, OrderedDict[int, Waiter]] = {}
        self._tickets = count(1)
        self._timer: Timer | None = None

    @property
    def is_empty(self) -> bool:
        """Return True if no call waits."""
        return not self._groups

    def enter(self, client: Client, operation: str, bounds: Bounds, *, head: bool) -> Waiter:
        """Add a call at the end of the queue, or at its head."""
        number = next(self._tickets)
        waiter = Waiter(-number if head else number, client, operation, bounds, self.loop.create_future())
        group = self._groups.setdefault((client, operation), OrderedDict())
        group[waiter.ticket] = waiter
        group.move_to_end(waiter.ticket, last=not head)
        return waiter

    def leave(self, waiter: Waiter) -> None:
        """Remove a call, whether it got its permit or not."""
        name = (waiter.client, waiter.operation)
        group = self._groups.get(name)
        if group is not None:
            group.pop(waiter.ticket, None)
            if not group:
                del self._groups[name]

    def drop(self, client: Client) -> None:
        """Remove the calls of a client."""
        for name in [name for name in self._groups if name[0] is client]:
            del self._groups[name]

    def wake(self) -> None:
        """Grant what may be granted now, and come back when more may."""
        if not self._groups or not self.loop.is_running():  # a call of a loop that ended was collected as garbage
            return
        if threading.get_ident() != self._thread:
            self.loop.call_soon_threadsafe(self.wake)
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while (earliest := self._grant_next()) is None:
            pass
        if earliest != math.inf:  # else a probe is under way, and its response wakes the queue
            self._timer = self._clock.call_at(earliest, self.wake)

    def turn_away(self, refused_since: Callable[[str], float]) -> None:
        """Turn away the calls that cannot wait until their gate opens; `refused_since` is asked for each operation."""
        if not self.loop.is_running():
            return
        if threading.get_ident() != self._thread:
            self.loop.call_soon_threadsafe(self.turn_away, refused_since)
            return
        now = self._clock.now()
        for (_, operation), group in self._groups.items():
            opens = self._controller.blocked_until(now, operation)
            if now < opens < math.inf:  # infinity: the response to a probe decides
                for waiter in group.values():
                    if not waiter.bounds.allow(opens, refused_since(operation)):
                        waiter.turn_away(opens - now)

    def _grant_next(self) -> float | None:
        """Grant the next permit; returns when one can be had where none can be now."""
        now, earliest = self._clock.now(), math.inf
        for waiter in self._candidates():
            ready = self._controller.ready_at(now, waiter.operation, waiting=True)
            if ready <= now:
                self.leave(waiter)
                waiter.future.set_result(waiter.client.grant(waiter.operation, now))
                return None
            earliest = min(earliest, ready)
        return earliest

    def _candidates(self) -> list[Waiter]:
        """Return the first calls of all groups whose client has capacity, in their order."""
        first = [found for name in self._groups if (found := self._first(name)) is not None]
        if len(first) > 1:
            first.sort(key=lambda waiter: (self._controller.yields(waiter.operation), waiter.ticket))
        return first

    def _first(self, name: Group) -> Waiter | None:
        if not name[0].has_capacity:
            return None
        # one whose future is done was cancelled or turned away, and leaves in its own turn
        return next((waiter for waiter in self._groups[name].values() if not waiter.future.done()), None)
