"""One call on its way through the chain, and the signature every layer has."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

from attrs import define, field, frozen

from .._version import __version__
from ..errors import ArgumentTypeError, DeadlineExceededError, Phase, RequestNotSentError, VoxloudError
from ..protocol import arguments
from ..protocol.operations import Operation
from ..wire.message import Request, Response
from .policy import RetryPolicy

USER_AGENT = f"voxloud_async/{__version__}"

numbers = count(1)
"""Numbers of calls, each for one of this process, whoever makes it."""


@frozen(kw_only=True)
class Options:
    """What a caller may choose, in seconds; without `max_wait` a call waits as long as its policy has patience."""

    timeout: float = 20.0
    max_wait: float | None = None
    retry: RetryPolicy = field(factory=RetryPolicy)

    @classmethod
    def checked(cls, timeout: float, max_wait: float | None, retry: RetryPolicy) -> Options:
        """Options of a caller's; raises ValueError or TypeError."""
        arguments.seconds("timeout", timeout)
        if max_wait is not None:
            arguments.seconds("max_wait", max_wait)
        if not isinstance(retry, RetryPolicy):
            raise ArgumentTypeError("retry", f"must be a RetryPolicy, not {type(retry).__name__}")
        return cls(timeout=timeout, max_wait=max_wait, retry=retry)


@define(kw_only=True)
class Call:
    """One logical call: what is to be done, until when, and how often it went on the wire so far."""

    operation: Operation[Any]
    request: Request
    options: Options
    started: float
    number: int = 0
    attempts: int = 0
    latest: float = math.inf  # when it is too late to send it again, however long it may take
    heard: bool = True  # whether anybody listens: the events of a call that goes well are made only then

    @property
    def deadline(self) -> float:
        """When it is too late to send it: `max_wait` ends, or nobody expects it any more; infinite without a bound."""
        max_wait = self.options.max_wait
        return self.latest if max_wait is None else min(self.latest, self.started + max_wait)

    def remaining(self, now: float) -> float | None:
        """Seconds left of `max_wait`; None where there is no bound."""
        max_wait = self.options.max_wait
        return None if max_wait is None else self.started + max_wait - now

    def timeout(self, now: float) -> float:
        """Seconds that an attempt may take which begins now."""
        remaining = self.remaining(now)
        return self.options.timeout if remaining is None else min(self.options.timeout, max(remaining, 0.0))

    def stamp(self, error: VoxloudError) -> None:
        """Let an error state the facts of this call."""
        error.operation = str(self.operation)
        error.host = self.request.host
        error.attempts = self.attempts
        if error.sent is None:
            error.sent = self.attempts > 0

    def beyond(self, cause: VoxloudError | None, phase: Phase, wait: float | None = None) -> DeadlineExceededError:
        """The error of a call that would have to wait longer than it may."""
        return DeadlineExceededError(
            phase=phase,
            max_wait=self.options.max_wait or 0.0,
            operation=str(self.operation),
            attempts=self.attempts,
            sent=False if cause is None else cause.sent,
            retry_after=None if cause is None else cause.retry_after,
            wait=wait,
        )

    def given_up(self, wait: float | None) -> VoxloudError:
        """The error of a call that waited for the limiter as long as it may, or would have to wait `wait` seconds."""
        if self.deadline < self.latest:  # else it is not `max_wait` that ended
            return self.beyond(None, "limit", wait)
        return RequestNotSentError(
            "the service answered no request",
            phase="limit",
            retryable=False,
            operation=str(self.operation),
            attempts=self.attempts,
        )


Handler = Callable[[Call], Awaitable[Response]]
