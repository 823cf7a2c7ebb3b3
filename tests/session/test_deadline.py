"""`max_wait`: in every phase it ends a call when it must, and at once where it is clear beforehand."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.session.harness import CREATE, OK, READ, Rig, Wire, idle, rig
from tests.virtual_time import run_virtual
from voxloud_async.errors import (
    DeadlineExceededError,
    OutcomeUnknownError,
    RateLimitedError,
    RequestNotSentError,
    ResponseLostError,
    ServerError,
    ServiceUnavailableError,
)
from voxloud_async.session.policy import RetryPolicy
from voxloud_async.testing import answer

if TYPE_CHECKING:
    from voxloud_async.protocol.operations import Operation
    from voxloud_async.wire.message import Request, Response


def deadline_of(
    made: Rig, max_wait: float, *, operation: Operation[Any] = READ, retry: RetryPolicy | None = None
) -> tuple[DeadlineExceededError, float]:
    """The error of a call and the seconds it took."""

    async def main() -> tuple[DeadlineExceededError, float]:
        started = asyncio.get_running_loop().time()
        with pytest.raises(DeadlineExceededError) as caught:
            await made.call(operation, max_wait=max_wait, retry=retry or RetryPolicy())
        await asyncio.sleep(0)
        assert idle(made.limiter)
        return caught.value, asyncio.get_running_loop().time() - started

    return run_virtual(main())


class Silent:
    """Gives the whole of its time to an exchange that ends in no answer."""

    def __init__(self, error: type[ResponseLostError | RequestNotSentError], **facts: str) -> None:
        self.error, self.facts = error, facts
        self.timeouts: list[float] = []

    async def send(self, _request: Request, *, timeout: float) -> Response:  # noqa: ASYNC109 - the contract
        self.timeouts.append(timeout)
        await asyncio.sleep(timeout)
        raise self.error("too late", **self.facts)  # type: ignore[arg-type] # phases

    async def aclose(self) -> None: ...


@pytest.mark.parametrize("phase", ["send", "headers", "body"])
def test_t18_in_the_exchange(phase: str) -> None:
    silent = Silent(ResponseLostError, phase=phase)
    error, seconds = deadline_of(rig(silent), 5.0)
    assert (error.phase, error.attempts, error.sent, error.max_wait) == (phase, 1, True, 5.0)
    assert isinstance(error.__cause__, ResponseLostError)
    assert silent.timeouts == [5.0]
    assert seconds == pytest.approx(5.0)


def test_t18_while_connecting() -> None:
    error, seconds = deadline_of(rig(Silent(RequestNotSentError)), 5.0)
    assert (error.phase, error.attempts, error.sent) == ("connect", 1, False)
    assert isinstance(error.__cause__, RequestNotSentError)
    assert seconds == pytest.approx(5.0)


def test_t18_in_the_second_exchange_the_timeout_is_what_is_left() -> None:
    silent = Silent(ResponseLostError, phase="headers")
    error, seconds = deadline_of(rig(silent), 50.0, retry=RetryPolicy(base=1.0))
    assert silent.timeouts == pytest.approx([20.0, 20.0, 7.0])
    assert (error.phase, error.attempts) == ("headers", 3)
    assert seconds == pytest.approx(50.0)


def test_t18_in_the_backoff_it_ends_before_the_wait() -> None:
    wire = Wire(answer(status=500))
    error, seconds = deadline_of(rig(wire), 4.0, retry=RetryPolicy(base=1.0))
    assert (error.phase, error.attempts, error.sent) == ("backoff", 3, True)
    assert isinstance(error.__cause__, ServerError)
    assert len(wire.requests) == 3
    assert seconds == pytest.approx(3.0)


def test_t18_after_an_exchange_that_left_time_it_is_the_backoff() -> None:
    error, seconds = deadline_of(rig(Wire(ResponseLostError("reset"), seconds=1.0)), 4.0, retry=RetryPolicy(base=5.0))
    assert (error.phase, error.attempts) == ("backoff", 1)
    assert isinstance(error.__cause__, ResponseLostError)
    assert seconds == pytest.approx(1.0)


def test_t18_at_the_shut_gate() -> None:
    wire = Wire(answer(status=503))
    error, seconds = deadline_of(rig(wire), 10.0)
    assert (error.phase, error.sent) == ("limit", True)
    assert isinstance(error.__cause__, ServiceUnavailableError)
    assert error.attempts == len(wire.requests) > 2
    assert 5.0 < seconds <= 10.0
    assert error.retry_after is None  # the service did not say
    assert error.wait is not None
    assert error.wait + seconds > 10.0


def test_t18_in_the_queue() -> None:
    async def main() -> None:
        made = rig(Wire(seconds=30.0), concurrency=1)
        first = asyncio.create_task(made.call(READ))
        await asyncio.sleep(0)
        started = asyncio.get_running_loop().time()
        with pytest.raises(DeadlineExceededError) as caught:
            await made.call(READ, max_wait=2.0)
        assert asyncio.get_running_loop().time() - started == pytest.approx(2.0)
        error = caught.value
        assert (error.phase, error.attempts, error.sent, error.retry_after) == ("limit", 0, False, None)
        assert await first == "ok"
        assert idle(made.limiter)

    run_virtual(main())


@pytest.mark.parametrize("status", [429, 503])
def test_a_retry_after_beyond_the_deadline_raises_at_once(status: int) -> None:
    wire = Wire(answer(status=status, headers={"Retry-After": "60"}), OK)
    error, seconds = deadline_of(rig(wire), 10.0)
    assert (error.phase, error.attempts, seconds, len(wire.requests)) == ("limit", 1, 0.0, 1)
    assert error.retry_after == pytest.approx(60.0)
    assert isinstance(error.__cause__, RateLimitedError | ServiceUnavailableError)
    assert error.__cause__.retry_after == 60.0


def test_a_retry_after_beyond_the_deadline_and_the_longest_pause_raises_at_once() -> None:
    wire = Wire(answer(status=503, headers={"Retry-After": "3600"}), OK)
    error, seconds = deadline_of(rig(wire), 600.0)
    assert (error.phase, error.attempts, seconds, len(wire.requests)) == ("limit", 1, 0.0, 1)
    assert (error.retry_after, error.wait) == (3600.0, 3600.0)


def test_max_wait_takes_the_place_of_patience() -> None:
    wire = Wire(answer(status=503))
    _, seconds = deadline_of(rig(wire), 500.0, retry=RetryPolicy(patience=1.0))
    assert 490.0 < seconds <= 500.0


def test_a_create_whose_time_is_up_may_have_happened() -> None:
    async def main() -> None:
        with pytest.raises(OutcomeUnknownError) as caught:
            await rig(Silent(ResponseLostError, phase="headers")).call(CREATE, max_wait=1.0)
        assert caught.value.attempts == 1

    run_virtual(main())


def test_a_create_that_was_never_sent_has_not() -> None:
    error, _ = deadline_of(rig(Silent(RequestNotSentError)), 1.0, operation=CREATE)
    assert (error.attempts, error.sent) == (1, False)


def test_max_attempts_does_not_hide_the_deadline() -> None:
    error, _ = deadline_of(rig(Silent(ResponseLostError)), 1.0, retry=RetryPolicy(max_attempts=1))
    assert error.phase == "headers"


def test_the_error_says_how_long_was_not_enough() -> None:
    error, _ = deadline_of(rig(Wire(answer(status=500))), 0.05)
    assert str(error) == "max_wait of 0.05 s does not suffice (backoff) | GET /read | voxloud.test"
