"""CPU time of a permit of the limiter, taken and returned: `python -m benchmarks.storm.permit`."""

from __future__ import annotations

import asyncio
import math
import random
import statistics
import time
from collections.abc import Awaitable, Callable

from voxloud_async.session.clock import LoopClock
from voxloud_async.session.controller import Outcome, Permit, RateController
from voxloud_async.session.key_limit import KeyLimit
from voxloud_async.session.pacer import Pacer

PERMITS, ROUNDS = 20_000, 11
GOAL = 5.0
"""Microseconds of acquire and feedback together."""


async def acquired(pacer: Pacer) -> None:
    """As a call that may have to wait does it."""
    for _ in range(PERMITS):
        pacer.feedback(await pacer.acquire(), Outcome.ANSWERED)


async def taken(pacer: Pacer) -> None:
    """As a call does it for which there is a permit at once."""
    for _ in range(PERMITS):
        permit = pacer.take(math.inf)
        assert isinstance(permit, Permit)  # noqa: S101 - nothing holds it back
        pacer.feedback(permit, Outcome.ANSWERED)


async def measured(way: Callable[[Pacer], Awaitable[None]]) -> float:
    """The median of its rounds, in microseconds a permit."""
    pacer = Pacer(KeyLimit(RateController(1e9, chance=random.random)), LoopClock(), concurrency=64)
    seconds = []
    for _ in range(ROUNDS):
        started = time.process_time()
        await way(pacer)
        seconds.append(time.process_time() - started)
    return statistics.median(seconds) / PERMITS * 1e6


async def main() -> None:
    """Tell both."""
    for way in (acquired, taken):
        print(f"{way.__name__} and returned: {await measured(way):.2f} µs (goal {GOAL})")


if __name__ == "__main__":
    asyncio.run(main())
