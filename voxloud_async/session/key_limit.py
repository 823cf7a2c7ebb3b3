"""The limit of a key: one for all clients of this thread that use the same key and host."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Hashable
from typing import Protocol
from weakref import ReferenceType, WeakMethod, WeakValueDictionary, ref

from .controller import Outcome, Permit


class Controller(Protocol):
    """What paces: a `RateController` of this process, or one that processes share."""

    def on_news(self, wake: Callable[[], object]) -> None:
        """Take what to call when `ready_at` changes by itself."""
        ...

    def ready_at(self, now: float, *, waiting: bool) -> float:
        """The earliest time a permit may be granted; infinity where only news can tell."""
        ...

    def grant(self, now: float) -> Permit:
        """Take a permit, once `ready_at` is reached."""
        ...

    def give_back(self, permit: Permit) -> None:
        """A permit that nobody used."""
        ...

    def forget(self, permit: Permit) -> None:
        """A permit whose outcome nobody will know."""
        ...

    def feedback(self, permit: Permit, outcome: Outcome, now: float, retry_after: float | None = None) -> float:
        """Learn from an outcome; returns the seconds everybody pauses because of it, or 0."""
        ...

    async def aclose(self) -> None:
        """Let go of what it holds in this loop; it may be used again."""
        ...


class Wakeable(Protocol):
    """A queue in front of a controller."""

    def wake(self) -> None:
        """Look anew at what may be granted."""
        ...

    def turn_away_before(self, reopening: float, pause: float) -> None:
        """Turn away the calls that cannot wait until then."""
        ...


class KeyLimit:
    """A controller and the queues in front of it, which news of one of them concerns all."""

    def __init__(self, controller: Controller) -> None:
        self.controller = controller
        waking = WeakMethod(self.wake)
        controller.on_news(lambda: (wake := waking()) and wake())
        self._queues: list[ReferenceType[Wakeable]] = []  # a WeakSet takes ten times as long to go through

    def join(self, queue: Wakeable) -> None:
        """Let a queue hear the news."""
        self._queues.append(ref(queue, self._queues.remove))

    async def leave(self, queue: Wakeable) -> None:
        """Let a queue go; the last one closes the controller."""
        self._queues[:] = [other for other in self._queues if other() is not queue]
        if not self._queues:
            await self.controller.aclose()

    def wake(self) -> None:
        """Let every queue look anew."""
        for queue in self._alive():
            queue.wake()

    def shut(self, reopening: float, pause: float) -> None:
        """Tell every queue that nothing goes before a time."""
        for queue in self._alive():
            queue.turn_away_before(reopening, pause)

    def _alive(self) -> list[Wakeable]:
        return [queue for reference in self._queues if (queue := reference()) is not None]


_LIMITS: WeakValueDictionary[Hashable, KeyLimit] = WeakValueDictionary()


def limit_of_key(api_key: str, base_url: str, setting: Hashable, make: Callable[[], Controller]) -> KeyLimit:
    """The limit that the clients of a key and host share, made by the first of them.

    Clients made in another thread have their own, whose loop runs at the same time, and so has a child after a fork,
    whose parent's probes it will not hear of.
    """
    name = (hashlib.sha256(api_key.encode()).digest(), base_url, setting, threading.get_ident(), os.getpid())
    limit = _LIMITS.get(name)
    if limit is None:
        limit = _LIMITS[name] = KeyLimit(make())
    return limit
