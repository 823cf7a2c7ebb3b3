"""The outermost layer: it measures the whole call and tells of it; and the subscriber that writes the log."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Collection, Iterator
from contextlib import contextmanager

from .._clock import Clock
from ..wire.message import Response
from .call import Call, Handler
from .events import (
    AttemptEnded,
    CallEnded,
    CallStarted,
    Event,
    Heard,
    KeyRefused,
    Notify,
    Outage,
    Paused,
    RetryDenied,
    Retrying,
    Waited,
    always,
)

logger = logging.getLogger("voxloud_async")


def log(handler: Handler, *, clock: Clock, notify: Notify, heard: Heard = always) -> Handler:
    """Tell how each call ended."""

    def send(call: Call) -> Awaitable[Response]:
        call.heard = heard()
        return told(call) if call.heard else handler(call)

    async def told(call: Call) -> Response:
        with telling(call, clock=clock, notify=notify):
            return await handler(call)

    return send


@contextmanager
def telling(call: Call, *, clock: Clock, notify: Notify) -> Iterator[None]:
    """Tell that a call begins, and how it ended."""
    request = call.request
    notify(CallStarted(str(call.operation), request.host, scheme=request.scheme, call=call.number))
    try:
        yield
    except GeneratorExit:  # its reader had enough
        notify(_ended(call, clock, None))
        raise
    except BaseException as error:
        notify(_ended(call, clock, type(error).__name__))
        raise
    notify(_ended(call, clock, None))


def heard_by(subscribers: Collection[Notify]) -> Heard:
    """Whether a subscriber or the log at DEBUG listens; what is told at INFO is always told."""
    if subscribers:
        return always
    return lambda: logger.isEnabledFor(logging.DEBUG)


def write_log(event: Event) -> None:
    """Write an event to the `voxloud_async` logger: what slows a call down at INFO, the rest at DEBUG."""
    match event:
        case AttemptEnded(operation, attempt, seconds, status, error):
            logger.debug("%s attempt %d: %s in %.3f s", operation, attempt, error or status, seconds)
        case Waited(operation, seconds):
            logger.debug("%s waited %.3f s for its turn", operation, seconds)
        case Retrying(operation, attempt, delay, error):
            logger.info("%s again in %.3f s after attempt %d: %s", operation, delay, attempt, error)
        case RetryDenied(operation, attempt, error):
            logger.info("%s not again after attempt %d: too many calls fail: %s", operation, attempt, error)
        case KeyRefused(seconds):
            logger.warning("the service refuses the key: calls fail for %.0f s without being sent", seconds)
        case Paused(seconds, error, operation):
            logger.info("%s pauses for %.3f s: %s", operation or "every call", seconds, error)
        case Outage(seconds, error, operation, longest):
            logger.warning(
                "the service has answered no call%s for %.0f s%s: calls wait, this one up to %.0f s; max_wait and "
                "RetryPolicy(patience=...) set a bound",
                f" of {operation}" if operation else "",
                seconds,
                f" ({error})" if error else "",
                longest,
            )
        case CallEnded(operation, attempts, seconds, error):
            logger.debug("%s %s after %d attempts and %.3f s", operation, error or "done", attempts, seconds)


def _ended(call: Call, clock: Clock, error: str | None) -> CallEnded:
    return CallEnded(str(call.operation), call.attempts, clock.now() - call.started, error, call=call.number)
