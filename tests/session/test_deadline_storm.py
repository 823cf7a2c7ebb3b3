"""`max_wait` in seeded storms: whatever the service does, a call ends in time and knows why."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import pytest
from attrs import define, field

from tests.session.harness import DELETE, EVERY, OK, READ, UPDATE, Rig, idle, rig
from tests.virtual_time import run_virtual
from voxloud_async.errors import DeadlineExceededError, RequestNotSentError, ResponseLostError, VoxloudError
from voxloud_async.session.policy import RetryPolicy
from voxloud_async.testing import answer

if TYPE_CHECKING:
    from voxloud_async.protocol.operations import Operation
    from voxloud_async.wire.message import Request, Response

TOLERANCE = 0.05
STATUSES = (200, 200, 404, 429, 500, 502, 503)


@define
class Stormy:
    """Answers late, with anything, or not at all; an exchange ends when its timeout does."""

    chance: random.Random
    timeouts: list[float] = field(factory=list)
    requests: int = 0

    async def send(self, _request: Request, *, timeout: float) -> Response:  # noqa: ASYNC109 - the contract
        self.requests += 1
        self.timeouts.append(timeout)
        seconds = self.chance.choice([0.01, 0.5, 4.0, 60.0])
        await asyncio.sleep(min(seconds, timeout))
        fault = self.chance.random()
        if seconds >= timeout or fault < 0.1:
            raise ResponseLostError("too late", phase=self.chance.choice(["send", "headers", "body"]))
        if fault < 0.2:
            raise RequestNotSentError("refused")
        status = self.chance.choice(STATUSES)
        if status == 200:
            return OK
        return answer(status=status, headers=self.chance.choice([{}, {"Retry-After": "2"}, {"Retry-After": "90"}]))

    async def aclose(self) -> None: ...


async def timed(made: Rig, operation: Operation[Any], max_wait: float) -> tuple[object, float]:
    """What a call comes to, and after how many seconds."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    try:
        result: object = await made.call(operation, max_wait=max_wait, retry=RetryPolicy(base=1.0, max_faults=9))
    except VoxloudError as error:
        result = error
    return result, loop.time() - started


@pytest.mark.parametrize("seed", range(40))
def test_t18_no_call_ends_late(seed: int) -> None:
    async def main() -> None:
        chance = random.Random(seed)
        wire = Stormy(chance)
        made = rig(wire, rate=chance.choice([2.0, 20.0]), concurrency=2, chance=chance.random)
        bounds = [chance.choice([0.2, 1.0, 5.0, 20.0]) for _ in range(30)]
        calls = [timed(made, chance.choice([*EVERY, UPDATE, DELETE]), bound) for bound in bounds]
        ends = await asyncio.gather(*calls)
        for bound, (result, seconds) in zip(bounds, ends, strict=True):
            assert seconds <= bound + TOLERANCE
            if isinstance(result, DeadlineExceededError):
                assert result.max_wait == bound
                assert result.sent is not None
                in_time = result.phase in {"limit", "backoff"}  # known beforehand, else only when time is up
                assert in_time or seconds == pytest.approx(bound, abs=TOLERANCE)
        assert max(wire.timeouts) <= max(bounds)
        assert sum(result.attempts for result, _ in ends if isinstance(result, VoxloudError)) <= wire.requests
        assert idle(made.limiter)

    run_virtual(main())


@pytest.mark.parametrize("seconds", [0.3, 0.9, 1.7])
def test_each_attempt_gets_what_is_left(seconds: float) -> None:
    class Slow(Stormy):
        async def send(self, request: Request, *, timeout: float) -> Response:  # noqa: ARG002, ASYNC109 - the contract
            self.timeouts.append(timeout)
            sent_at.append(asyncio.get_running_loop().time())
            await asyncio.sleep(min(seconds, timeout))
            raise ResponseLostError("reset")

    sent_at: list[float] = []

    async def main() -> None:
        wire = Slow(random.Random(0))
        made = rig(wire)
        with pytest.raises(DeadlineExceededError) as caught:
            await made.call(READ, max_wait=5.0, retry=RetryPolicy(base=0.5, cap=0.5, max_faults=99))
        assert wire.timeouts == pytest.approx([5.0 - (at - sent_at[0]) for at in sent_at])
        assert caught.value.attempts == len(wire.timeouts) > 2

    run_virtual(main())
