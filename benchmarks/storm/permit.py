"""CPU time of a permit of the limiter, taken and returned: `python -m benchmarks.storm.permit`."""

from __future__ import annotations

import asyncio
import math
import random
import statistics
import time
from collections.abc import Awaitable, Callable

from voxloud_async._clock import LoopClock
from voxloud_async._ratelimit.controller import RateController
from voxloud_async._ratelimit.key_limit import KeyLimit
from voxloud_async._ratelimit.limiter import Limiter
from voxloud_async._ratelimit.permit import Outcome, Permit

PERMITS, ROUNDS = 20_000, 11
GOAL = 5.0
"""Microseconds of acquire and feedback together."""


async def acquired(limiter: Limiter) -> None:
    """As a call that may have to wait does it."""
    for _ in range(PERMITS):
        limiter.feedback(await limiter.acquire(), Outcome.ANSWERED)


async def taken(limiter: Limiter) -> None:
    """As a call does it for which there is a permit at once."""
    for _ in range(PERMITS):
        permit = limiter.take(math.inf)
        assert isinstance(permit, Permit)  # noqa: S101 - nothing holds it back
        limiter.feedback(permit, Outcome.ANSWERED)


async def measured(way: Callable[[Limiter], Awaitable[None]]) -> float:
    """The median of its rounds, in microseconds a permit."""
    limiter = Limiter(KeyLimit(RateController(1e9, chance=random.random)), LoopClock(), concurrency=64)
    seconds = []
    for _ in range(ROUNDS):
        started = time.process_time()
        await way(limiter)
        seconds.append(time.process_time() - started)
    return statistics.median(seconds) / PERMITS * 1e6


async def main() -> None:
    """Tell both."""
    for way in (acquired, taken):
        print(f"{way.__name__} and returned: {await measured(way):.2f} µs (goal {GOAL})")


if __name__ == "__main__":
    asyncio.run(main())
