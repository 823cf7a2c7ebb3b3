"""The retry budget: a broken service gets few repetitions from all calls together, not a few from each."""

from __future__ import annotations

import asyncio

import pytest

from tests.session.harness import CREATE, OK, READ, Rig, Wire, rig
from tests.virtual_time import run_virtual
from voxloud_async.errors import OutcomeUnknownError, RequestNotSentError, ResponseLostError, ServerError
from voxloud_async.session.budget import CAPACITY, PRICE, RetryBudget
from voxloud_async.session.call import Options
from voxloud_async.session.events import RetryDenied, Retrying
from voxloud_async.session.policy import RetryPolicy
from voxloud_async.testing import answer

AFFORDED = CAPACITY // PRICE
BROKEN = answer(status=501)  # a fault that shuts no gate, as 500 does in a row
LOST = ResponseLostError("reset")


def test_what_it_holds() -> None:
    budget = RetryBudget()
    assert [budget.spend() for _ in range(AFFORDED + 1)] == [True] * AFFORDED + [False]
    for _ in range(PRICE):  # ten were left, so nearly a second repetition's worth
        budget.earn()
    assert [budget.spend(), budget.spend()] == [True, False]


def test_it_never_holds_more_than_at_the_start() -> None:
    budget = RetryBudget()
    for _ in range(CAPACITY):
        budget.earn()
    assert sum(budget.spend() for _ in range(CAPACITY)) == AFFORDED


def after(wire: Wire, calls: int, **options: object) -> tuple[Rig, list[object]]:
    """A session after so many calls, made one by one, and what they came to."""

    async def main() -> tuple[Rig, list[object]]:
        made = rig(wire)
        options.setdefault("retry", RetryPolicy(base=0.0))
        results: list[object] = []
        for _ in range(calls):
            results += await asyncio.gather(made.call(READ, **options), return_exceptions=True)
        return made, results

    return run_virtual(main())


def test_a_broken_service_sees_each_call_once_and_few_repetitions() -> None:
    wire = Wire(BROKEN)

    async def main() -> Rig:
        made = rig(wire)
        results = await asyncio.gather(*(made.call(READ) for _ in range(1000)), return_exceptions=True)
        assert {type(result) for result in results} == {ServerError}
        return made

    made = run_virtual(main())
    assert len(wire.requests) == 1000 + AFFORDED
    assert len(made.seen(Retrying)) == AFFORDED
    denied = made.seen(RetryDenied)
    assert denied[0] == RetryDenied("GET /read", denied[0].attempt, denied[0].error)
    assert all(each.call for each in denied)


def test_a_service_that_answers_500_alone_sees_a_probe_at_a_time() -> None:
    wire = Wire(answer(status=500))

    async def main() -> Rig:
        made = rig(wire, concurrency=8)
        results = await asyncio.gather(*(made.call(READ) for _ in range(1000)), return_exceptions=True)
        assert {type(result) for result in results} == {ServerError, RequestNotSentError}
        return made

    made = run_virtual(main())
    assert len(wire.requests) < 150
    assert len(made.seen(Retrying)) <= AFFORDED


def test_the_call_raises_the_error_it_met() -> None:
    wire = Wire(*[LOST] * AFFORDED, BROKEN)
    _, results = after(wire, AFFORDED // 3 + 2)
    last = results[-1]
    assert isinstance(last, ServerError)
    assert (last.status, last.attempts, last.sent) == (501, 1, True)


def test_successes_earn_repetitions() -> None:
    wire = Wire(*[BROKEN] * (AFFORDED + AFFORDED // 3 + 1), *[OK] * PRICE, BROKEN, OK)
    made, results = after(wire, AFFORDED // 3 + 1 + PRICE + 1)
    assert results[-1] == "ok"
    assert made.seen(Retrying)[-1].attempt == 1
    assert len(wire.requests) == AFFORDED + len(results) + 1


@pytest.mark.parametrize("status", [429, 503])
def test_refusals_cost_nothing(status: int) -> None:
    wire = Wire(*[answer(status=status)] * (AFFORDED + 10), OK)
    made, results = after(wire, 1)
    assert results == ["ok"]
    assert len(wire.requests) == AFFORDED + 11
    assert made.seen(RetryDenied) == []


def test_what_was_not_sent_costs_as_much() -> None:
    wire = Wire(RequestNotSentError("refused"))
    made, results = after(wire, 50)
    assert {type(result) for result in results} == {RequestNotSentError}
    assert len(wire.requests) == 50 + AFFORDED
    assert len(made.seen(RetryDenied)) == 50 - AFFORDED // 3


def test_a_bound_of_attempts_buys_no_more() -> None:
    wire = Wire(BROKEN)
    after(wire, 1, retry=RetryPolicy(max_attempts=100, base=0.0))
    assert len(wire.requests) == 1 + AFFORDED


def test_copies_with_other_options_share_it() -> None:
    async def main() -> None:
        wire = Wire(BROKEN)
        made = rig(wire)
        copy = made.session.with_options(Options(retry=RetryPolicy(max_faults=100, base=0.0)))
        with pytest.raises(ServerError):
            await copy.call(READ)
        with pytest.raises(ServerError):
            await made.call(READ)
        assert len(wire.requests) == 1 + AFFORDED + 1

    run_virtual(main())


def test_a_create_that_may_have_happened_asks_for_none() -> None:
    async def main() -> None:
        made = rig(Wire(LOST))
        for _ in range(AFFORDED + 1):
            with pytest.raises(OutcomeUnknownError):
                await made.call(CREATE)
        assert made.seen(RetryDenied) == []

    run_virtual(main())


def test_no_time_is_lost_on_what_is_denied() -> None:
    async def main() -> None:
        made = rig(Wire(BROKEN))
        with pytest.raises(ServerError):
            await made.call(READ, retry=RetryPolicy(max_faults=100, base=0.0))
        started = asyncio.get_running_loop().time()
        with pytest.raises(ServerError):
            await made.call(READ, retry=RetryPolicy(base=5.0), max_wait=60.0)
        assert asyncio.get_running_loop().time() == started

    run_virtual(main())
