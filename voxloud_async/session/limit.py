"""Every attempt waits for its permit and reports back what became of it."""

from __future__ import annotations

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
from .clock import Clock
from .controller import Outcome, Permit
from .events import Notify, Paused, Waited
from .line import Bounds, GateBeyondDeadlineError
from .pacer import Pacer

_BY_STATUS = {
    429: Outcome.REFUSED,
    500: Outcome.FAILED,
    502: Outcome.DOWN,
    503: Outcome.DOWN,
    504: Outcome.DOWN,
}

_IMPATIENT = 5.0
"""Seconds: who gives an attempt less and then gives up has learned nothing of the service."""

_TICK = 0.001  # second by which a timer may be early


def limit(handler: Handler, *, pacer: Pacer, clock: Clock, notify: Notify) -> Handler:
    """Pace the attempts of all calls together."""

    async def send(call: Call) -> Response:
        permit = pacer.take(call.deadline) or await _permit(call)
        attempts = call.attempts
        try:
            response = await handler(call)
        except VoxloudError as error:
            if call.attempts == attempts:  # a layer behind turned the call away: the next may have its place at once
                pacer.give_back(permit)
            else:
                news = _news(call, permit, error, clock.now())
                if pause := _hand_in(pacer, permit, news, error.retry_after):
                    notify(Paused(pause, type(error).__name__))
            raise
        except BaseException:
            pacer.forget(permit)
            raise
        pacer.feedback(permit, Outcome.ANSWERED)
        return response

    async def _permit(call: Call) -> Permit:
        asked = clock.now() if call.heard else 0.0
        try:
            permit = await pacer.acquire(_bounds(call), head=call.attempts > 0)
        except GateBeyondDeadlineError as error:
            raise call.given_up(error.wait) from None
        if call.heard and (waited := clock.now() - asked) > 0.0:
            notify(Waited(str(call.operation), waited, call=call.number))
        return permit

    return send


def _hand_in(pacer: Pacer, permit: Permit, news: Outcome | None, retry_after: float | None) -> float:
    """Return a permit; gives the seconds everybody pauses because of it."""
    if news is not None:
        return pacer.feedback(permit, news, retry_after)
    pacer.forget(permit)
    return 0.0


def _news(call: Call, permit: Permit, error: VoxloudError, now: float) -> Outcome | None:
    """What a failed attempt tells: one that was given little time tells of its caller and not of the service."""
    allowed = call.timeout(permit.granted)
    gave_up = allowed < _IMPATIENT and now - permit.granted >= allowed - _TICK
    return None if gave_up and isinstance(error, TransportError) else outcome(error)


def _bounds(call: Call) -> Bounds:
    if call.options.max_wait is None:
        return Bounds(deadline=call.deadline, patience=call.options.retry.patience, started=call.started)
    return Bounds(deadline=call.deadline)


def outcome(error: VoxloudError) -> Outcome | None:
    """What a failed attempt tells of the service: a 404 is as alive as a 200, a bad certificate tells nothing."""
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
