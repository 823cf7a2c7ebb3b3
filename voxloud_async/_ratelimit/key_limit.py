"""The limit of a key: one for all clients of this thread that use the same key and host."""

from __future__ import annotations

import asyncio
import hashlib
import math
import os
import threading
from collections.abc import Callable, Hashable
from weakref import ReferenceType, WeakSet, WeakValueDictionary, ref

from .._clock import Clock
from .controller import Controller
from .permit import Outcome, Pause, Permit, Refusal
from .wait_queue import WaitQueue

KEY = None
"""In place of an operation's name: the key, and with it every operation."""

OUTAGE = 5.0
"""Seconds without a response after which a pause is an outage."""

_ABANDONED = 60.0  # seconds after a pause: what is refused later is another outage


class KeyLimit:
    """A controller and the queues in front of it, one for each event loop."""

    def __init__(self, controller: Controller) -> None:
        self.controller = controller
        controller.observe(self)
        self.refusals: dict[str | None, Refusal] = {}
        """What was refused, without a response since."""
        self._queues: list[ReferenceType[WaitQueue]] = []  # a WeakSet takes ten times as long to go through
        self._clients: WeakSet[object] = WeakSet()

    def join(self, client: object) -> None:
        """Add a client."""
        self._clients.add(client)

    async def leave(self, client: object) -> None:
        """Remove a client; the last one closes the controller."""
        self._clients.discard(client)
        if not self._clients:
            await self.controller.aclose()

    def queue(self, clock: Clock) -> WaitQueue:
        """Return the queue of the running loop, which lives as long as a client uses it."""
        loop = asyncio.get_running_loop()
        for queue in self._alive():
            if queue.loop is loop:
                return queue
        queue = WaitQueue(self.controller, clock)
        self._queues.append(ref(queue, self._queues.remove))
        return queue

    def refused_since(self, operation: str) -> float:
        """Return since when an operation was refused without a response in between; infinity where it is not."""
        if not self.refusals:  # nearly always
            return math.inf
        return min((refusal.since for refusal in self._of(operation)), default=math.inf)

    def feedback(
        self, permit: Permit, outcome: Outcome, now: float, retry_after: float | None, cause: str
    ) -> Pause | None:
        """Learn from an outcome; returns the pause that follows from it."""
        seconds = self.controller.feedback(permit, outcome, now, retry_after)
        pause = None
        if seconds:
            pause = Pause(seconds, permit.operation if self.controller.is_own(permit.operation) else KEY)
            self.paused(pause.operation, now, now + seconds, cause)
        elif outcome is Outcome.ANSWERED and self.refusals:
            for operation in (KEY, permit.operation):
                self.refusals.pop(operation, None)
        self.wake()
        return pause

    def paused(self, operation: str | None, now: float, until: float, cause: str = "") -> None:
        """Note a refusal, and turn away the calls that cannot wait until their gate opens."""
        known = self.refusals.get(operation)
        if known is None or now > known.until + _ABANDONED:
            self.refusals[operation] = Refusal(operation, now, until, cause)
        else:
            known.until = max(known.until, until)
        for queue in self._alive():
            queue.turn_away(self.refused_since)

    def outage(self, operation: str, now: float) -> Refusal | None:
        """Return, once, the refusal for which a call of an operation has waited as long as an outage is."""
        for refusal in self._of(operation):
            if not refusal.announced and now >= refusal.since + OUTAGE:
                refusal.announced = True
                return refusal
        return None

    def _of(self, operation: str) -> list[Refusal]:
        return [self.refusals[name] for name in (KEY, operation) if name in self.refusals]

    def wake(self) -> None:
        """Let every queue look again."""
        for queue in self._alive():
            queue.wake()

    def _alive(self) -> list[WaitQueue]:
        return [queue for known in self._queues if (queue := known()) is not None]


_LIMITS: WeakValueDictionary[Hashable, KeyLimit] = WeakValueDictionary()


def limit_of_key(api_key: str, base_url: str, setting: Hashable, make: Callable[[], Controller]) -> KeyLimit:
    """Return the limit that the clients of a key and host share, made by the first of them.

    Clients made in another thread have their own, whose loop runs at the same time, and so has a child after a fork,
    which does not see the responses to its parent's probes.
    """
    name = (hashlib.sha256(api_key.encode()).digest(), base_url, setting, threading.get_ident(), os.getpid())
    limit = _LIMITS.get(name)
    if limit is None:
        limit = _LIMITS[name] = KeyLimit(make())
    return limit
