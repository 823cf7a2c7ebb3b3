"""When a failed call goes again and after how long: the decision by itself, as a table."""

from __future__ import annotations

from typing import Any

import pytest

from voxloud_async.errors import (
    NotFoundError,
    RateLimitedError,
    RequestNotSentError,
    ResponseLostError,
    ResponseTooLargeError,
    ServerError,
    ServiceUnavailableError,
    VoxloudError,
)
from voxloud_async.protocol.operations import Safety
from voxloud_async.session.policy import Met, RetryPolicy, Stop, decide

LOST = ResponseLostError("reset")
UNSENT = RequestNotSentError("refused")
BROKEN = ServerError(500)
DOWN = ServiceUnavailableError(503)
SLOW_DOWN = RateLimitedError(429)
LATER = RateLimitedError(429, retry_after=60.0)
RING, READ, CREATE = Safety.RING, Safety.READ, Safety.CREATE


def decision(
    error: VoxloudError, *before: VoxloudError, safety: Safety = READ, remaining: float | None = None, **policy: Any
) -> float | Stop:
    """After errors at the seconds 0, 100, 200 and so on, the last of which is given first."""
    met = Met()
    now = 0.0
    for number, each in enumerate([*before, error]):
        now = 100.0 * number
        met.add(each, now)
    policy = {"base": 1.0, "cap": 3.0} | policy
    attempts = len(before) + 1
    return decide(
        safety, RetryPolicy(**policy), error, met, attempts=attempts, now=now, remaining=remaining, chance=0.5
    )


@pytest.mark.parametrize(
    ("given", "wait"),
    [
        ((LOST,), 0.5),
        ((BROKEN, LOST), 1.0),
        ((UNSENT, BROKEN, LOST), 1.5),
        ((LOST, SLOW_DOWN, DOWN), 0.5),  # only faults count
        ((SLOW_DOWN, LOST), 0.0),  # a refused call waits at the gate
        ((DOWN,), 0.0),
        ((LATER,), 0.0),
    ],
    ids=repr,
)
def test_it_goes_again(given: tuple[VoxloudError, ...], wait: float) -> None:
    assert decision(*given) == wait


@pytest.mark.parametrize("error", [NotFoundError(404), ResponseTooLargeError(limit=1), VoxloudError("other")], ids=repr)
@pytest.mark.parametrize("safety", Safety)
def test_some_errors_are_never_repeated(error: VoxloudError, safety: Safety) -> None:
    assert decision(error, safety=safety) is Stop.FORBIDDEN


@pytest.mark.parametrize("safety", [CREATE, RING])
@pytest.mark.parametrize("error", [LOST, BROKEN, DOWN], ids=repr)
def test_what_may_have_happened_is_never_repeated(error: VoxloudError, safety: Safety) -> None:
    assert decision(error, safety=safety, remaining=0.0) is Stop.FORBIDDEN


def test_a_late_ring_is_a_wrong_ring() -> None:
    assert decision(SLOW_DOWN, SLOW_DOWN, safety=RING) is Stop.FORBIDDEN  # a hundred seconds after the first refusal
    assert decision(UNSENT, SLOW_DOWN, safety=RING) is Stop.FORBIDDEN
    assert decision(LATER, safety=RING) is Stop.FORBIDDEN
    assert decision(RateLimitedError(429, retry_after=5.0), safety=RING) == 0.0


@pytest.mark.parametrize(
    ("given", "policy"),
    [
        ((LOST, BROKEN, UNSENT, LOST), {}),
        ((LOST,), {"max_faults": 1}),
        ((SLOW_DOWN, SLOW_DOWN), {"patience": 99.0}),
        ((LATER,), {"patience": 59.0}),
        ((LOST,), {"max_attempts": 1}),
        ((SLOW_DOWN, DOWN), {"max_attempts": 2}),
    ],
    ids=repr,
)
def test_the_policy_is_spent(given: tuple[VoxloudError, ...], policy: dict[str, Any]) -> None:
    assert decision(*given, **policy) is Stop.SPENT


@pytest.mark.parametrize(
    ("given", "policy"),
    [
        ((SLOW_DOWN, SLOW_DOWN), {"patience": 100.0}),
        ((SLOW_DOWN, SLOW_DOWN), {"patience": 0.0, "remaining": 1.0}),  # `max_wait` takes the place of patience
        ((SLOW_DOWN, SLOW_DOWN), {"patience": 0.0, "max_attempts": 3}),  # and so do attempts
        ((SLOW_DOWN, LOST), {"max_faults": 1, "max_attempts": 3}),
    ],
    ids=repr,
)
def test_the_policy_allows_more(given: tuple[VoxloudError, ...], policy: dict[str, Any]) -> None:
    assert decision(*given, **policy) == 0.0


@pytest.mark.parametrize(
    ("error", "remaining", "outcome"),
    [
        (LOST, 0.51, 0.5),
        (LOST, 0.5, Stop.LATE),
        (SLOW_DOWN, 0.01, 0.0),
        (LATER, 60.0, Stop.LATE),
        (LATER, 60.1, 0.0),
        (SLOW_DOWN, 0.0, Stop.LATE),
        (LOST, -1.0, Stop.LATE),
    ],
)
def test_the_wait_must_end_before_the_deadline(error: VoxloudError, remaining: float, outcome: float | Stop) -> None:
    assert decision(error, remaining=remaining) == outcome


def test_a_deadline_that_passed_stands_above_a_policy_that_is_spent() -> None:
    assert decision(LOST, remaining=0.0, max_faults=1) is Stop.LATE
    assert decision(LOST, remaining=0.1, max_faults=1) is Stop.SPENT
