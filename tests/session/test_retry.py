"""How often a call goes on the wire, when, and what its caller sees."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from tests.session.harness import (
    CREATE,
    DELETE,
    EVERY,
    OK,
    ONCE,
    READ,
    REPEATABLE,
    REPLACE,
    RING,
    Rig,
    Wire,
    a_call,
    idle,
    result,
    rig,
)
from tests.virtual_time import run_virtual
from voxloud_async.errors import (
    BadRequestError,
    DecodeError,
    NotFoundError,
    OutcomeUnknownError,
    RateLimitedError,
    RequestNotSentError,
    ResponseLostError,
    ServerError,
    ServiceUnavailableError,
    VoxloudError,
)
from voxloud_async.session import retry as retry_module
from voxloud_async.session.budget import PRICE, RetryBudget
from voxloud_async.session.events import CallEnded, Retrying
from voxloud_async.session.policy import RetryPolicy
from voxloud_async.session.retry import retry
from voxloud_async.testing import FakeClock, answer

if TYPE_CHECKING:
    from tests.session.harness import Reply
    from voxloud_async.protocol.operations import Operation
    from voxloud_async.session.call import Call
    from voxloud_async.wire.message import Response

LOST = ResponseLostError("reset")
NOT_SENT = RequestNotSentError("refused")


def outcome_of(wire: Wire, operation: Operation[Any], **options: Any) -> Any:
    async def main() -> Any:
        made = rig(wire)
        try:
            return await made.call(operation, **options)
        except VoxloudError as error:
            return error
        finally:
            assert idle(made.limiter)

    return run_virtual(main())


@pytest.mark.parametrize("operation", EVERY, ids=str)
def test_a_call_that_succeeds_never_enters_tenacity(monkeypatch: pytest.MonkeyPatch, operation: Operation[Any]) -> None:
    monkeypatch.setattr(retry_module, "AsyncRetrying", None)
    wire = Wire()
    assert outcome_of(wire, operation) == result(operation)
    assert len(wire.requests) == 1


@pytest.mark.parametrize("operation", REPEATABLE, ids=str)
@pytest.mark.parametrize("status", [500, 502, 504])
def test_faults_are_bounded_by_max_faults(operation: Operation[Any], status: int) -> None:
    wire = Wire(answer(status=status))
    error = outcome_of(wire, operation)
    assert isinstance(error, ServerError)
    assert (error.status, error.attempts, len(wire.requests), error.operation) == (status, 4, 4, str(operation))


@pytest.mark.parametrize("operation", REPEATABLE, ids=str)
@pytest.mark.parametrize("error", [LOST, NOT_SENT], ids=["lost", "not sent"])
@pytest.mark.parametrize("max_faults", [1, 2, 5])
def test_max_faults_counts_the_first(operation: Operation[Any], error: VoxloudError, max_faults: int) -> None:
    wire = Wire(error)
    assert outcome_of(wire, operation, retry=RetryPolicy(max_faults=max_faults)) is error
    assert (error.attempts, len(wire.requests)) == (max_faults, max_faults)


@pytest.mark.parametrize(
    ("operation", "refusals"),
    # a ring that is refused for longer than a few seconds is a late one: see test_edges.py
    [(operation, refusals) for operation in EVERY for refusals in (1, 3, 12) if (operation, refusals) != (RING, 12)],
    ids=str,
)
def test_a_429_is_not_counted_as_a_fault(operation: Operation[Any], refusals: int) -> None:
    wire = Wire(*[answer(status=429)] * refusals, OK)
    assert outcome_of(wire, operation) == result(operation)
    assert len(wire.requests) == refusals + 1


@pytest.mark.parametrize("operation", REPEATABLE, ids=str)
def test_a_maintenance_is_waited_out(operation: Operation[Any]) -> None:
    wire = Wire(*[answer(status=503)] * 20, OK)
    assert outcome_of(wire, operation) == result(operation)
    assert len(wire.requests) == 21


@pytest.mark.parametrize("operation", EVERY, ids=str)
@pytest.mark.parametrize("attempts", [1, 2, 7])
def test_max_attempts_bounds_refusals_too(operation: Operation[Any], attempts: int) -> None:
    wire = Wire(answer(status=429))
    error = outcome_of(wire, operation, retry=RetryPolicy(max_attempts=attempts))
    assert isinstance(error, RateLimitedError)
    assert (error.attempts, len(wire.requests)) == (attempts, attempts)


def test_max_attempts_stands_above_max_faults_and_patience() -> None:
    wire = Wire(answer(status=500))
    policy = RetryPolicy(max_attempts=5, max_faults=2, patience=0.0)
    assert isinstance(outcome_of(wire, READ, retry=policy), ServerError)
    assert len(wire.requests) == 5


@pytest.mark.parametrize("operation", ONCE, ids=str)
@pytest.mark.parametrize(
    "fault",
    [LOST, *(answer(status=status) for status in (500, 502, 503, 504))],
    ids=["lost", "500", "502", "503", "504"],
)
def test_g11_what_may_have_happened_is_never_sent_again(operation: Operation[Any], fault: Reply) -> None:
    wire = Wire(fault, OK)
    error = outcome_of(wire, operation)
    assert isinstance(error, OutcomeUnknownError)
    assert (error.attempts, error.sent, error.operation) == (1, True, str(operation))
    assert error.__cause__ is LOST if fault is LOST else isinstance(error.__cause__, ServerError)
    assert len(wire.requests) == 1


@pytest.mark.parametrize("operation", ONCE, ids=str)
@pytest.mark.parametrize("first", [NOT_SENT, answer(status=429)], ids=["not sent", "429"])
def test_k9_what_never_happened_is_sent_again_until_it_may_have(operation: Operation[Any], first: Reply) -> None:
    wire = Wire(first, first, LOST, OK)
    error = outcome_of(wire, operation)
    assert isinstance(error, OutcomeUnknownError)
    assert (error.attempts, len(wire.requests)) == (3, 3)


@pytest.mark.parametrize("operation", ONCE, ids=str)
def test_a_create_whose_answer_does_not_read_has_most_likely_happened(operation: Operation[Any]) -> None:
    wire = Wire(answer(b"<html>"))
    error = outcome_of(wire, evolve(operation, result=dict))
    assert isinstance(error, OutcomeUnknownError)
    assert (error.attempts, len(wire.requests)) == (1, 1)


@pytest.mark.parametrize("operation", [READ, REPLACE], ids=str)
def test_t7_an_answer_that_does_not_read_is_not_asked_for_again(operation: Operation[Any]) -> None:
    wire = Wire(answer(b"<html>"), OK)
    error = outcome_of(wire, evolve(operation, result=dict))
    assert isinstance(error, DecodeError)
    assert (error.attempts, len(wire.requests)) == (1, 1)


@pytest.mark.parametrize("operation", EVERY, ids=str)
@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 405, 406])
def test_an_answer_is_an_answer(operation: Operation[Any], status: int) -> None:
    wire = Wire(answer(status=status), OK)
    error = outcome_of(wire, operation)
    assert isinstance(error, VoxloudError)
    assert (getattr(error, "status", None), error.attempts, len(wire.requests)) == (status, 1, 1)


@pytest.mark.parametrize("first", [LOST, answer(status=500), answer(status=503)], ids=["lost", "500", "503"])
def test_a_404_to_a_repeated_delete_means_done(first: Reply) -> None:
    wire = Wire(first, answer(status=404))
    assert outcome_of(wire, DELETE) is None
    assert len(wire.requests) == 2


@pytest.mark.parametrize(
    "script", [[], [NOT_SENT], [answer(status=429)]], ids=["at once", "after one not sent", "after a 429"]
)
def test_a_404_to_a_delete_that_never_happened_is_not_found(script: list[Reply]) -> None:
    wire = Wire(*script, answer(status=404))
    assert isinstance(outcome_of(wire, DELETE), NotFoundError)


def test_a_404_to_a_repeated_read_is_not_found() -> None:
    error = outcome_of(Wire(LOST, answer(status=404)), READ)
    assert isinstance(error, NotFoundError)
    assert error.attempts == 2


def test_the_last_error_counts() -> None:
    wire = Wire(LOST, answer(status=500), answer(status=400))
    error = outcome_of(wire, READ)
    assert isinstance(error, BadRequestError)
    assert error.attempts == 3


def test_waits_between_faults_double() -> None:
    wire = Wire(answer(status=500))
    outcome_of(wire, READ, retry=RetryPolicy(base=1.0, cap=3.0, max_faults=5))
    assert [later - at for at, later in zip(wire.at, wire.at[1:], strict=False)] == pytest.approx([1, 2, 3, 3])


def test_retry_after_is_honoured() -> None:
    wire = Wire(answer(status=429, headers={"Retry-After": "7"}), OK)
    assert outcome_of(wire, READ) == "ok"
    assert 7.0 <= wire.at[1] - wire.at[0] < 7.1


def test_patience_bounds_refusals_in_a_row() -> None:
    wire = Wire(answer(status=503))
    error = outcome_of(wire, READ, retry=RetryPolicy(patience=60.0))
    assert isinstance(error, ServiceUnavailableError)
    assert 50.0 < wire.at[-1] - wire.at[0] <= 65.0


@pytest.mark.parametrize("status", [429, 503])
def test_a_retry_after_beyond_patience_is_raised_at_once(status: int) -> None:
    wire = Wire(answer(status=status, headers={"Retry-After": "301"}), OK)
    error = outcome_of(wire, READ)
    assert isinstance(error, VoxloudError)
    assert (error.retry_after, error.attempts, len(wire.requests)) == (301.0, 1, 1)


def test_events_tell_of_every_repetition() -> None:
    async def main() -> Rig:
        made = rig(Wire(answer(status=500), LOST, OK))
        await made.call(READ, retry=RetryPolicy(base=1.0))
        return made

    made = run_virtual(main())
    assert made.seen(Retrying) == [
        Retrying("GET /read", 1, 1.0, "ServerError"),
        Retrying("GET /read", 2, 2.0, "ResponseLostError"),
    ]
    (ended,) = made.seen(CallEnded)
    assert (ended.attempts, ended.seconds, ended.error) == (3, pytest.approx(3.0), None)


async def test_sleeps_go_through_the_clock() -> None:
    clock = FakeClock()
    made = rig(Wire(answer(status=500), LOST, OK), clock=clock, chance=lambda: 0.5)
    await made.call(READ, retry=RetryPolicy(base=4.0))
    assert clock.slept == [2.0, 2.5]


def test_t26_64_concurrent_calls_each_count_their_own_attempts() -> None:
    class ByCall:
        """Fails call n before its success n % 4 times."""

        def __init__(self) -> None:
            self.left = {str(n): n % 4 for n in range(64)}
            self.seen: dict[str, int] = dict.fromkeys(self.left, 0)

        async def __call__(self, call: Call) -> Response:
            n = call.request.url.rpartition("/")[2]
            call.attempts += 1
            self.seen[n] += 1
            await asyncio.sleep(0.01)
            if self.left[n]:
                self.left[n] -= 1
                raise ResponseLostError("reset")
            return answer(n)

    async def main() -> None:
        handler, clock = ByCall(), FakeClock()
        send = retry(handler, clock=clock, chance=lambda: 0.5, notify=lambda _: None, budget=RetryBudget(96 * PRICE))
        calls = [a_call() for _ in range(64)]
        for n, call in enumerate(calls):
            call.request = type(call.request)(method="GET", url=f"https://voxloud.test/{n}")
        await asyncio.gather(*(send(call) for call in calls))
        assert [call.attempts for call in calls] == [n % 4 + 1 for n in range(64)]
        assert list(handler.seen.values()) == [n % 4 + 1 for n in range(64)]

    run_virtual(main())


@pytest.mark.parametrize("error", [asyncio.CancelledError(), KeyError("a bug"), KeyboardInterrupt()], ids=repr)
@pytest.mark.parametrize("attempt", [1, 2])
def test_t26_only_our_own_errors_are_repeated(error: BaseException, attempt: int) -> None:
    attempts = 0

    async def handler(call: Call) -> Response:
        nonlocal attempts
        attempts += 1
        call.attempts += 1
        raise error if attempts == attempt else ResponseLostError("reset")

    async def main() -> None:
        send = retry(handler, clock=FakeClock(), chance=lambda: 0.0, notify=lambda _: None, budget=RetryBudget())
        await send(a_call())

    def run() -> None:
        coroutine = main()
        while True:  # by hand: a loop has its own way with a KeyboardInterrupt
            coroutine.send(None)

    with pytest.raises(type(error)) as caught:
        run()
    assert caught.value is error
    assert attempts == attempt


def test_creates_and_rings_are_told_apart_by_nothing() -> None:
    assert {CREATE.safety.repeatable, RING.safety.repeatable} == {False}
