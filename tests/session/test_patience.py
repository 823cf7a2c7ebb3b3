"""`patience`: how long calls without a deadline wait while the service answered no request, each and all together."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.session.harness import CREATE, OK, READ, Rig, Wire, idle, rig
from tests.virtual_time import run_virtual
from voxloud_async.errors import RateLimitedError, RequestNotSentError, ServiceUnavailableError, VoxloudError
from voxloud_async.session.policy import RetryPolicy
from voxloud_async.testing import answer

if TYPE_CHECKING:
    from tests.session.harness import Reply

DOWN, REFUSED, NOT_SENT = answer(status=503), answer(status=429), RequestNotSentError("refused")


async def end_of(made: Rig, **options: Any) -> tuple[Any, float]:
    """What a call came to, and after how many seconds."""
    started = asyncio.get_running_loop().time()
    try:
        outcome = await made.call(READ, **options)
    except VoxloudError as error:
        outcome = error
    return outcome, asyncio.get_running_loop().time() - started


@pytest.mark.parametrize("reply", [DOWN, REFUSED, NOT_SENT], ids=["503", "429", "not sent"])
@pytest.mark.parametrize("rate", [None, 50.0])
def test_an_endless_outage_ends_all_calls_together(reply: Reply, rate: float | None) -> None:
    async def main() -> None:
        wire = Wire(reply, seconds=0.1)
        made = rig(wire, rate=rate)
        ends = await asyncio.gather(*(end_of(made) for _ in range(300)))
        assert all(isinstance(error, VoxloudError) for error, _ in ends)
        assert max(seconds for _, seconds in ends) < 310.0
        assert len(wire.requests) < 300
        assert idle(made.limiter)

    run_virtual(main())


def test_a_call_that_was_never_sent_says_so() -> None:
    async def main() -> None:
        made = rig(Wire(DOWN), concurrency=1)
        first, second = await asyncio.gather(end_of(made), end_of(made, retry=RetryPolicy(patience=20.0)))
        assert isinstance(first[0], ServiceUnavailableError)
        error, seconds = second
        assert isinstance(error, RequestNotSentError)
        assert (error.phase, error.attempts, error.sent, error.retryable) == ("limit", 0, False, False)
        assert str(error) == "the service answered no request | GET /read | voxloud.test"
        assert 15.0 < seconds <= 20.0

    run_virtual(main())


def test_a_call_that_was_refused_says_what_it_met() -> None:
    async def main() -> None:
        made = rig(Wire(REFUSED, DOWN))
        refused = asyncio.create_task(end_of(made, retry=RetryPolicy(patience=20.0)))
        await asyncio.sleep(0.01)  # while it waits in the queue, others find the service down
        others = asyncio.create_task(end_of(made, retry=RetryPolicy(patience=60.0)))
        error, seconds = await refused
        assert isinstance(error, RateLimitedError | ServiceUnavailableError)
        assert error.attempts >= 1
        assert seconds <= 20.0
        await others

    run_virtual(main())


@pytest.mark.parametrize("patience", [0.0, 0.05])
def test_without_patience_the_first_refusal_is_raised(patience: float) -> None:
    async def main() -> None:
        error, seconds = await end_of(rig(Wire(REFUSED, OK), rate=5.0), retry=RetryPolicy(patience=patience))
        assert isinstance(error, RateLimitedError)
        assert (error.attempts, seconds) == (1, 0.0)

    run_virtual(main())


def test_a_create_without_patience_was_refused_and_did_not_happen() -> None:
    async def main() -> None:
        with pytest.raises(RateLimitedError):
            await rig(Wire(REFUSED, OK), rate=5.0).call(CREATE, retry=RetryPolicy(patience=0.0))

    run_virtual(main())


def test_a_long_queue_in_front_of_a_service_that_answers_needs_no_patience() -> None:
    async def main() -> None:
        made = rig(Wire(REFUSED, OK), rate=0.5)
        retry = RetryPolicy(patience=10.0)
        ends = await asyncio.gather(*(end_of(made, retry=retry) for _ in range(100)))
        assert {result for result, _ in ends} == {"ok"}
        assert max(seconds for _, seconds in ends) > 190.0

    run_virtual(main())


def test_a_later_call_has_a_patience_of_its_own() -> None:
    async def main() -> None:
        made = rig(Wire(DOWN))
        first = asyncio.create_task(end_of(made, retry=RetryPolicy(patience=100.0)))
        await asyncio.sleep(70.0)
        second = asyncio.create_task(end_of(made, retry=RetryPolicy(patience=100.0)))
        assert 90.0 < (await first)[1] <= 100.0
        assert 90.0 < (await second)[1] <= 100.0

    run_virtual(main())


def test_an_outage_long_past_costs_no_patience() -> None:
    async def main() -> None:
        wire = Wire(REFUSED)
        made = rig(wire)
        await end_of(made, retry=RetryPolicy(max_attempts=2))
        await asyncio.sleep(10_000.0)
        wire.play(REFUSED, OK)
        assert (await end_of(made, retry=RetryPolicy(patience=5.0)))[0] == "ok"

    run_virtual(main())
