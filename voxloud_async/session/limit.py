"""Every attempt waits for its permit and reports back what became of it."""

from __future__ import annotations

from ..errors import (
    ApiError,
    RateLimitedError,
    RequestNotSentError,
    ResponseLostError,
    ResponseTooLargeError,
    ServerError,
    VoxloudError,
)
from ..wire.message import Response
from .call import Call, Handler
from .clock import Clock
from .controller import Outcome, Permit
from .events import Notify, Paused, Waited
from .line import Bounds, GateBeyondDeadlineError
from .pacer import Pacer

_DOWN_STATUSES = frozenset({502, 503, 504})


def limit(handler: Handler, *, pacer: Pacer, clock: Clock, notify: Notify) -> Handler:
    """Pace the attempts of all calls together."""

    async def send(call: Call) -> Response:
        permit = await _permit(call)
        try:
            response = await handler(call)
        except VoxloudError as error:
            _tell(permit, error)
            raise
        except BaseException:
            pacer.forget(permit)
            raise
        pacer.feedback(permit, Outcome.ANSWERED)
        return response

    def _tell(permit: Permit, error: VoxloudError) -> None:
        news = outcome(error)
        if news is None:
            pacer.forget(permit)
        elif pause := pacer.feedback(permit, news, error.retry_after):
            notify(Paused(pause, type(error).__name__))

    async def _permit(call: Call) -> Permit:
        asked = clock.now()
        try:
            permit = await pacer.acquire(_bounds(call), head=call.attempts > 0)
        except GateBeyondDeadlineError as error:
            raise call.given_up(error.wait) from None
        waited = clock.now() - asked
        if waited > 0.0:
            notify(Waited(str(call.operation), waited, call=call.number))
        return permit

    return send


def _bounds(call: Call) -> Bounds:
    max_wait = call.options.max_wait
    if max_wait is None:
        return Bounds(patience=call.options.retry.patience, started=call.started)
    return Bounds(deadline=call.started + max_wait)


def outcome(error: VoxloudError) -> Outcome | None:
    """What a failed attempt tells of the service: a 404 is as alive as a 200, a bad certificate tells nothing."""
    match error:
        case RateLimitedError():
            return Outcome.REFUSED
        case ServerError() if error.status in _DOWN_STATUSES:
            return Outcome.DOWN
        case ApiError() | ResponseTooLargeError():
            return Outcome.ANSWERED
        case RequestNotSentError(retryable=True):
            return Outcome.DOWN
        case ResponseLostError():
            return Outcome.LOST
        case _:
            return None
