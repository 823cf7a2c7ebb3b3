"""What a limiter hands out, and what comes back with it."""

from __future__ import annotations

import math
from enum import Enum

from attrs import define, frozen


class Outcome(Enum):
    """What an attempt shows about the service's willingness."""

    ANSWERED = "answered"
    REFUSED = "refused"
    """429."""
    DOWN = "down"
    """503, 502, 504, or no connection."""
    LOST = "lost"
    """Sent without a response."""
    FAILED = "failed"
    """500."""


# Not frozen, though nothing changes it: to fill a frozen object takes three times as long, and every attempt has one
@define
class Permit:
    """Leave to send one request. `epoch` separates feedback on an earlier rate from feedback on the current one.

    `own` is the permit of the operation's own throttle, where it has one.
    """

    epoch: int
    granted: float
    probe: bool = False
    operation: str = ""
    own: Permit | None = None


@define
class Bounds:
    """How long a caller can wait: until `deadline`, and during refusals `patience` seconds from `started`."""

    deadline: float = math.inf
    patience: float = math.inf
    started: float = -math.inf

    def allow(self, ready: float, refused_since: float) -> bool:
        """Return True if a permit at `ready` is early enough, where nothing was answered from `refused_since` on."""
        return ready <= self.deadline and ready - max(self.started, refused_since) <= self.patience


UNBOUNDED = Bounds()


@frozen
class Pause:
    """How many `seconds` an operation pauses after a refusal or an outage, or every one where `operation` is None."""

    seconds: float
    operation: str | None
    since: float
    """When the first refusal came after which nothing was answered."""
    first: bool
    """Whether this is the one."""


class GateBeyondDeadlineError(Exception):
    """The next permit comes later than the caller can wait; `wait` is how long that would be, if known."""

    def __init__(self, wait: float | None) -> None:
        super().__init__(wait)
        self.wait = wait
