"""Facts and bounds at their edges."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.session.harness import OK, READ, RING, Wire, idle, rig
from tests.virtual_time import run_virtual
from voxloud_async.errors import ApiError, ClientClosedError, RateLimitedError, ServerError, UsageError
from voxloud_async.session.policy import LATEST_RING, RetryPolicy
from voxloud_async.testing import answer


@pytest.mark.parametrize(("seconds", "requests"), [(LATEST_RING, 2), (LATEST_RING + 1, 1)])
def test_a_late_ring_is_no_ring(seconds: float, requests: int) -> None:
    wire = Wire(answer(status=429, headers={"Retry-After": f"{seconds:g}"}), OK)

    async def ring() -> None:
        if requests == 1:
            with pytest.raises(RateLimitedError):
                await rig(wire).call(RING)
        else:
            await rig(wire).call(RING)

    run_virtual(ring())
    assert len(wire.requests) == requests


@pytest.mark.parametrize("max_wait", [None, 100.0])
def test_a_ring_that_is_refused_again_and_again_does_not_come_late(max_wait: float | None) -> None:
    wire = Wire(*[answer(status=429, headers={"Retry-After": "4"})] * 10, OK)

    async def ring() -> None:
        started = asyncio.get_running_loop().time()
        with pytest.raises(RateLimitedError) as caught:
            await rig(wire).call(RING, max_wait=max_wait)
        assert (caught.value.attempts, caught.value.retry_after) == (2, 4.0)
        assert asyncio.get_running_loop().time() - started == pytest.approx(4.0)

    run_virtual(ring())
    assert len(wire.requests) == 2


@pytest.mark.parametrize("max_wait", [None, 100.0])
def test_a_refused_ring_does_not_wait_out_the_pause_of_another_call(max_wait: float | None) -> None:
    wire = Wire(answer(status=429), answer(status=429, headers={"Retry-After": "60"}), OK, seconds=0.1)

    async def ring() -> None:
        made = rig(wire)
        ringing = asyncio.create_task(made.call(RING, max_wait=max_wait))
        await asyncio.sleep(0.02)
        other = asyncio.create_task(made.call(READ))
        started = asyncio.get_running_loop().time()
        assert await ringing == "ok"
        assert asyncio.get_running_loop().time() - started < LATEST_RING + 1.0
        assert await other == "ok"
        assert asyncio.get_running_loop().time() - started > 60.0
        assert idle(made.limiter)

    run_virtual(ring())
    assert [request.url.rpartition("/")[2] for request in wire.requests] == ["ring", "read", "ring", "read"]


def test_where_the_policy_has_ended_the_fault_is_raised_and_not_the_deadline() -> None:
    wire = Wire(answer(status=500))

    async def call() -> None:
        with pytest.raises(ServerError):
            await rig(wire).call(READ, max_wait=2.0, retry=RetryPolicy(max_attempts=1, base=5.0))

    run_virtual(call())
    assert len(wire.requests) == 1


def test_a_second_running_loop_is_refused_and_the_first_goes_on() -> None:
    made = rig(Wire(OK, seconds=0.05), rate=20.0)
    refused: list[BaseException] = []

    async def second() -> None:
        with pytest.raises(UsageError) as caught:
            await made.call(READ)
        refused.append(caught.value)

    async def first() -> list[Any]:
        calls = [asyncio.create_task(made.call(READ)) for _ in range(12)]
        await asyncio.sleep(0.01)
        await asyncio.to_thread(lambda: asyncio.run(second()))
        return await asyncio.gather(*calls)

    assert asyncio.run(first()) == ["ok"] * 12
    assert len(refused) == 1


def test_a_closed_client_says_that_a_request_may_have_left() -> None:
    made = rig(Wire(OK, seconds=10.0))

    async def close_under_way() -> ClientClosedError:
        call = asyncio.create_task(made.call(READ))
        await asyncio.sleep(1.0)
        await made.session.aclose()
        with pytest.raises(ClientClosedError) as caught:
            await call
        return caught.value

    assert run_virtual(close_under_way()).sent is True


def test_a_long_message_is_masked_without_delay() -> None:
    assert len(str(ApiError(400, "x" * 1_000_000))) < 2000
