"""The observers of what a receiver does: the counts, the log, and the user's own subscribers."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from attrs import define, field

from ..models import EventType
from .inbox.throttle import Throttle
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
    Revised,
    Stats,
    Unhandled,
    Verified,
)

logger = logging.getLogger("voxloud_async.webhooks")


def known_type(event_type: str) -> str:
    """The event type where it is a documented one: any other is the sender's text."""
    kind = EventType(event_type)
    return str(kind) if kind.is_known else "unknown"


_OF_STRANGERS = frozenset({"token", "source"})
_ADVICE: Mapping[str, str] = {
    "empty": ": its body is empty",
    "h2c": ": the server has lost its body, as uvicorn with httptools does where a client offers HTTP/2 (h2c)",
}

_COUNTED: Mapping[type, str] = {
    Accepted: "accepted",
    Doubled: "doubled",
    Handled: "handled",
    Unhandled: "unhandled",
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
            case Revised(dropped=dropped):
                self._counts["revisions_dropped" if dropped else "revised"] += 1
            case Verified(found):
                self._counts["verified" if found else "unverified"] += 1
            case _:
                self._counts[_COUNTED[type(notice)]] += 1

    def stats(self) -> Stats:
        """The counts of now."""
        return Stats(refused=MappingProxyType(dict(self._refused)), **self._counts)


@define
class LogWriter:
    """The subscriber that writes the log, at most so many lines of a kind in a while; `now` is monotonic seconds.

    What a stranger can cause is at DEBUG, what needs attention at WARNING.
    """

    _now: Callable[[], float]
    _throttles: dict[tuple[Any, ...], Throttle] = field(factory=dict, init=False)

    def note(self, notice: Notice) -> None:
        """Write a line."""
        level, text, *values = _line(notice)
        if not logger.isEnabledFor(level):
            return
        left_out = self._throttles.setdefault((text, *values[:1]), Throttle()).admit(self._now())
        if left_out:
            logger.log(level, "%d more lines of this kind were left out", left_out)
        if left_out is not None:
            logger.log(level, text, *values)


def _line(notice: Notice) -> tuple[Any, ...]:
    """The level of a notice, its text and the values in it; the first of them distinguishes lines of one kind."""
    line: tuple[Any, ...]
    match notice:
        case Refused(reason, status):
            level = logging.DEBUG if reason in _OF_STRANGERS else logging.WARNING
            line = level, "a request was refused: %s (%d)" + _ADVICE.get(reason, ""), reason, status
        case Retrying(kind, run, delay, error, place):
            line = logging.WARNING, "%s again in %.1f s after run %d: %s at %s", kind, delay, run, error, place
        case Buried():
            line = _last_line(notice)
        case InboxFailed(what, error):
            line = logging.ERROR, "the inbox could not %s: %s", what, error
        case Revised(kind, dropped=True):
            line = logging.INFO, "a revision of %s was dropped: no handler asks for revisions", kind
        case Overtaken(kind):
            line = logging.WARNING, "%s went to another worker: its lease ran out", kind
        case Dropped(first=True):
            line = logging.WARNING, "a stream of events is read too slowly and loses its oldest"
        case _:
            line = logging.DEBUG, "%s: %r", type(notice).__name__, notice
    return line


def _last_line(letter: Buried) -> tuple[Any, ...]:
    if letter.error == "UnhandledError":
        return logging.WARNING, "%s became a dead letter: no process has a handler for it", letter.type
    if letter.error == "MisfitError":
        text = "%s became a dead letter: it does not fit its type: %s"
        return logging.WARNING, text, letter.type, letter.exception
    text = "%s given up after %d runs: %s at %s"
    return logging.ERROR, text, letter.type, letter.runs, letter.error, letter.place


def fan_out(subscribers: Iterable[Notify]) -> Notify:
    """One subscriber that passes everything on to all of them; one that fails is logged and stops no delivery."""
    listening = tuple(subscribers)

    def notify(notice: Notice) -> None:
        for subscriber in listening:
            try:
                subscriber(notice)
            except Exception:  # the hooks of a monitor must not cost an event
                logger.exception("a subscriber failed")

    return notify
