"""What the session layer tells of its work: values without the key, without numbers, names or addresses."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from attrs import field, frozen

_logger = logging.getLogger("voxloud_async")


@frozen
class CallStarted:
    """A call begins, to a `server` (host, and port where it is not the scheme's) by `scheme`, https or http."""

    operation: str
    server: str
    scheme: str = field(default="https", kw_only=True)
    call: int = field(default=0, eq=False, kw_only=True)
    """Number of the call, which its other events carry too."""


@frozen
class AttemptEnded:
    """A request was answered (`status`) or failed (`error`, the class name) after `seconds`."""

    operation: str
    attempt: int
    seconds: float
    status: int | None = None
    error: str | None = None
    call: int = field(default=0, eq=False, kw_only=True)


@frozen
class Waited:
    """A call waited `seconds` for the limiter before it was sent."""

    operation: str
    seconds: float
    call: int = field(default=0, eq=False, kw_only=True)


@frozen
class Retrying:
    """A call will be sent again after `delay` seconds because of `error`, the class name."""

    operation: str
    attempt: int
    delay: float
    error: str
    call: int = field(default=0, eq=False, kw_only=True)


@frozen
class RetryDenied:
    """A call is not sent again after `error`, the class name, although it might be: too many calls fail."""

    operation: str
    attempt: int
    error: str
    call: int = field(default=0, eq=False, kw_only=True)


@frozen
class KeyRefused:
    """The service refused the key several times in a row: calls fail for `seconds` without being sent."""

    seconds: float


@frozen
class Paused:
    """Calls of an operation wait up to `seconds` because of `error`, the class name; None is every operation."""

    seconds: float
    error: str
    operation: str | None = None


@frozen
class Outage:
    """No call of an operation (None: of any) was answered for `seconds`, and one waits for it, up to `longest` in all.

    It comes once in an outage. `error` is the class name of the first error, empty where another process met it.
    """

    seconds: float
    error: str
    operation: str | None
    longest: float


@frozen
class CallEnded:
    """A call ended after `seconds` and `attempts` requests, with `error`, the class name, or well."""

    operation: str
    attempts: int
    seconds: float
    error: str | None = None
    call: int = field(default=0, eq=False, kw_only=True)


Event = CallStarted | AttemptEnded | Waited | Retrying | RetryDenied | KeyRefused | Paused | Outage | CallEnded
Notify = Callable[[Event], None]
Heard = Callable[[], bool]
"""Whether anybody listens: an event of a call that goes well is made only then."""


def always() -> bool:
    """Somebody listens."""
    return True


def fan_out(subscribers: Iterable[Notify]) -> Notify:
    """One subscriber that tells all of them, in order; one that fails is logged and ends no call."""
    listening = tuple(subscribers)

    def notify(event: Event) -> None:
        for subscriber in listening:
            try:
                subscriber(event)
            except Exception:  # a call that was answered must not look as if it had failed
                _logger.exception("a subscriber failed")

    return notify
