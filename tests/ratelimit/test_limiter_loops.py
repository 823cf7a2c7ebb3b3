"""The loops that a queue outlives."""

from __future__ import annotations

import asyncio
import gc
import sys

import pytest

from tests.ratelimit.pacing import a_limiter, seconds, single_probe, start
from tests.virtual_time import VirtualLoop, run_virtual
from voxloud_async._clock import LoopClock
from voxloud_async._ratelimit.limiter import Limiter
from voxloud_async._ratelimit.permit import Bounds, Outcome
from voxloud_async.errors import UsageError

ANSWERED, DOWN = Outcome.ANSWERED, Outcome.DOWN


def test_a_second_loop_after_the_first_died_with_waiters() -> None:
    limiter = a_limiter(rate=1.0, concurrency=1)
    dead = VirtualLoop()
    abandoned = [dead.create_task(limiter.acquire()) for _ in range(3)]
    dead.run_until_complete(asyncio.sleep(0.1))
    assert [task.done() for task in abandoned] == [True, False, False]
    dead.close()

    async def main() -> None:
        for _ in range(3):
            limiter.feedback(await limiter.acquire(), ANSWERED)
        held = await limiter.acquire()
        limiter.feedback(abandoned[0].result(), ANSWERED)  # of the dead loop: it frees nothing here
        (waiter,) = start(limiter.acquire())
        await asyncio.sleep(10)
        assert not waiter.done()
        limiter.give_back(held)
        await waiter

    run_virtual(main())
    for task in abandoned[1:]:
        task._log_destroy_pending = False  # type: ignore[attr-defined] # what is tested


def test_a_probe_of_a_dead_loop_is_out_no_more() -> None:
    limiter = a_limiter()
    dead = VirtualLoop()
    probe, _ = dead.run_until_complete(single_probe(limiter, DOWN))
    for task in asyncio.all_tasks(dead):
        task._log_destroy_pending = False  # type: ignore[attr-defined] # it dies with its loop
    dead.close()

    async def main() -> None:
        await asyncio.sleep(100)
        second = await limiter.acquire()
        assert second.probe
        limiter.forget(probe.result())
        (third,) = start(limiter.acquire())
        await asyncio.sleep(10)
        assert not third.done()
        limiter.feedback(second, ANSWERED)
        await third

    run_virtual(main())


@pytest.mark.parametrize("used_again", [False, True])
def test_calls_of_a_dead_loop_are_collected_in_silence(
    monkeypatch: pytest.MonkeyPatch,
    used_again: bool,  # noqa: FBT001 - a table's column
) -> None:
    complaints: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", complaints.append)
    limiter = a_limiter(concurrency=2)

    async def caller() -> None:
        permit = await limiter.acquire()
        try:
            await asyncio.sleep(1000.0)
        finally:
            limiter.forget(permit)

    dead = VirtualLoop()
    tasks = [dead.create_task(caller()) for _ in range(5)]
    dead.run_until_complete(asyncio.sleep(0.1))
    for task in tasks:
        task._log_destroy_pending = False  # type: ignore[attr-defined] # what is tested
    dead.close()
    if used_again:
        run_virtual(limiter.acquire())
    dead._scheduled.clear()  # type: ignore[attr-defined] # its timers hold the tasks
    del tasks, task
    gc.collect()
    assert complaints == []
    run_virtual(asyncio.wait_for(limiter.acquire(), 1.0))


def test_made_outside_a_loop_and_used_in_several() -> None:
    limiter = a_limiter(rate=1.0)

    async def main() -> None:
        for _ in range(3):
            limiter.feedback(await limiter.acquire(), ANSWERED)

    for _ in range(3):
        run_virtual(main())


def test_a_pause_passes_by_the_calls_of_a_dead_loop() -> None:
    first = a_limiter(concurrency=1)
    second = Limiter(first._limit, LoopClock(), concurrency=1)
    dead = VirtualLoop()
    abandoned = [dead.create_task(first.acquire(Bounds(deadline=2000.0))) for _ in range(2)]
    dead.run_until_complete(asyncio.sleep(0.1))
    dead.close()

    async def main() -> None:
        assert seconds(second.feedback(await second.acquire(), Outcome.REFUSED, 299.0)) == 299.0
        assert second.feedback(await second.acquire(), Outcome.ANSWERED) is None

    run_virtual(main())
    assert [task.done() for task in abandoned] == [True, False]
    abandoned[1]._log_destroy_pending = False  # type: ignore[attr-defined] # what is tested


def test_a_second_loop_while_the_first_runs_is_refused() -> None:
    limiter = a_limiter(concurrency=1)

    async def elsewhere() -> None:
        with pytest.raises(UsageError, match="one client per loop"):
            await limiter.acquire()

    async def main() -> None:
        permit = await limiter.acquire()
        await asyncio.to_thread(asyncio.run, elsewhere())
        limiter.feedback(permit, ANSWERED)
        await limiter.acquire()

    asyncio.run(main())
