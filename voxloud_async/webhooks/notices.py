"""What a receiver tells of its work: values without tokens, bodies, numbers or names."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Literal

from attrs import define, field, frozen

from ..models import EventType

__all__ = [
    "Accepted",
    "Buried",
    "Doubled",
    "Dropped",
    "Handled",
    "InboxFailed",
    "Notice",
    "Notify",
    "Overtaken",
    "Reason",
    "Refused",
    "Retrying",
    "Stats",
    "Unheard",
    "Verified",
]

logger = logging.getLogger("voxloud_async.webhooks")

Reason = Literal[
    "token", "source", "method", "content_type", "encoding", "too_large", "too_slow", "broken_off", "malformed",
    "wrong_type", "wrong_pbx", "busy", "stopped", "inbox_full", "inbox_failed",
]  # fmt: skip
"""Why a request was refused."""


@frozen
class Accepted:
    """A delivery was stored and acknowledged; `type` is its event type, or "unknown"."""

    type: str


@frozen
class Doubled:
    """A delivery was acknowledged that the inbox has already."""

    type: str


@frozen
class Refused:
    """A request was answered with `status`, which is no 2xx."""

    reason: Reason
    status: int


@frozen
class Verified:
    """A record was looked up in the service, which knows it (`found`) or does not say so."""

    found: bool


@frozen
class Handled:
    """Every handler of an event returned, in its `run`-th run and `seconds`."""

    type: str
    run: int
    seconds: float


@frozen
class Unheard:
    """An event came for which there is neither handler nor stream."""

    type: str


@frozen
class Retrying:
    """A handler raised `error`, the class name, at `place`; the event comes again after `delay` seconds."""

    type: str
    run: int
    delay: float
    error: str
    place: str
    exception: BaseException = field(repr=False, eq=False)


@frozen
class Buried:
    """An event became a dead letter after `runs` runs, the last of which raised `error`, the class name, at `place`."""

    type: str
    runs: int
    error: str
    place: str
    exception: BaseException = field(repr=False, eq=False)


@frozen
class Overtaken:
    """A lease ran out under a handler, and the event went to another worker."""

    type: str


@frozen
class Dropped:
    """A stream of events was read too slowly and lost its oldest; `first`: it had lost none since it was last read."""

    first: bool


@frozen
class InboxFailed:
    """The inbox raised `error`, the class name, where it was to do `what`."""

    what: str
    error: str
    exception: BaseException = field(repr=False, eq=False)


Notice = (
    Accepted | Doubled | Refused | Verified | Handled | Unheard | Retrying | Buried | Overtaken | Dropped | InboxFailed
)
Notify = Callable[[Notice], None]


def known_type(event_type: str) -> str:
    """The event type where it is a documented one: any other is the sender's text."""
    kind = EventType(event_type)
    return str(kind) if kind.is_known else "unknown"


@frozen(kw_only=True)
class Stats:
    """What a receiver has done since it was made, as counts. `refused` counts by reason."""

    accepted: int = 0
    doubled: int = 0
    refused: Mapping[str, int] = field(factory=dict)
    handled: int = 0
    unheard: int = 0
    retried: int = 0
    buried: int = 0
    overtaken: int = 0
    verified: int = 0
    unverified: int = 0
    dropped: int = 0
    inbox_failures: int = 0


_COUNTED: Mapping[type, str] = {
    Accepted: "accepted",
    Doubled: "doubled",
    Handled: "handled",
    Unheard: "unheard",
    Retrying: "retried",
    Buried: "buried",
    Overtaken: "overtaken",
    Dropped: "dropped",
    InboxFailed: "inbox_failures",
}


@define
class Counts:
    """The subscriber that counts."""

    _counts: Counter[str] = field(factory=Counter)
    _refused: Counter[str] = field(factory=Counter)

    def note(self, notice: Notice) -> None:
        """Count one more."""
        match notice:
            case Refused(reason):
                self._refused[reason] += 1
            case Verified(found):
                self._counts["verified" if found else "unverified"] += 1
            case _:
                self._counts[_COUNTED[type(notice)]] += 1

    def stats(self) -> Stats:
        """The counts of now."""
        return Stats(refused=MappingProxyType(dict(self._refused)), **self._counts)


def write_log(notice: Notice) -> None:
    """The subscriber that writes the log: what a stranger can cause at DEBUG, what asks for somebody at WARNING."""
    match notice:
        case Refused("malformed" | "wrong_type" | "wrong_pbx" | "busy" | "inbox_full" as reason, status):
            logger.warning("a delivery was refused with %d: %s", status, reason)
        case Refused(reason, status):
            logger.debug("a request was refused with %d: %s", status, reason)
        case Unheard(kind):
            logger.info("no handler for %s", kind)
        case Retrying(kind, run, delay, error, place):
            logger.warning("%s again in %.1f s after run %d: %s at %s", kind, delay, run, error, place)
        case Buried(kind, runs, error, place):
            logger.error("%s given up after %d runs: %s at %s", kind, runs, error, place)
        case Overtaken(kind):
            logger.warning("%s went to another worker: its lease ran out", kind)
        case Dropped(first=True):
            logger.warning("a stream of events is read too slowly and loses its oldest")
        case InboxFailed(what, error):
            logger.error("the inbox could not %s: %s", what, error)
        case _:
            logger.debug("%r", notice)


def fan_out(subscribers: Iterable[Notify]) -> Notify:
    """One subscriber that tells all of them; one that fails is logged and stops no delivery."""
    listening = tuple(subscribers)

    def notify(notice: Notice) -> None:
        for subscriber in listening:
            try:
                subscriber(notice)
            except Exception:  # the hooks of a monitor must not cost an event
                logger.exception("a subscriber failed")

    return notify
