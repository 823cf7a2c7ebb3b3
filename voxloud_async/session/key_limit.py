"""The limit of a key: one for all clients of this thread that use the same key and host."""

from __future__ import annotations

import asyncio
import hashlib
import math
import os
import threading
from collections.abc import Callable, Hashable
from weakref import ReferenceType, WeakSet, WeakValueDictionary, ref

from .clock import Clock
from .controller import Controller
from .line import Line


class KeyLimit:
    """A controller and the lines in front of it, one for each event loop, which news of one of them concerns all."""

    def __init__(self, controller: Controller) -> None:
        self.controller = controller
        controller.on_news(self)
        self.refused_since = math.inf
        self._lines: list[ReferenceType[Line]] = []  # a WeakSet takes ten times as long to go through
        self._clients: WeakSet[object] = WeakSet()

    def join(self, client: object) -> None:
        """Take note of a client."""
        self._clients.add(client)

    async def leave(self, client: object) -> None:
        """Let a client go; the last one closes the controller."""
        self._clients.discard(client)
        if not self._clients:
            await self.controller.aclose()

    def line(self, clock: Clock) -> Line:
        """The line of the running loop, for as long as a client is in it."""
        loop = asyncio.get_running_loop()
        for line in self._alive():
            if line.loop is loop:
                return line
        line = Line(self.controller, clock)
        self._lines.append(ref(line, self._lines.remove))
        return line

    def wake(self) -> None:
        """Let every line look anew."""
        for line in self._alive():
            line.wake()

    def shut(self, reopening: float, pause: float) -> None:
        """Tell every line that nothing goes before a time."""
        self.refused_since = min(self.refused_since, reopening - pause)
        for line in self._alive():
            line.turn_away_before(reopening, pause, self.refused_since)

    def answered(self) -> None:
        """The service answers again, and a call is over."""
        self.refused_since = math.inf
        self.wake()

    def _alive(self) -> list[Line]:
        return [line for known in self._lines if (line := known()) is not None]


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
