"""Time as an argument: the one clock every wait of the session goes through."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from typing import Protocol


class Timer(Protocol):
    """A callback that is yet to come."""

    def cancel(self) -> None:
        """Let it not come."""
        ...


class Clock(Protocol):
    """What the session layer knows of time."""

    def now(self) -> float:
        """Monotonic seconds."""
        ...

    def wall(self) -> float:
        """Seconds since 1970."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Call back once `now` reaches `when`."""
        ...


class LoopClock:
    """The running event loop's own time."""

    def now(self) -> float:
        """The loop's seconds."""
        return asyncio.get_running_loop().time()

    def wall(self) -> float:
        """The machine's seconds since 1970."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Wait on the loop."""
        await asyncio.sleep(seconds)

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Call back from the loop."""
        # uvloop rounds to the nearest millisecond: a timer that came early would be set again and again until its time
        return asyncio.get_running_loop().call_at(max(when, math.ceil(when * 1000.0) / 1000.0), callback)
