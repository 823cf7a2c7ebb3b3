"""When a call may be sent again, and after how long. Pure: the facts in, a decision out."""

from __future__ import annotations

import math
from enum import Enum

from attrs import Attribute, define, field, frozen, validators

from ..errors import (
    DecodeError,
    OutcomeUnknownError,
    RateLimitedError,
    RequestNotSentError,
    ResponseLostError,
    ResponseTooLargeError,
    ServerError,
    ServiceUnavailableError,
    VoxloudError,
)
from ..protocol import arguments
from ..protocol.operations import Safety


def _at_least_one(_: object, attribute: Attribute[int], value: int) -> None:
    arguments.number(attribute.name, value, 1)


def _seconds(_: object, attribute: Attribute[float], value: float) -> None:
    arguments.span(attribute.name, value, math.inf)


LATEST_RING = 5.0
"""Seconds after which nobody expects a phone to ring any more: one refused so long is its caller's matter."""


@frozen(kw_only=True)
class RetryPolicy:
    """How often and how patiently a call is sent again. What may be sent again at all is the operation's safety.

    `max_attempts` bounds the requests of one call whatever made them fail; 1 never sends again. By default (None)
    faults - not sent, a lost answer, any 5xx but 503 - are bounded by `max_faults`, while refusals - 429, 503 - are not
    counted: the shared gate spaces them, and `max_wait` or, without one, `patience` seconds bound them. A call not yet
    sent waits as long while nothing is answered, then it raises `RequestNotSentError`. Between faults the call
    waits a random time up to `base * 2 ** n` seconds, at most `cap`.
    """

    max_attempts: int | None = field(default=None, validator=validators.optional(_at_least_one))
    max_faults: int = field(default=4, validator=_at_least_one)
    patience: float = field(default=300.0, validator=_seconds)
    base: float = field(default=0.1, validator=_seconds)
    cap: float = field(default=5.0, validator=_seconds)

    def backoff(self, faults: int, chance: float) -> float:
        """Seconds to wait after this many faults; `chance` from 0 to 1 is the jitter."""
        return chance * min(self.cap, self.base * 2.0 ** min(faults - 1, 60))


def refused(error: VoxloudError) -> bool:
    """Whether the service turned the request away for now, without a fault of its own."""
    return isinstance(error, RateLimitedError | ServiceUnavailableError)


def may_repeat(safety: Safety, error: VoxloudError) -> bool:
    """Whether an operation of this safety may be sent again after this error."""
    if isinstance(error, RequestNotSentError):
        return error.retryable
    if isinstance(error, RateLimitedError):
        return True
    if isinstance(error, ResponseTooLargeError):
        return False
    return safety.repeatable and isinstance(error, ResponseLostError | ServerError)


@define
class Met:
    """What the attempts of one call have met so far."""

    last: VoxloudError | None = None
    faults: int = 0
    refused_since: float | None = None
    ambiguous: bool = False
    """Whether one of them may have been executed."""

    def add(self, error: VoxloudError, now: float) -> None:
        """One more attempt failed."""
        self.last = error
        if not refused(error):
            self.faults += 1
        elif self.refused_since is None:
            self.refused_since = now
        self.ambiguous = self.ambiguous or isinstance(error, ResponseLostError | ServerError)

    def latest(self, safety: Safety) -> float:
        """When it is too late to send it again: only a ring that was refused has such a time."""
        return math.inf if self.refused_since is None or safety is not Safety.RING else self.refused_since + LATEST_RING

    def answered(self) -> None:
        """The service is patient again."""
        self.refused_since = None


class Stop(Enum):
    """Why a call is not sent again."""

    FORBIDDEN = "its operation does not allow it after such an error"
    SPENT = "its policy allows no more"
    LATE = "`max_wait` does not suffice"


def decide(
    safety: Safety,
    policy: RetryPolicy,
    error: VoxloudError,
    met: Met,
    *,
    attempts: int,
    now: float,
    remaining: float | None,
    chance: float,
) -> float | Stop:
    """Seconds until the next attempt after an error, which `met` counts already, or why there is none.

    `remaining` are the seconds left of `max_wait`, None where it is not given. A refused call waits no time of its
    own: it goes to the shared gate, in front of those that were never sent.
    """
    asked = error.retry_after or 0.0
    if not may_repeat(safety, error) or now + asked > met.latest(safety):
        return Stop.FORBIDDEN
    patient = remaining is not None or _is_patient(policy, error, met, now)
    spent = not (patient and met.faults < policy.max_faults)
    if policy.max_attempts is not None:
        spent = attempts >= policy.max_attempts
    wait = 0.0 if spent or refused(error) else policy.backoff(met.faults, chance)
    needed = asked if refused(error) and not spent else wait
    if remaining is not None and needed >= remaining:
        return Stop.LATE
    return Stop.SPENT if spent else wait


def _is_patient(policy: RetryPolicy, error: VoxloudError, met: Met, now: float) -> bool:
    return met.refused_since is None or now + (error.retry_after or 0.0) - met.refused_since <= policy.patience


def verdict(safety: Safety, error: VoxloudError) -> VoxloudError:
    """The error a caller sees: a create or a ring that may have happened says so."""
    if safety.repeatable or not isinstance(error, ResponseLostError | ServerError | DecodeError):
        return error
    text = f"it may or may not have happened: {error.args[0]}" if error.args[0] else ""
    unknown = OutcomeUnknownError(text, operation=error.operation, attempts=error.attempts)
    unknown.__cause__ = error
    return unknown
