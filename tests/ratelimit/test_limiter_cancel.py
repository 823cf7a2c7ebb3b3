"""Callers that are cancelled while they wait, or in the very tick of their grant."""

from __future__ import annotations

import asyncio

import pytest

from tests.ratelimit.pacing import a_limiter, has_waiters, now, settle, shut, start
from tests.virtual_time import run_virtual
from voxloud_async._ratelimit.permit import Bounds, Outcome

ANSWERED, REFUSED, DOWN = Outcome.ANSWERED, Outcome.REFUSED, Outcome.DOWN


def test_t17_cancelled_in_the_tick_of_its_grant_loses_no_permit() -> None:
    async def main() -> None:
        limiter = a_limiter(concurrency=1)
        held = await limiter.acquire()
        first, second = start(limiter.acquire(), limiter.acquire())
        await settle()
        limiter.feedback(held, ANSWERED)  # grants to `first`, which has not run yet
        first.cancel()
        await settle()
        assert first.cancelled()
        assert second.done()
        limiter.feedback(second.result(), ANSWERED)
        assert not limiter._in_flight

    run_virtual(main())


def test_t17_three_of_four_waiters_cancelled_and_the_order_kept() -> None:
    async def main() -> None:
        limiter, order = a_limiter(rate=10.0), []

        async def caller(n: int) -> None:
            permit = await limiter.acquire()
            order.append((n, now() - started))
            limiter.feedback(permit, ANSWERED)

        started = now()
        tasks = [asyncio.create_task(caller(n)) for n in range(100)]
        await settle()
        done = len(order)
        for n, task in enumerate(tasks):
            if n % 4:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        late = order[done:]
        assert [n for n, _ in late] == [n for n in range(done, 100) if n % 4 == 0]
        assert [at for _, at in late] == pytest.approx([(i + 1) / 10.0 for i in range(len(late))], abs=1e-3)
        assert not has_waiters(limiter)

    run_virtual(main())


def test_cancelled_waiters_do_not_pile_up() -> None:
    async def main() -> None:
        limiter = a_limiter()
        await shut(limiter, DOWN, retry_after=200.0)
        first, *others = start(*(limiter.acquire() for _ in range(50)))
        await settle()
        for task in others:
            task.cancel()
        await settle()
        assert limiter._queue is not None
        assert [len(group) for group in limiter._queue._groups.values()] == [1]
        await first

    run_virtual(main())


def test_a_waiter_cancelled_in_the_tick_of_its_deadline() -> None:
    async def main() -> None:
        limiter, deadline = a_limiter(concurrency=1), now() + 5.0
        held = await limiter.acquire()
        (waiter,) = start(limiter.acquire(Bounds(deadline=deadline)))
        await settle()
        asyncio.get_running_loop().call_at(deadline, waiter.cancel)
        await asyncio.sleep(6.0)
        assert waiter.cancelled()
        limiter.feedback(held, ANSWERED)
        assert not has_waiters(limiter)
        assert not limiter._in_flight

    run_virtual(main())
