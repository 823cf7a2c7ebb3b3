"""When a call may be sent again, and after how long. Pure: the facts in, a decision out."""

from __future__ import annotations

from attrs import field, frozen, validators

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
from ..protocol.operations import Safety

_at_least_one = validators.optional(validators.and_(validators.instance_of(int), validators.ge(1)))


LATEST_RING = 5.0
"""Seconds after which nobody expects a phone to ring any more: a later `Retry-After` is the caller's to decide."""


@frozen(kw_only=True)
class RetryPolicy:
    """How often and how patiently a call is sent again. What may be sent again at all is the operation's safety.

    `max_attempts` bounds the requests of one call whatever made them fail; 1 never sends again. By default (None)
    faults - a lost answer, 500, 502, 504 - are bounded by `max_faults`, while refusals - 429, 503 - are not counted:
    the shared gate spaces them, and `max_wait` or, without one, `patience` seconds bound them. A call not yet sent
    waits as long while the service answers nobody, then it raises `RequestNotSentError`. Between faults the call waits
    a random time up to `base * 2 ** n` seconds, at most `cap`.
    """

    max_attempts: int | None = field(default=None, validator=_at_least_one)
    max_faults: int = field(default=4, validator=[validators.instance_of(int), validators.ge(1)])
    patience: float = field(default=300.0, validator=validators.ge(0.0))
    base: float = field(default=0.1, validator=validators.ge(0.0))
    cap: float = field(default=5.0, validator=validators.ge(0.0))

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
        return safety is not Safety.RING or (error.retry_after or 0.0) <= LATEST_RING
    if isinstance(error, ResponseTooLargeError):
        return False
    return safety.repeatable and isinstance(error, ResponseLostError | ServerError)


def verdict(safety: Safety, error: VoxloudError) -> VoxloudError:
    """The error a caller sees: a create or a ring that may have happened says so."""
    if safety.repeatable or not isinstance(error, ResponseLostError | ServerError | DecodeError):
        return error
    unknown = OutcomeUnknownError(operation=error.operation, attempts=error.attempts)
    unknown.__cause__ = error
    return unknown
