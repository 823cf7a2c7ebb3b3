"""What attempts tell the limiter, and that the limiter gets every permit back."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest

from tests.session.harness import CREATE, EVERY, KEY, OK, READ, Wire, idle, rig
from tests.virtual_time import run_virtual
from voxloud_async._ratelimit.permit import Outcome
from voxloud_async.errors import (
    ClientClosedError,
    ProtocolError,
    RequestNotSentError,
    ResponseLostError,
    ResponseTooLargeError,
    UsageError,
    VoxloudError,
    api_error,
)
from voxloud_async.session.events import Outage, Paused, Waited
from voxloud_async.session.limit import outcome
from voxloud_async.session.policy import RetryPolicy
from voxloud_async.testing import ScriptExhaustedError, answer

ONCE = RetryPolicy(max_attempts=1)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (api_error(429), Outcome.REFUSED),
        *((api_error(status), Outcome.DOWN) for status in (502, 503, 504)),
        (RequestNotSentError("refused"), Outcome.DOWN),
        (ResponseLostError("reset"), Outcome.LOST),
        (ProtocolError("not HTTP"), Outcome.LOST),
        *((api_error(status), Outcome.ANSWERED) for status in (302, 400, 401, 403, 404, 405, 406, 409, 501)),
        (api_error(500), Outcome.FAILED),
        (ResponseTooLargeError(limit=1), Outcome.ANSWERED),
        (RequestNotSentError("bad certificate", retryable=False), None),
        (ClientClosedError(), None),
        (UsageError(), None),
    ],
    ids=lambda value: f"{type(value).__name__}{getattr(value, 'status', '')}",
)
def test_what_an_error_tells_of_the_service(error: VoxloudError, expected: Outcome | None) -> None:
    assert outcome(error) is expected


def test_g10_one_429_pauses_every_call_of_the_session() -> None:
    async def main() -> None:
        wire = Wire(answer(status=429, headers={"Retry-After": "4"}), OK)
        made, started = rig(wire), asyncio.get_running_loop().time()
        results = await asyncio.gather(made.call(READ), *(_after(0.1, made.call(each)) for each in EVERY))
        assert results == ["ok", "ok", "ok", None, "ok", "ok"]
        assert len(wire.requests) == 1 + 6
        assert all(at - started >= 4.0 for at in wire.at[1:])
        assert made.seen(Paused) == [Paused(4.0, "RateLimitedError")]
        assert sorted(waited.seconds for waited in made.seen(Waited)) == pytest.approx([3.9] * 5 + [4.0], abs=1e-3)

    run_virtual(main())


async def _after(seconds: float, call: asyncio.Future[object] | object) -> object:
    await asyncio.sleep(seconds)
    return await call  # type: ignore[misc] # a coroutine


def test_a_refused_call_goes_before_those_that_were_never_sent() -> None:
    async def main() -> None:
        wire = Wire(answer(status=429), OK)
        made = rig(wire, rate=1.0)
        tasks = [asyncio.create_task(made.session.call(READ, query={"n": str(n)})) for n in range(3)]
        await asyncio.gather(*tasks)
        assert [request.url[-1] for request in wire.requests] == ["0", "0", "1", "2"]

    run_virtual(main())


def test_a_bad_certificate_fails_every_call_at_once() -> None:
    async def main() -> None:
        made = rig(Wire(RequestNotSentError("bad certificate", retryable=False)))
        started = asyncio.get_running_loop().time()
        results = await asyncio.gather(*(made.call(READ) for _ in range(200)), return_exceptions=True)
        assert {type(result) for result in results} == {RequestNotSentError}
        assert asyncio.get_running_loop().time() == started
        assert made.seen(Paused) == []

    run_virtual(main())


def test_answers_of_a_service_that_is_alive_pause_nobody() -> None:
    async def main() -> None:
        made = rig(Wire(answer(status=404)))
        for _ in range(20):
            with pytest.raises(VoxloudError):
                await made.call(READ)
        assert made.seen(Paused) == made.seen(Waited) == []

    run_virtual(main())


def test_lost_answers_in_a_row_pause_everybody() -> None:
    async def main() -> None:
        made = rig(Wire(*[ResponseLostError("reset")] * 3, OK))
        assert await made.call(READ, retry=RetryPolicy(base=0.0)) == "ok"
        (paused,) = made.seen(Paused)
        assert paused.error == "ResponseLostError"
        (waited,) = made.seen(Waited)
        assert waited.seconds == pytest.approx(paused.seconds, abs=1e-3)

    run_virtual(main())


def test_500s_in_a_row_pause_everybody() -> None:
    async def main() -> None:
        made = rig(Wire(*[answer(status=500)] * 5, OK), concurrency=1)
        ends = await asyncio.gather(*(made.call(READ, retry=ONCE) for _ in range(7)), return_exceptions=True)
        assert [getattr(end, "status", end) for end in ends] == [500] * 5 + ["ok"] * 2
        (paused,) = made.seen(Paused)
        assert paused.error == "ServerError"
        assert idle(made.limiter)

    run_virtual(main())


@pytest.mark.parametrize("bound", ["timeout", "max_wait"])
@pytest.mark.parametrize(
    "error", [RequestNotSentError("no connection within"), ResponseLostError("not complete")], ids=repr
)
def test_who_gives_up_early_has_learned_nothing_of_the_service(error: VoxloudError, bound: str) -> None:
    async def main() -> None:
        wire = Wire(error, seconds=0.3)
        made = rig(wire)
        for _ in range(4):
            with pytest.raises(VoxloudError):
                await made.call(READ, retry=ONCE, **{bound: 0.3})
        assert made.seen(Paused) == made.seen(Waited) == []
        assert len(wire.requests) == 4
        assert idle(made.limiter)

    run_virtual(main())


@pytest.mark.parametrize(("seconds", "timeout"), [(6.0, 6.0), (0.1, 0.3)], ids=["after a while", "before the time"])
def test_a_connection_that_was_waited_for_or_refused_pauses_everybody(seconds: float, timeout: float) -> None:
    async def main() -> None:
        made = rig(Wire(RequestNotSentError("no connection"), OK, seconds=seconds))
        with pytest.raises(RequestNotSentError):
            await made.call(READ, retry=ONCE, timeout=timeout)
        assert len(made.seen(Paused)) == 1

    run_virtual(main())


@pytest.mark.parametrize("error", [ScriptExhaustedError("a bug"), KeyError("a bug"), ValueError("a bug")], ids=repr)
async def test_a_bug_below_gives_the_permit_back(error: Exception) -> None:
    made = rig(Wire(error, OK), concurrency=1)
    with pytest.raises(type(error)):
        await made.call(CREATE)
    assert idle(made.limiter)
    assert await made.call(CREATE) == "ok"


async def test_every_outcome_gives_the_permit_back() -> None:
    for reply in (OK, answer(status=404), answer(status=500), ResponseLostError("reset"), ClientClosedError()):
        made = rig(Wire(reply), concurrency=1)
        await asyncio.gather(made.call(CREATE), return_exceptions=True)
        assert idle(made.limiter)


def test_ten_thousand_calls_at_once_are_never_more_than_the_bound() -> None:
    async def main() -> None:
        wire = Wire(seconds=0.5)
        made = rig(wire, concurrency=64)
        assert await asyncio.gather(*(made.call(READ) for _ in range(10_000))) == ["ok"] * 10_000
        assert wire.most == 64
        assert len(wire.requests) == 10_000

    run_virtual(main())


def test_a_fixed_rate_paces_calls() -> None:
    async def main() -> None:
        wire = Wire(seconds=0.2)
        made, started = rig(wire, rate=4.0), asyncio.get_running_loop().time()
        await asyncio.gather(*(made.call(READ) for _ in range(24)))
        expected = [0.0] * 4 + [n / 4 for n in range(1, 21)]
        assert [at - started for at in wire.at] == pytest.approx(expected, abs=1e-3)

    run_virtual(main())


def test_every_attempt_pays() -> None:
    async def main() -> None:
        wire = Wire(*[answer(status=500)] * 3, OK)
        await rig(wire, rate=0.1).call(READ, retry=RetryPolicy(base=0.0))
        assert [later - at for at, later in zip(wire.at, wire.at[1:], strict=False)] == pytest.approx(
            [10.0] * 3, abs=1e-3
        )

    run_virtual(main())


def test_a_call_that_need_not_wait_tells_of_no_wait() -> None:
    async def main() -> None:
        made = rig(Wire(), rate=math.inf)
        await made.call(READ, retry=ONCE)
        assert made.seen(Waited) == []
        assert KEY not in repr(made.session)

    run_virtual(main())


# An outage is announced once


def outages(wire: Wire, calls: int = 5, **options: Any) -> list[Outage]:
    async def main() -> list[Outage]:
        made = rig(wire)
        await asyncio.gather(*(made.call(READ, **options) for _ in range(calls)), return_exceptions=True)
        await asyncio.sleep(10.0)
        return made.seen(Outage)

    return run_virtual(main())


def test_l5_an_outage_is_announced_once_and_says_how_long_calls_wait() -> None:
    assert outages(Wire(answer(status=503))) == [Outage(5.0, "ServiceUnavailableError", None, 300.0)]


def test_l5_it_says_the_bound_of_the_call() -> None:
    assert outages(Wire(answer(status=429)), max_wait=60.0) == [Outage(5.0, "RateLimitedError", None, 60.0)]


def test_l5_a_pause_of_less_than_five_seconds_is_no_outage() -> None:
    assert outages(Wire(answer(status=429, headers={"Retry-After": "4"}), OK)) == []


def test_l5_a_second_outage_is_announced_again() -> None:
    async def main() -> list[Outage]:
        wire = Wire(answer(status=503, headers={"Retry-After": "8"}), OK)
        made = rig(wire)
        await made.call(READ)
        wire.play(answer(status=503, headers={"Retry-After": "8"}), OK)
        await made.call(READ)
        return made.seen(Outage)

    assert len(run_virtual(main())) == 2
