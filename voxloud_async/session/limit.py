"""Every attempt waits for its permit and reports its outcome."""

from __future__ import annotations

from attrs import define

from .._clock import Clock
from .._ratelimit.limiter import Limiter
from .._ratelimit.permit import Bounds, GateBeyondDeadlineError, Outcome, Pause, Permit
from ..errors import (
    ApiError,
    RequestNotSentError,
    ResponseLostError,
    ResponseTooLargeError,
    TransportError,
    VoxloudError,
)
from ..wire.message import Response
from .call import Call, Handler
from .events import Notify, Outage, Paused, Waited

_BY_STATUS = {
    429: Outcome.REFUSED,
    500: Outcome.FAILED,
    502: Outcome.DOWN,
    503: Outcome.DOWN,
    504: Outcome.DOWN,
}

_IMPATIENT = 5.0
"""Seconds: an attempt that was given less and then gave up shows nothing about the service."""

OUTAGE = 5.0
"""Seconds without a response after which a pause is an outage, and is announced."""

_TICK = 0.001  # second by which a timer may be early


def limit(handler: Handler, *, limiter: Limiter, clock: Clock, notify: Notify) -> Handler:
    """Pace the attempts of all calls together."""
    return _Limit(handler, limiter, clock, notify).send


@define
class _Limit:
    handler: Handler
    limiter: Limiter
    clock: Clock
    notify: Notify

    async def send(self, call: Call) -> Response:
        operation = str(call.operation)
        permit = self.limiter.take(call.deadline, operation) or await self.permit(call, operation)
        attempts = call.attempts
        try:
            response = await self.handler(call)
        except VoxloudError as error:
            if call.attempts == attempts:  # a layer behind turned the call away: the next may have its place at once
                self.limiter.give_back(permit)
            else:
                self.report(call, permit, error)
            raise
        except BaseException:
            self.limiter.forget(permit)
            raise
        self.limiter.feedback(permit, Outcome.ANSWERED)
        return response

    async def permit(self, call: Call, operation: str) -> Permit:
        """Wait for a permit."""
        asked = self.clock.now() if call.heard else 0.0
        try:
            permit = await self.limiter.acquire(_bounds(call), operation, head=call.attempts > 0)
        except GateBeyondDeadlineError as error:
            raise call.given_up(error.wait) from None
        if call.heard and (waited := self.clock.now() - asked) > 0.0:
            self.notify(Waited(operation, waited, call=call.number))
        return permit

    def report(self, call: Call, permit: Permit, error: VoxloudError) -> None:
        """Return the permit of an attempt that failed, and announce the pause that follows."""
        shown = _shown(call, permit, error, self.clock.now())
        if shown is None:
            self.limiter.forget(permit)
            return
        pause = self.limiter.feedback(permit, shown, error.retry_after)
        if pause is not None:
            self.notify(Paused(pause.seconds, type(error).__name__, pause.operation))
            if pause.first:
                self.announce_outage(call, pause, type(error).__name__)

    def announce_outage(self, call: Call, pause: Pause, error: str) -> None:
        """Emit `Outage` unless something was answered by then."""
        options = call.options
        longest = options.retry.patience if options.max_wait is None else options.max_wait

        def due() -> None:
            if self.limiter.is_refused(pause):
                self.notify(Outage(OUTAGE, error, pause.operation, longest))

        self.clock.call_at(pause.since + OUTAGE, due)


def _shown(call: Call, permit: Permit, error: VoxloudError, now: float) -> Outcome | None:
    """Return what a failed attempt shows about the service; None where it was given too little time to show any."""
    allowed = call.timeout(permit.granted)
    gave_up = allowed < _IMPATIENT and now - permit.granted >= allowed - _TICK
    return None if gave_up and isinstance(error, TransportError) else outcome(error)


def _bounds(call: Call) -> Bounds:
    if call.options.max_wait is None:
        return Bounds(deadline=call.deadline, patience=call.options.retry.patience, started=call.started)
    return Bounds(deadline=call.deadline)


def outcome(error: VoxloudError) -> Outcome | None:
    """Return what an error shows about the service: a 404 is as good as a 200, a bad certificate shows nothing."""
    match error:
        case ApiError():
            return _BY_STATUS.get(error.status, Outcome.ANSWERED)
        case ResponseTooLargeError():
            return Outcome.ANSWERED
        case RequestNotSentError(retryable=True):
            return Outcome.DOWN
        case ResponseLostError():
            return Outcome.LOST
        case _:
            return None
