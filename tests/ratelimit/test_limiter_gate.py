"""The gate in front of the queue, and the deadlines of those who wait behind it."""

from __future__ import annotations

import asyncio

import pytest

from tests.ratelimit.pacing import a_limiter, has_waiters, now, settle, shut, single_probe, start
from tests.virtual_time import run_virtual
from voxloud_async._ratelimit.permit import Bounds, GateBeyondDeadlineError, Outcome

ANSWERED, REFUSED, DOWN = Outcome.ANSWERED, Outcome.REFUSED, Outcome.DOWN


@pytest.mark.parametrize("outcome", [REFUSED, DOWN])
def test_g10_one_refusal_pauses_every_sibling(outcome: Outcome) -> None:
    async def main() -> None:
        limiter = a_limiter()
        pause = await shut(limiter, outcome, retry_after=20.0)
        assert pause >= 20.0
        tasks = start(*(limiter.acquire() for _ in range(10)))
        await asyncio.sleep(pause - 0.1)
        assert not any(task.done() for task in tasks)
        await asyncio.sleep(0.2)
        assert any(task.done() for task in tasks)

    run_virtual(main())


@pytest.mark.parametrize("outcome", [REFUSED, DOWN])
def test_after_repeated_refusals_a_single_probe_goes(outcome: Outcome) -> None:
    async def main() -> None:
        limiter = a_limiter()
        probe, waiting = await single_probe(limiter, outcome)
        limiter.feedback(probe.result(), outcome)
        await asyncio.sleep(60)
        assert [task.done() for task in waiting] == [True] + [False] * 8
        limiter.feedback(waiting[0].result(), ANSWERED)
        await settle()
        assert all(task.done() for task in waiting)

    run_virtual(main())


@pytest.mark.parametrize("way", ["forget", "give_back"])
def test_t17_a_cancelled_probe_does_not_open_the_gate(way: str) -> None:
    async def main() -> None:
        limiter = a_limiter()
        probe, waiting = await single_probe(limiter, DOWN)
        getattr(limiter, way)(probe.result())
        await settle()
        assert [task.done() for task in waiting] == [True] + [False] * 8
        assert waiting[0].result().probe

    run_virtual(main())


def test_a_waiter_has_its_deadline() -> None:
    async def main() -> None:
        limiter, started = a_limiter(concurrency=1), now()
        held = await limiter.acquire()
        late, patient = start(limiter.acquire(Bounds(deadline=started + 3.0)), limiter.acquire())
        with pytest.raises(GateBeyondDeadlineError) as caught:
            await late
        assert now() - started == pytest.approx(3.0)
        assert caught.value.wait is None
        limiter.feedback(held, ANSWERED)
        await settle()
        assert patient.done()

    run_virtual(main())


def test_granted_in_the_tick_of_its_deadline() -> None:
    async def main() -> None:
        limiter, deadline = a_limiter(concurrency=1), now() + 3.0
        held = await limiter.acquire()
        asyncio.get_running_loop().call_at(deadline, limiter.feedback, held, ANSWERED)  # before the waiter's own timer
        permit = await limiter.acquire(Bounds(deadline=deadline))
        limiter.feedback(permit, ANSWERED)
        assert not limiter._in_flight

    run_virtual(main())


def test_a_gate_beyond_the_deadline_turns_away_at_once() -> None:
    async def main() -> None:
        limiter, started = a_limiter(), now()
        await shut(limiter, DOWN, retry_after=30.0)
        with pytest.raises(GateBeyondDeadlineError) as caught:
            await limiter.acquire(Bounds(deadline=started + 10.0))
        assert (caught.value.wait, now() - started) == (30.0, 0.0)

    run_virtual(main())


def test_a_gate_that_shuts_turns_away_at_once_those_that_wait() -> None:
    async def main() -> None:
        limiter, started = a_limiter(concurrency=2), now()
        held, other = await limiter.acquire(), await limiter.acquire()
        late, patient, longer = start(
            limiter.acquire(Bounds(deadline=started + 10.0)),
            limiter.acquire(),
            limiter.acquire(Bounds(deadline=started + 31.0)),
        )
        await settle()
        limiter.feedback(held, REFUSED, 30.0)
        await settle()
        assert isinstance(late.exception(), GateBeyondDeadlineError)
        assert now() == started
        await asyncio.sleep(30.5)
        assert patient.done()
        limiter.feedback(other, ANSWERED)
        limiter.feedback(patient.result(), ANSWERED)
        await settle()
        assert longer.done()

    run_virtual(main())


def test_a_deadline_that_is_met_does_no_harm() -> None:
    async def main() -> None:
        limiter, started = a_limiter(rate=1.0), now()
        permits = await asyncio.gather(*(limiter.acquire(Bounds(deadline=started + 2.5)) for _ in range(3)))
        timers = asyncio.get_running_loop()._scheduled  # type: ignore[attr-defined] # what is left of them
        assert all(timer.cancelled() for timer in timers)
        for permit in permits:
            limiter.feedback(permit, ANSWERED)
        assert not has_waiters(limiter)

    run_virtual(main())


def test_two_refusals_of_one_moment_turn_a_waiter_away_once() -> None:
    async def main() -> None:
        limiter = a_limiter(concurrency=2)
        permits = [await limiter.acquire(), await limiter.acquire()]
        patient, waiting = start(limiter.acquire(), limiter.acquire(Bounds(deadline=now() + 5.0)))
        await settle()
        for permit in permits:
            limiter.feedback(permit, REFUSED, 30.0)
        with pytest.raises(GateBeyondDeadlineError) as caught:
            await waiting
        assert caught.value.wait == 30.0
        limiter.feedback(await patient, ANSWERED)

    run_virtual(main())
