"""The queue: its order, its bound and its pace."""

from __future__ import annotations

import asyncio
import math

import pytest

from tests.session.pacing import a_pacer, now, settle, start
from tests.virtual_time import run_virtual
from voxloud_async.session.controller import BURST, START_RATE, Outcome

ANSWERED, REFUSED, DOWN = Outcome.ANSWERED, Outcome.REFUSED, Outcome.DOWN


def test_first_come_first_served() -> None:
    async def main() -> list[int]:
        pacer, order = a_pacer(rate=5.0), []

        async def caller(n: int) -> None:
            permit = await pacer.acquire()
            order.append(n)
            pacer.feedback(permit, ANSWERED)

        await asyncio.gather(*(caller(n) for n in range(40)))
        return order

    assert run_virtual(main()) == list(range(40))


def test_refused_calls_go_to_the_head() -> None:
    async def main() -> list[str]:
        pacer, order = a_pacer(concurrency=1), []

        async def caller(name: str, *, head: bool) -> None:
            permit = await pacer.acquire(head=head)
            order.append(name)
            pacer.feedback(permit, ANSWERED)

        held = await pacer.acquire()
        async with asyncio.TaskGroup() as group:
            for name in ("first", "second"):
                group.create_task(caller(name, head=False))
            await settle()
            group.create_task(caller("refused", head=True))
            await settle()
            pacer.feedback(held, ANSWERED)
        return order

    assert run_virtual(main()) == ["refused", "first", "second"]


def test_never_more_than_the_bound_in_flight() -> None:
    async def main() -> None:
        pacer, flying, most = a_pacer(concurrency=64), 0, 0

        async def caller() -> None:
            nonlocal flying, most
            permit = await pacer.acquire()
            flying += 1
            most = max(most, flying)
            await asyncio.sleep(1.0)
            flying -= 1
            pacer.feedback(permit, ANSWERED)

        started = now()
        await asyncio.gather(*(caller() for _ in range(10_000)))
        assert most == 64
        assert now() - started == pytest.approx(math.ceil(10_000 / 64))

    run_virtual(main())


@pytest.mark.parametrize("rate", [0.5, 2.0, 50.0])
def test_a_fixed_rate_paces(rate: float) -> None:
    async def main() -> list[float]:
        pacer, started, at = a_pacer(rate=rate, concurrency=1000), now(), []

        async def caller() -> None:
            permit = await pacer.acquire()
            at.append(now() - started)
            pacer.feedback(permit, ANSWERED)

        await asyncio.gather(*(caller() for _ in range(100)))
        return at

    at = run_virtual(main())
    burst = int(max(1.0, min(BURST, rate)))
    assert at[:burst] == [0.0] * burst
    assert at[burst:] == pytest.approx([(n - burst + 1) / rate for n in range(burst, 100)], abs=1e-3)


def test_a_learned_rate_starts_at_its_start() -> None:
    async def main() -> None:
        pacer, started = a_pacer(rate=None), now()
        for _ in range(int(BURST)):
            pacer.feedback(await pacer.acquire(), ANSWERED)
        assert now() == started
        await pacer.acquire()
        assert now() - started == pytest.approx(1.0 / START_RATE, rel=0.1)

    run_virtual(main())


def test_without_a_rate_nothing_waits_but_for_the_gate() -> None:
    async def main() -> None:
        pacer, started = a_pacer(rate=math.inf, concurrency=10_000), now()
        permits = [await pacer.acquire() for _ in range(5_000)]
        assert now() == started
        pause = pacer.feedback(permits[0], REFUSED)
        assert pause > 0.0
        await pacer.acquire()
        assert now() - started == pytest.approx(pause, abs=1e-3)

    run_virtual(main())


def test_returned_twice_counts_once() -> None:
    async def main() -> None:
        pacer = a_pacer(concurrency=1)
        permit = await pacer.acquire()
        pacer.forget(permit)
        pacer.forget(permit)
        pacer.give_back(permit)
        assert pacer.feedback(permit, REFUSED) == 0.0
        await pacer.acquire()
        (waiter,) = start(pacer.acquire())
        await asyncio.sleep(1)
        assert not waiter.done()
        waiter.cancel()

    run_virtual(main())
