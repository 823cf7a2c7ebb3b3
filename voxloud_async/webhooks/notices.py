"""What a receiver reports of its work: values without tokens, bodies, numbers or names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from attrs import field, frozen

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
    "Revised",
    "Stats",
    "Unhandled",
    "Verified",
]

Reason = Literal[
    "token", "source", "method", "content_type", "encoding", "too_large", "too_slow", "broken_off", "empty", "h2c",
    "malformed", "wrong_type", "wrong_pbx", "busy", "stopped", "inbox_full", "inbox_failed",
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
class Unhandled:
    """An event was marked as done that streams were given, and no handler: no process has one for it."""

    type: str


@frozen
class Revised:
    """A record came again with other content, and was stored for handlers that ask for revisions, or `dropped`."""

    type: str
    dropped: bool


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
    Accepted
    | Doubled
    | Revised
    | Refused
    | Verified
    | Handled
    | Unhandled
    | Retrying
    | Buried
    | Overtaken
    | Dropped
    | InboxFailed
)
Notify = Callable[[Notice], None]


@frozen(kw_only=True)
class Stats:
    """What a receiver has done since it was made, as counts. `refused` counts by reason.

    Every request is one of accepted, doubled, revised, revisions_dropped and refused. Everything accepted or revised is
    handled, unhandled (done without a handler) or buried in the end, by this process or another one.
    """

    accepted: int = 0
    doubled: int = 0
    revised: int = 0
    revisions_dropped: int = 0
    refused: Mapping[str, int] = field(factory=dict)
    handled: int = 0
    unhandled: int = 0
    retried: int = 0
    buried: int = 0
    overtaken: int = 0
    verified: int = 0
    unverified: int = 0
    dropped: int = 0
    inbox_failures: int = 0
