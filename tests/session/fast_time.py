"""A clock on which everything is faster: for waits between real sockets."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Callable

    from voxloud_async._clock import Timer


@frozen
class FastClock:
    """`speed` of its seconds pass in one."""

    speed: float = 20.0

    def now(self) -> float:
        return time.monotonic() * self.speed

    def wall(self) -> float:
        return time.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.speed)

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        return asyncio.get_running_loop().call_later((when - self.now()) / self.speed, callback)
