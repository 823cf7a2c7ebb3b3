"""Sibling clients of one limit stand in one line: in the order they came, whoever's they are."""

from __future__ import annotations

import asyncio
import math
import random
import time
from typing import TYPE_CHECKING

import pytest

from tests.ratelimit.pacing import has_waiters, now, seconds, settle, start
from tests.virtual_time import run_virtual
from voxloud_async._clock import LoopClock
from voxloud_async._ratelimit.controller import RateController
from voxloud_async._ratelimit.key_limit import KeyLimit
from voxloud_async._ratelimit.limiter import Limiter
from voxloud_async._ratelimit.permit import Bounds, GateBeyondDeadlineError, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

ANSWERED, REFUSED = Outcome.ANSWERED, Outcome.REFUSED


def siblings(*concurrency: int, rate: float = math.inf) -> list[Limiter]:
    limit = KeyLimit(RateController(rate, chance=lambda: 1.0))
    return [Limiter(limit, LoopClock(), concurrency=most) for most in concurrency]


async def call(
    limiter: Limiter, name: object, order: list[object], *, head: bool = False, seconds: float = 0.0
) -> None:
    permit = await limiter.acquire(head=head)
    order.append(name)
    await asyncio.sleep(seconds)
    limiter.feedback(permit, ANSWERED)


def test_first_come_first_served_among_clients() -> None:
    async def main() -> list[object]:
        limiters = siblings(4, 4, 4, rate=5.0)
        order: list[object] = []
        turns = random.Random(3).choices(limiters, k=60)
        await asyncio.gather(*(call(limiter, n, order) for n, limiter in enumerate(turns)))
        return order

    assert run_virtual(main()) == list(range(60))


def test_a_client_that_came_late_does_not_wait_for_the_backlog_of_another_alone() -> None:
    async def main() -> None:
        (first, second) = siblings(64, 64, rate=10.0)
        order: list[object] = []
        async with asyncio.TaskGroup() as group:
            for n in range(100):
                group.create_task(call(first, n, order))
            await asyncio.sleep(2.0)
            group.create_task(call(second, "second", order))
            await asyncio.sleep(0.0)
            for n in range(100, 200):
                group.create_task(call(first, n, order))
        assert order.index("second") == 100

    run_virtual(main())


def test_a_refused_call_of_any_client_goes_to_the_head() -> None:
    async def main() -> list[object]:
        (first, second) = siblings(64, 64, rate=1.0)
        order: list[object] = []
        async with asyncio.TaskGroup() as group:
            for n in range(4):
                group.create_task(call(first, n, order))
            await settle()
            group.create_task(call(second, "refused", order, head=True))
        return order

    assert run_virtual(main()) == [0, "refused", 1, 2, 3]


def test_a_client_at_its_bound_lets_the_others_pass_and_keeps_its_place() -> None:
    async def main() -> list[object]:
        (narrow, wide) = siblings(1, 64)
        order: list[object] = []
        async with asyncio.TaskGroup() as group:
            for n in range(3):
                group.create_task(call(narrow, f"narrow {n}", order, seconds=10.0))
            await settle()
            group.create_task(call(wide, "wide", order))
            await asyncio.sleep(6.0)
            assert order == ["narrow 0", "wide"]
            pause = seconds(wide.feedback(await wide.acquire(), REFUSED, 5.0))
            group.create_task(call(wide, "late", order))
            await asyncio.sleep(pause + 100.0)
        return order

    assert run_virtual(main()) == ["narrow 0", "wide", "narrow 1", "late", "narrow 2"]


def rounds(calls: Sequence[tuple[int, int]], bounds: Sequence[int]) -> list[set[int]]:
    """Who goes in which second, where each call takes one and there is no rate: of each client as many as its bound."""
    waiting, seconds = list(calls), []
    while waiting:
        room, going = list(bounds), set()
        for name, client in tuple(waiting):
            if room[client]:
                room[client] -= 1
                waiting.remove((name, client))
                going.add(name)
        seconds.append(going)
    return seconds


@pytest.mark.parametrize("seed", range(20))
def test_each_goes_as_soon_as_its_client_has_room(seed: int) -> None:
    chance = random.Random(seed)
    bounds = [chance.randint(1, 4) for _ in range(3)]
    calls = [(n, chance.randrange(3)) for n in range(40)]

    async def main() -> list[set[int]]:
        limiters, gone, started = siblings(*bounds), [], now()

        async def one(client: int, name: int) -> None:
            permit = await limiters[client].acquire()
            gone.append((round(now() - started), name))
            await asyncio.sleep(1.0)
            limiters[client].feedback(permit, ANSWERED)

        await asyncio.gather(*(one(client, name) for name, client in calls))
        return [{name for at, name in gone if at == second} for second in range(gone[-1][0] + 1)]

    assert run_virtual(main()) == rounds(calls, bounds)


def test_patience_counts_from_the_first_refusal_of_any_client() -> None:
    async def main() -> None:
        first, second = siblings(64, 64)
        started = now()
        first.feedback(await first.acquire(), REFUSED, 50.0)
        with pytest.raises(GateBeyondDeadlineError) as caught:
            await second.acquire(Bounds(patience=40.0, started=started))
        assert caught.value.wait == pytest.approx(50.0)
        await asyncio.sleep(50.0)
        second.feedback(await second.acquire(), ANSWERED)
        first.feedback(await first.acquire(), REFUSED, 30.0)
        permit = await second.acquire(Bounds(patience=40.0, started=started))
        assert now() - started == pytest.approx(80.0, abs=0.1)
        second.feedback(permit, ANSWERED)

    run_virtual(main())


def test_a_pause_turns_away_the_calls_of_every_client() -> None:
    async def main() -> None:
        first, second = siblings(1, 1)
        held, other = await first.acquire(), await second.acquire()
        waiting = start(*(limiter.acquire(Bounds(deadline=now() + 5.0)) for limiter in (first, second, second)))
        await settle()
        first.feedback(held, REFUSED, 20.0)
        await settle()
        assert [type(task.exception()) for task in waiting] == [GateBeyondDeadlineError] * 3
        second.feedback(other, ANSWERED)

    run_virtual(main())


def test_a_client_that_goes_leaves_the_others_in_line() -> None:
    async def main() -> None:
        (first, second) = siblings(64, 64, rate=1.0)
        order: list[object] = []
        gone = start(*(first.acquire() for _ in range(5)))
        await settle()
        staying = asyncio.create_task(call(second, "second", order))
        await settle()
        for task in gone[1:]:
            task.cancel()
        await first.aclose()
        started = now()
        await staying
        assert now() - started == pytest.approx(1.0)

    run_virtual(main())


def test_ten_thousand_cancelled_at_once_are_soon_gone() -> None:
    async def main() -> float:
        first, second = siblings(64, 64)
        second.feedback(await second.acquire(), Outcome.DOWN, 200.0)
        waiting = start(*(first.acquire() for _ in range(10_000)))
        await settle()
        for task in reversed(waiting):  # the last first: where leaving is a search, it takes longest
            task.cancel()
        began = time.process_time()
        await asyncio.wait(waiting)
        took = time.process_time() - began
        assert not has_waiters(first)
        assert (await second.acquire()).probe
        return took

    assert run_virtual(main()) < 2.0
