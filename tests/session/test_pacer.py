"""The queue: its order, its bound, its pace, its deadlines, and the loops it outlives."""

from __future__ import annotations

import asyncio
import gc
import math
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.virtual_time import VirtualLoop, run_virtual
from voxloud_async.session.clock import LoopClock
from voxloud_async.session.controller import BURST, START_RATE, Outcome, Permit, RateController
from voxloud_async.session.key_limit import KeyLimit
from voxloud_async.session.line import Bounds, GateBeyondDeadlineError
from voxloud_async.session.pacer import Pacer

if TYPE_CHECKING:
    from collections.abc import Coroutine

ANSWERED, REFUSED, DOWN = Outcome.ANSWERED, Outcome.REFUSED, Outcome.DOWN


def a_pacer(rate: float | None = math.inf, *, concurrency: int = 64) -> Pacer:
    return Pacer(KeyLimit(RateController(rate, chance=lambda: 1.0)), LoopClock(), concurrency=concurrency)


def now() -> float:
    return asyncio.get_running_loop().time()


async def settle() -> None:
    """Let every task run until it waits."""
    for _ in range(5):
        await asyncio.sleep(0)


def start(*coroutines: Coroutine[Any, Any, Permit]) -> list[asyncio.Task[Permit]]:
    return [asyncio.create_task(coroutine) for coroutine in coroutines]


async def shut(pacer: Pacer, outcome: Outcome = DOWN, retry_after: float | None = None) -> float:
    """Have the gate shut; gives the pause."""
    return pacer.feedback(await pacer.acquire(), outcome, retry_after)


# Order and bound


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


# Pace


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


# The gate


@pytest.mark.parametrize("outcome", [REFUSED, DOWN])
def test_g10_one_refusal_pauses_every_sibling(outcome: Outcome) -> None:
    async def main() -> None:
        pacer = a_pacer()
        pause = await shut(pacer, outcome, retry_after=20.0)
        assert pause >= 20.0
        tasks = start(*(pacer.acquire() for _ in range(10)))
        await asyncio.sleep(pause - 0.1)
        assert not any(task.done() for task in tasks)
        await asyncio.sleep(0.2)
        assert any(task.done() for task in tasks)

    run_virtual(main())


async def _single_probe(pacer: Pacer, outcome: Outcome) -> tuple[asyncio.Task[Permit], list[asyncio.Task[Permit]]]:
    """Refuse until probes go one at a time; gives the probe and those that wait behind it."""
    for _ in range(2):
        await shut(pacer, outcome)
    tasks = start(*(pacer.acquire() for _ in range(10)))
    await asyncio.sleep(60)
    assert [task.done() for task in tasks] == [True] + [False] * 9
    assert tasks[0].result().probe
    return tasks[0], tasks[1:]


@pytest.mark.parametrize("outcome", [REFUSED, DOWN])
def test_after_repeated_refusals_a_single_probe_goes(outcome: Outcome) -> None:
    async def main() -> None:
        pacer = a_pacer()
        probe, waiting = await _single_probe(pacer, outcome)
        pacer.feedback(probe.result(), outcome)
        await asyncio.sleep(60)
        assert [task.done() for task in waiting] == [True] + [False] * 8
        pacer.feedback(waiting[0].result(), ANSWERED)
        await settle()
        assert all(task.done() for task in waiting)

    run_virtual(main())


@pytest.mark.parametrize("way", ["forget", "give_back"])
def test_t17_a_cancelled_probe_does_not_open_the_gate(way: str) -> None:
    async def main() -> None:
        pacer = a_pacer()
        probe, waiting = await _single_probe(pacer, DOWN)
        getattr(pacer, way)(probe.result())
        await settle()
        assert [task.done() for task in waiting] == [True] + [False] * 8
        assert waiting[0].result().probe

    run_virtual(main())


# Cancellation


def test_t17_cancelled_in_the_tick_of_its_grant_loses_no_permit() -> None:
    async def main() -> None:
        pacer = a_pacer(concurrency=1)
        held = await pacer.acquire()
        first, second = start(pacer.acquire(), pacer.acquire())
        await settle()
        pacer.feedback(held, ANSWERED)  # grants to `first`, which has not run yet
        first.cancel()
        await settle()
        assert first.cancelled()
        assert second.done()
        pacer.feedback(second.result(), ANSWERED)
        assert not pacer._lane.in_flight

    run_virtual(main())


def test_t17_three_of_four_waiters_cancelled_and_the_order_kept() -> None:
    async def main() -> None:
        pacer, order = a_pacer(rate=10.0), []

        async def caller(n: int) -> None:
            permit = await pacer.acquire()
            order.append((n, now() - started))
            pacer.feedback(permit, ANSWERED)

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
        assert not pacer._lane.waiters

    run_virtual(main())


def test_cancelled_waiters_do_not_pile_up() -> None:
    async def main() -> None:
        pacer = a_pacer()
        await shut(pacer, DOWN, retry_after=200.0)
        first, *others = start(*(pacer.acquire() for _ in range(50)))
        await settle()
        for task in others:
            task.cancel()
        await settle()
        assert len(pacer._lane.waiters) == 1
        await first

    run_virtual(main())


def test_a_waiter_cancelled_in_the_tick_of_its_deadline() -> None:
    async def main() -> None:
        pacer, deadline = a_pacer(concurrency=1), now() + 5.0
        held = await pacer.acquire()
        (waiter,) = start(pacer.acquire(Bounds(deadline=deadline)))
        await settle()
        asyncio.get_running_loop().call_at(deadline, waiter.cancel)
        await asyncio.sleep(6.0)
        assert waiter.cancelled()
        pacer.feedback(held, ANSWERED)
        assert not pacer._lane.waiters
        assert not pacer._lane.in_flight

    run_virtual(main())


# Deadlines


def test_a_waiter_has_its_deadline() -> None:
    async def main() -> None:
        pacer, started = a_pacer(concurrency=1), now()
        held = await pacer.acquire()
        late, patient = start(pacer.acquire(Bounds(deadline=started + 3.0)), pacer.acquire())
        with pytest.raises(GateBeyondDeadlineError) as caught:
            await late
        assert now() - started == pytest.approx(3.0)
        assert caught.value.wait is None
        pacer.feedback(held, ANSWERED)
        await settle()
        assert patient.done()

    run_virtual(main())


def test_granted_in_the_tick_of_its_deadline() -> None:
    async def main() -> None:
        pacer, deadline = a_pacer(concurrency=1), now() + 3.0
        held = await pacer.acquire()
        asyncio.get_running_loop().call_at(deadline, pacer.feedback, held, ANSWERED)  # before the waiter's own timer
        permit = await pacer.acquire(Bounds(deadline=deadline))
        pacer.feedback(permit, ANSWERED)
        assert not pacer._lane.in_flight

    run_virtual(main())


def test_a_gate_beyond_the_deadline_turns_away_at_once() -> None:
    async def main() -> None:
        pacer, started = a_pacer(), now()
        await shut(pacer, DOWN, retry_after=30.0)
        with pytest.raises(GateBeyondDeadlineError) as caught:
            await pacer.acquire(Bounds(deadline=started + 10.0))
        assert (caught.value.wait, now() - started) == (30.0, 0.0)

    run_virtual(main())


def test_a_gate_that_shuts_turns_away_at_once_those_that_wait() -> None:
    async def main() -> None:
        pacer, started = a_pacer(concurrency=2), now()
        held, other = await pacer.acquire(), await pacer.acquire()
        late, patient, longer = start(
            pacer.acquire(Bounds(deadline=started + 10.0)),
            pacer.acquire(),
            pacer.acquire(Bounds(deadline=started + 31.0)),
        )
        await settle()
        pacer.feedback(held, REFUSED, 30.0)
        await settle()
        assert isinstance(late.exception(), GateBeyondDeadlineError)
        assert now() == started
        await asyncio.sleep(30.5)
        assert patient.done()
        pacer.feedback(other, ANSWERED)
        await settle()
        assert longer.done()

    run_virtual(main())


def test_a_deadline_that_is_met_does_no_harm() -> None:
    async def main() -> None:
        pacer, started = a_pacer(rate=1.0), now()
        permits = await asyncio.gather(*(pacer.acquire(Bounds(deadline=started + 2.5)) for _ in range(3)))
        timers = asyncio.get_running_loop()._scheduled  # type: ignore[attr-defined] # what is left of them
        assert all(timer.cancelled() for timer in timers)
        for permit in permits:
            pacer.feedback(permit, ANSWERED)
        assert not pacer._lane.waiters

    run_virtual(main())


# Loops


def test_a_second_loop_after_the_first_died_with_waiters() -> None:
    pacer = a_pacer(rate=1.0, concurrency=1)
    dead = VirtualLoop()
    abandoned = [dead.create_task(pacer.acquire()) for _ in range(3)]
    dead.run_until_complete(asyncio.sleep(0.1))
    assert [task.done() for task in abandoned] == [True, False, False]
    dead.close()

    async def main() -> None:
        for _ in range(3):
            pacer.feedback(await pacer.acquire(), ANSWERED)
        held = await pacer.acquire()
        pacer.feedback(abandoned[0].result(), ANSWERED)  # of the dead loop: it frees nothing here
        (waiter,) = start(pacer.acquire())
        await asyncio.sleep(10)
        assert not waiter.done()
        pacer.give_back(held)
        await waiter

    run_virtual(main())
    for task in abandoned[1:]:
        task._log_destroy_pending = False  # type: ignore[attr-defined] # what is tested


def test_a_probe_of_a_dead_loop_is_out_no_more() -> None:
    pacer = a_pacer()
    dead = VirtualLoop()
    probe, _ = dead.run_until_complete(_single_probe(pacer, DOWN))
    for task in asyncio.all_tasks(dead):
        task._log_destroy_pending = False  # type: ignore[attr-defined] # it dies with its loop
    dead.close()

    async def main() -> None:
        await asyncio.sleep(100)
        second = await pacer.acquire()
        assert second.probe
        pacer.forget(probe.result())
        (third,) = start(pacer.acquire())
        await asyncio.sleep(10)
        assert not third.done()
        pacer.feedback(second, ANSWERED)
        await third

    run_virtual(main())


@pytest.mark.parametrize("used_again", [False, True])
def test_calls_of_a_dead_loop_are_collected_in_silence(
    monkeypatch: pytest.MonkeyPatch,
    used_again: bool,  # noqa: FBT001 - a table's column
) -> None:
    complaints: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", complaints.append)
    pacer = a_pacer(concurrency=2)

    async def caller() -> None:
        permit = await pacer.acquire()
        try:
            await asyncio.sleep(1000.0)
        finally:
            pacer.forget(permit)

    dead = VirtualLoop()
    tasks = [dead.create_task(caller()) for _ in range(5)]
    dead.run_until_complete(asyncio.sleep(0.1))
    for task in tasks:
        task._log_destroy_pending = False  # type: ignore[attr-defined] # what is tested
    dead.close()
    if used_again:
        run_virtual(pacer.acquire())
    dead._scheduled.clear()  # type: ignore[attr-defined] # its timers hold the tasks
    del tasks, task
    gc.collect()
    assert complaints == []
    run_virtual(asyncio.wait_for(pacer.acquire(), 1.0))


def test_made_outside_a_loop_and_used_in_several() -> None:
    pacer = a_pacer(rate=1.0)

    async def main() -> None:
        for _ in range(3):
            pacer.feedback(await pacer.acquire(), ANSWERED)

    for _ in range(3):
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


def test_two_refusals_of_one_moment_turn_a_waiter_away_once() -> None:
    async def main() -> None:
        pacer = a_pacer(concurrency=2)
        permits = [await pacer.acquire(), await pacer.acquire()]
        patient, waiting = start(pacer.acquire(), pacer.acquire(Bounds(deadline=now() + 5.0)))
        await settle()
        for permit in permits:
            pacer.feedback(permit, REFUSED, 30.0)
        with pytest.raises(GateBeyondDeadlineError) as caught:
            await waiting
        assert caught.value.wait == 30.0
        pacer.feedback(await patient, ANSWERED)

    run_virtual(main())
