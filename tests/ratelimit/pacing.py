"""A limiter of the test's own, and what the tests of its queue do with it."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any

from voxloud_async._clock import LoopClock
from voxloud_async._ratelimit.controller import RateController
from voxloud_async._ratelimit.key_limit import KeyLimit
from voxloud_async._ratelimit.limiter import Limiter
from voxloud_async._ratelimit.permit import Outcome, Pause, Permit

if TYPE_CHECKING:
    from collections.abc import Coroutine


def a_limiter(rate: float | None = math.inf, *, concurrency: int = 64) -> Limiter:
    return Limiter(KeyLimit(RateController(rate, chance=lambda: 1.0)), LoopClock(), concurrency=concurrency)


def has_waiters(limiter: Limiter) -> bool:
    return limiter._queue is not None and not limiter._queue.is_empty


def now() -> float:
    return asyncio.get_running_loop().time()


async def settle() -> None:
    """Let every task run until it waits."""
    for _ in range(5):
        await asyncio.sleep(0)


def start(*coroutines: Coroutine[Any, Any, Permit]) -> list[asyncio.Task[Permit]]:
    return [asyncio.create_task(coroutine) for coroutine in coroutines]


def seconds(pause: Pause | None) -> float:
    return 0.0 if pause is None else pause.seconds


async def shut(limiter: Limiter, outcome: Outcome = Outcome.DOWN, retry_after: float | None = None) -> float:
    """Have the gate shut; gives the pause."""
    return seconds(limiter.feedback(await limiter.acquire(), outcome, retry_after))


async def single_probe(limiter: Limiter, outcome: Outcome) -> tuple[asyncio.Task[Permit], list[asyncio.Task[Permit]]]:
    """Refuse until probes go one at a time; gives the probe and those that wait behind it."""
    for _ in range(2):
        await shut(limiter, outcome)
    tasks = start(*(limiter.acquire() for _ in range(10)))
    await asyncio.sleep(60)
    assert [task.done() for task in tasks] == [True] + [False] * 9
    assert tasks[0].result().probe
    return tasks[0], tasks[1:]
