"""Who is told of what a receiver does: the counts, the log, and the user's own subscribers."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from attrs import define, field

from ..models import EventType
from .notices import (
    Accepted,
    Buried,
    Doubled,
    Dropped,
    Handled,
    InboxFailed,
    Notice,
    Notify,
    Overtaken,
    Refused,
    Retrying,
    Stats,
    Unheard,
    Verified,
)

logger = logging.getLogger("voxloud_async.webhooks")


def known_type(event_type: str) -> str:
    """The event type where it is a documented one: any other is the sender's text."""
    kind = EventType(event_type)
    return str(kind) if kind.is_known else "unknown"


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
