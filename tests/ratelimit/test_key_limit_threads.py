"""One limit, met from two threads and from a child of a fork."""

from __future__ import annotations

import asyncio
import os
import threading

import pytest

from voxloud_async._clock import LoopClock
from voxloud_async._ratelimit.controller import RateController
from voxloud_async._ratelimit.key_limit import KeyLimit, limit_of_key
from voxloud_async._ratelimit.limiter import Limiter
from voxloud_async._ratelimit.permit import Bounds, GateBeyondDeadlineError, Outcome

SECONDS = 20.0


def a_limit(rate: float) -> KeyLimit:
    return KeyLimit(RateController(rate, chance=lambda: 0.5))


async def take(limiter: Limiter, times: int) -> int:
    for _ in range(times):
        permit = await asyncio.wait_for(limiter.acquire(), SECONDS)
        await asyncio.sleep(0)
        limiter.feedback(permit, Outcome.ANSWERED)
    return times


def test_news_cross_from_one_thread_to_another() -> None:
    limit = a_limit(500.0)
    here, there = (Limiter(limit, LoopClock(), concurrency=1) for _ in range(2))
    done: list[int] = []
    thread = threading.Thread(target=lambda: done.append(asyncio.run(take(there, 100))))
    thread.start()
    done.append(asyncio.run(take(here, 100)))
    thread.join(SECONDS)
    assert done == [100, 100]


def test_a_pause_met_in_one_thread_turns_away_a_call_of_another() -> None:
    limit = a_limit(1.0)
    here, there = (Limiter(limit, LoopClock(), concurrency=4) for _ in range(2))
    waiting, ends = threading.Event(), []

    async def wait_there() -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(0.05, waiting.set)
        with pytest.raises(GateBeyondDeadlineError) as caught:
            await there.acquire(Bounds(deadline=loop.time() + 60.0))
        ends.append(caught.value.wait)

    async def pause_here() -> None:
        permit = await here.acquire()
        thread.start()
        assert await asyncio.to_thread(waiting.wait, SECONDS)
        here.feedback(permit, Outcome.REFUSED, 120.0)
        await asyncio.to_thread(thread.join, SECONDS)

    thread = threading.Thread(target=lambda: asyncio.run(wait_there()))
    asyncio.run(pause_here())
    assert ends == [pytest.approx(120.0, abs=5.0)]  # less what the hand-over between the threads took


def test_a_child_has_a_limit_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    parents = limit_of_key("key", "https://pbx.example", None, lambda: RateController(chance=lambda: 0.5))
    monkeypatch.setattr(os, "getpid", lambda: -1)
    childs = limit_of_key("key", "https://pbx.example", None, lambda: RateController(chance=lambda: 0.5))
    assert childs is not parents
