"""The safety table of design.md, and the arithmetic of waiting."""

from __future__ import annotations

import random
from typing import Any

import pytest

from voxloud_async.errors import (
    ClientClosedError,
    DeadlineExceededError,
    DecodeError,
    OutcomeUnknownError,
    ProtocolError,
    RequestNotSentError,
    ResponseLostError,
    ResponseTooLargeError,
    UsageError,
    VoxloudError,
    api_error,
)
from voxloud_async.protocol.operations import Safety
from voxloud_async.session.policy import RetryPolicy, may_repeat, refused, verdict

AGAIN, NEVER, UNKNOWN = "again", "never", "unknown"
"""Sent again; raised as it is; raised as OutcomeUnknownError."""

TABLE: list[tuple[VoxloudError, str, str]] = [
    # the error, what follows for read, replace and delete, and for create and ring
    (RequestNotSentError("refused"), AGAIN, AGAIN),
    (RequestNotSentError("bad certificate", retryable=False), NEVER, NEVER),
    (api_error(429), AGAIN, AGAIN),
    *((api_error(status), AGAIN, UNKNOWN) for status in (500, 501, 502, 503, 504, 599)),
    (ResponseLostError("reset"), AGAIN, UNKNOWN),
    (ProtocolError("not HTTP"), AGAIN, UNKNOWN),
    (ResponseTooLargeError(limit=1), NEVER, UNKNOWN),
    (DecodeError("no JSON"), NEVER, UNKNOWN),
    *((api_error(status), NEVER, NEVER) for status in (301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 406, 409)),
    (DeadlineExceededError(phase="limit", max_wait=1.0), NEVER, NEVER),
    (ClientClosedError(), NEVER, NEVER),
    (UsageError(), NEVER, NEVER),
]


@pytest.mark.parametrize("safety", Safety)
@pytest.mark.parametrize(
    ("error", "repeatable", "once"), TABLE, ids=[f"{type(e).__name__}-{getattr(e, 'status', '')}" for e, _, _ in TABLE]
)
def test_the_safety_table(safety: Safety, error: VoxloudError, repeatable: str, once: str) -> None:
    expected = repeatable if safety in (Safety.READ, Safety.REPLACE, Safety.DELETE) else once
    assert may_repeat(safety, error) is (expected == AGAIN)
    outcome = verdict(safety, error)
    if expected == UNKNOWN:
        assert isinstance(outcome, OutcomeUnknownError)
        assert (outcome.__cause__, outcome.sent) == (error, True)
    else:
        assert outcome is error


def test_refusals_are_429_and_503_alone() -> None:
    assert [status for status in (400, 404, 429, 500, 502, 503, 504) if refused(api_error(status))] == [429, 503]
    assert not refused(ResponseLostError("reset"))


def test_an_unknown_outcome_keeps_the_facts() -> None:
    error = api_error(503, "down", retry_after=7.0, operation="POST /contacts")
    error.attempts = 3
    outcome = verdict(Safety.CREATE, error)
    assert (outcome.operation, outcome.attempts, str(outcome.__cause__)[:3]) == ("POST /contacts", 3, "503")


def test_the_bound_doubles_up_to_the_cap() -> None:
    policy = RetryPolicy(base=0.1, cap=5.0)
    assert [policy.backoff(faults, 1.0) for faults in range(1, 9)] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    assert policy.backoff(1_000_000, 1.0) == 5.0
    assert policy.backoff(1_000_000, 0.0) == 0.0


def test_t28_jitter_is_uniform() -> None:
    chance, policy = random.Random(28), RetryPolicy(base=1.0, cap=1.0)
    waits = [policy.backoff(1, chance.random()) for _ in range(10_000)]
    bins = [sum(low / 5 <= wait < (low + 1) / 5 for wait in waits) for low in range(5)]
    assert sum(bins) == 10_000
    assert all(1850 <= count <= 2150 for count in bins), bins  # 2,000 each, within 3.75 standard deviations


@pytest.mark.parametrize(
    "bad",
    [
        {"max_attempts": 0},
        {"max_attempts": 1.5},
        {"max_attempts": "3"},
        {"max_faults": 0},
        {"max_faults": None},
        {"max_faults": 2.0},
        {"patience": -1},
        {"patience": float("nan")},
        {"base": -0.1},
        {"cap": -0.1},
        {"cap": "5"},
    ],
)
def test_a_bad_policy_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        RetryPolicy(**bad)


def test_a_policy_takes_keywords_alone_and_does_not_change() -> None:
    with pytest.raises(TypeError):
        RetryPolicy(3)  # type: ignore[call-arg] # what is tested
    policy = RetryPolicy(max_attempts=3, patience=float("inf"))
    with pytest.raises(AttributeError):
        policy.max_attempts = 4  # type: ignore[misc] # what is tested
    assert (RetryPolicy(max_attempts=1).max_attempts, RetryPolicy().max_attempts) == (1, None)
