"""The queue: its order, its bound and its pace."""

from __future__ import annotations

import asyncio
import math

import pytest

from tests.ratelimit.pacing import a_limiter, now, seconds, settle, start
from tests.virtual_time import run_virtual
from voxloud_async._ratelimit.controller import BURST, START_RATE
from voxloud_async._ratelimit.permit import Outcome

ANSWERED, REFUSED, DOWN = Outcome.ANSWERED, Outcome.REFUSED, Outcome.DOWN


def test_first_come_first_served() -> None:
    async def main() -> list[int]:
        limiter, order = a_limiter(rate=5.0), []

        async def caller(n: int) -> None:
            permit = await limiter.acquire()
            order.append(n)
            limiter.feedback(permit, ANSWERED)

        await asyncio.gather(*(caller(n) for n in range(40)))
        return order

    assert run_virtual(main()) == list(range(40))


def test_refused_calls_go_to_the_head() -> None:
    async def main() -> list[str]:
        limiter, order = a_limiter(concurrency=1), []

        async def caller(name: str, *, head: bool) -> None:
            permit = await limiter.acquire(head=head)
            order.append(name)
            limiter.feedback(permit, ANSWERED)

        held = await limiter.acquire()
        async with asyncio.TaskGroup() as group:
            for name in ("first", "second"):
                group.create_task(caller(name, head=False))
            await settle()
            group.create_task(caller("refused", head=True))
            await settle()
            limiter.feedback(held, ANSWERED)
        return order

    assert run_virtual(main()) == ["refused", "first", "second"]


def test_never_more_than_the_bound_in_flight() -> None:
    async def main() -> None:
        limiter, flying, most = a_limiter(concurrency=64), 0, 0

        async def caller() -> None:
            nonlocal flying, most
            permit = await limiter.acquire()
            flying += 1
            most = max(most, flying)
            await asyncio.sleep(1.0)
            flying -= 1
            limiter.feedback(permit, ANSWERED)

        started = now()
        await asyncio.gather(*(caller() for _ in range(10_000)))
        assert most == 64
        assert now() - started == pytest.approx(math.ceil(10_000 / 64))

    run_virtual(main())


@pytest.mark.parametrize("rate", [0.5, 2.0, 50.0])
def test_a_fixed_rate_paces(rate: float) -> None:
    async def main() -> list[float]:
        limiter, started, at = a_limiter(rate=rate, concurrency=1000), now(), []

        async def caller() -> None:
            permit = await limiter.acquire()
            at.append(now() - started)
            limiter.feedback(permit, ANSWERED)

        await asyncio.gather(*(caller() for _ in range(100)))
        return at

    at = run_virtual(main())
    burst = int(max(1.0, min(BURST, rate)))
    assert at[:burst] == [0.0] * burst
    assert at[burst:] == pytest.approx([(n - burst + 1) / rate for n in range(burst, 100)], abs=1e-3)


def test_a_learned_rate_starts_at_its_start() -> None:
    async def main() -> None:
        limiter, started = a_limiter(rate=None), now()
        for _ in range(int(BURST)):
            limiter.feedback(await limiter.acquire(), ANSWERED)
        assert now() == started
        await limiter.acquire()
        assert now() - started == pytest.approx(1.0 / START_RATE, rel=0.1)

    run_virtual(main())


def test_without_a_rate_nothing_waits_but_for_the_gate() -> None:
    async def main() -> None:
        limiter, started = a_limiter(rate=math.inf, concurrency=10_000), now()
        permits = [await limiter.acquire() for _ in range(5_000)]
        assert now() == started
        pause = seconds(limiter.feedback(permits[0], REFUSED))
        assert pause > 0.0
        await limiter.acquire()
        assert now() - started == pytest.approx(pause, abs=1e-3)

    run_virtual(main())


def test_returned_twice_counts_once() -> None:
    async def main() -> None:
        limiter = a_limiter(concurrency=1)
        permit = await limiter.acquire()
        limiter.forget(permit)
        limiter.forget(permit)
        limiter.give_back(permit)
        assert seconds(limiter.feedback(permit, REFUSED)) == 0.0
        await limiter.acquire()
        (waiter,) = start(limiter.acquire())
        await asyncio.sleep(1)
        assert not waiter.done()
        waiter.cancel()

    run_virtual(main())
