"""What a refusal applies to: the key, or one operation. No I/O, every method takes `now`.

The service documents neither. So a refusal pauses every operation at first. Then another operation goes first, where
one waits: once it is answered, only the refused one stays paused, behind a throttle of its own. A single probe of it
decides. Answered, the refusal was of the key, which keeps its lower rate. Refused again, it is of the operation alone,
and the key takes its rate back.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

from .permit import Outcome, Permit
from .rate_curve import RateCurve
from .throttle import OUTAGE_AFTER, PAUSE_CAP, RETRY_AFTER_CAP, Suspicion, Throttle

START_RATE = 15.0
BURST = 10.0
"""Requests a second, and at once, before anything is known: a storm of 200 calls at hidden limits of 5 to 100 a second
then ends nearest to the best possible, with few refusals."""

YIELDS = 5.0
"""Seconds after a refusal for which an operation lets others go first: for ever, some that hang would starve it."""

KEPT = 300.0
"""Seconds after its last refusal for which an operation keeps a throttle of its own."""


class Observer(Protocol):
    """What a controller informs of news from other processes."""

    def wake(self) -> None:
        """Look again at what may be granted."""
        ...

    def paused(self, operation: str | None, now: float, until: float) -> None:
        """Note that an operation, or every one (None), pauses because of what another process met."""
        ...


class Controller(Protocol):
    """Decides when requests may go: a `RateController` of this process, or one that processes share."""

    def observe(self, observer: Observer) -> None:
        """Take what is to be informed when `ready_at` changes by itself."""
        ...

    def yields(self, now: float, operation: str) -> bool:
        """Return True if other operations go before this one."""
        ...

    def blocked_until(self, now: float, operation: str = "") -> float:
        """Return when the gates let an operation pass; infinity where that depends on a response."""
        ...

    def ready_at(self, now: float, operation: str = "", *, waiting: bool) -> float:
        """Return the earliest time a permit may be granted; infinity where that depends on a response."""
        ...

    def grant(self, now: float, operation: str = "") -> Permit:
        """Take a permit, once `ready_at` is reached."""
        ...

    def give_back(self, permit: Permit) -> None:
        """Return a permit that was not used."""
        ...

    def forget(self, permit: Permit) -> None:
        """Return a permit whose outcome stays unknown."""
        ...

    def feedback(self, permit: Permit, outcome: Outcome, now: float, retry_after: float | None = None) -> float:
        """Learn from an outcome; returns the seconds for which its operation pauses because of it, or 0."""
        ...

    def is_own(self, operation: str) -> bool:
        """Return True if an operation was refused alone."""
        ...

    async def aclose(self) -> None:
        """Release what it holds in this loop; it may be used again."""
        ...


class RateController:
    """The throttle of a key, and those of the operations that were refused alone.

    `rate` None learns, a number fixes, infinity keeps the gates only. It is one of `processes` that use the same limit:
    it starts at its share.
    """

    def __init__(self, rate: float | None = None, *, chance: Callable[[], float], processes: int = 1) -> None:
        burst = max(1.0, min(BURST, BURST if rate is None else rate) / processes)
        share = (START_RATE if rate is None else rate) / processes
        self._key = Throttle(rate=share, burst=burst, learns=rate is None, chance=chance, honours=PAUSE_CAP)
        self._own: dict[str, Throttle] = {}
        self._suspects: dict[str, Suspicion] = {}
        self._failing: dict[str, tuple[Outcome, int]] = {}
        """Of operations that lost responses, or failed, last: how often in a row."""
        self._before: tuple[str, tuple[float, RateCurve]] | None = None
        """Which operation's refusal cut the rate of the key, and what was known before."""

    @property
    def rate(self) -> float:
        """Requests a second, as estimated now."""
        return self._key.rate

    @property
    def epoch(self) -> int:
        """How often the gate of the key was shut."""
        return self._key.epoch

    def observe(self, observer: Observer) -> None:
        """Do nothing: all its news come from its callers."""

    async def aclose(self) -> None:
        """Do nothing: it holds nothing."""

    def yields(self, now: float, operation: str) -> bool:
        """Return True for an operation that was just refused: another one finds out whether the key was."""
        suspicion = self._suspects.get(operation)
        return suspicion is not None and now < suspicion.since + YIELDS

    def is_own(self, operation: str) -> bool:
        """Return True if an operation was refused alone."""
        return operation in self._own

    def blocked_until(self, now: float, operation: str = "") -> float:  # noqa: ARG002 - the shared one needs it
        """Return when the gates let an operation pass; infinity while the probe it depends on is under way."""
        if not self._suspects and not self._own:  # nearly always
            gate = self._key.gate
            return gate.until if gate.probe is None else math.inf
        suspicion = self._suspects.get(operation)
        probe = self._key.gate.probe
        if probe is not None and (suspicion is not None or not (probe in self._suspects or probe in self._own)):
            return math.inf
        blocked = self._key.gate.until
        if suspicion is not None:
            blocked = max(blocked, suspicion.until)
        own = self._own.get(operation)
        return blocked if own is None else max(blocked, own.blocked_until)

    def ready_at(self, now: float, operation: str = "", *, waiting: bool) -> float:
        """Return the earliest time a permit may be granted; infinity while the probe it depends on is under way."""
        blocked = self.blocked_until(now, operation)
        if blocked > now:  # and the rate does not grow meanwhile
            return blocked
        if not self._own or (own := self._own.get(operation)) is None:
            return self._key.paced(now, waiting=waiting)
        paced = own.paced(now, waiting=waiting)
        return paced if paced > now else self._key.paced(now, waiting=False)  # it is not the key that it waits for

    def grant(self, now: float, operation: str = "") -> Permit:
        """Take a permit, once `ready_at` is reached."""
        permit = self._key.grant(now, operation)
        if not self._own or (own := self._own.get(operation)) is None:
            return permit
        if now - own.last_fault > KEPT:
            del self._own[operation]
        else:
            permit.own = own.grant(now, operation)
        return permit

    def give_back(self, permit: Permit) -> None:
        """Return a permit that was not used."""
        self._key.give_back(permit)
        if permit.own is not None and permit.operation in self._own:
            self._own[permit.operation].give_back(permit.own)

    def forget(self, permit: Permit) -> None:
        """Return a permit whose outcome stays unknown."""
        self._key.forget(permit)
        if permit.own is not None and permit.operation in self._own:
            self._own[permit.operation].forget(permit.own)

    def feedback(self, permit: Permit, outcome: Outcome, now: float, retry_after: float | None = None) -> float:
        """Learn from an outcome; returns the seconds for which its operation pauses because of it, or 0."""
        if outcome is Outcome.ANSWERED:
            self._key.answered(permit, now)
            if self._own or self._suspects or self._failing:
                self._answered(permit, now)
            return 0.0
        if permit.operation in self._own:
            paused = self._refused_alone(permit, outcome, now, retry_after)
        else:
            paused = self._refused(permit, outcome, now, retry_after)
        return max(0.0, self._pause_of(permit.operation) - now) if paused else 0.0

    def _pause_of(self, operation: str) -> float:
        own, suspicion = self._own.get(operation), self._suspects.get(operation)
        if own is not None:
            return own.gate.until
        return max(self._key.gate.until, -math.inf if suspicion is None else suspicion.until)

    def _refused(self, permit: Permit, outcome: Outcome, now: float, retry_after: float | None) -> bool:
        """Pause the key, and suspect the operation."""
        key, operation = self._key, permit.operation
        in_a_row = self._count_fault(operation, outcome)
        if outcome is Outcome.REFUSED and permit.epoch == key.epoch:
            if key.gate.refusals == 0:
                self._before = (operation, key.snapshot())
            elif self._before is not None and self._before[0] != operation:
                self._before = None
        if not key.feedback(permit, outcome, now, retry_after):
            if in_a_row >= OUTAGE_AFTER.get(outcome, 1):  # while others were answered
                self._throttle_alone(operation, Suspicion(now, now, outcome))
            return False
        until = now + min(retry_after or 0.0, RETRY_AFTER_CAP)
        for each in {operation, *(name for name, (last, _) in self._failing.items() if last is outcome)}:
            known = self._suspects.get(each)
            latest = until if known is None else max(known.until, until)
            self._suspects[each] = Suspicion(now, latest, outcome)
        return True

    def _throttle_alone(self, operation: str, suspicion: Suspicion) -> None:
        self._own[operation] = self._key.own(suspicion)
        self._failing.pop(operation, None)

    def _count_fault(self, operation: str, outcome: Outcome) -> int:
        """Return how often in a row an operation has met this outcome; only some need several to be an outage."""
        if outcome not in OUTAGE_AFTER:
            self._failing.pop(operation, None)
            return 1
        last, count = self._failing.get(operation, (outcome, 0))
        count = count + 1 if last is outcome else 1
        self._failing[operation] = (outcome, count)
        return count

    def _refused_alone(self, permit: Permit, outcome: Outcome, now: float, retry_after: float | None) -> bool:
        """Pause the operation only; where this is the fault that shows it, the key takes its rate back."""
        operation, own = permit.operation, self._own[permit.operation]
        self._key.forget(permit)
        paused = own.feedback(permit.own or Permit(-1, permit.granted), outcome, now, retry_after)
        if paused and permit.own is not None:
            self._take_back(operation)
        return paused

    def _take_back(self, operation: str) -> None:
        """Let the key take back what it learned from the refusals of an operation alone."""
        if self._before is not None and self._before[0] == operation:
            self._key.restore(self._before[1])
            self._before = None

    def _answered(self, permit: Permit, now: float) -> None:
        """Clear the operation that was answered, and give those refused before it a throttle of their own."""
        self._failing.pop(permit.operation, None)
        self._clear(permit, now)
        for operation, suspicion in list(self._suspects.items()):
            if permit.operation != operation and permit.granted > suspicion.since:
                del self._suspects[operation]
                self._throttle_alone(operation, suspicion)

    def _clear(self, permit: Permit, now: float) -> None:
        operation = permit.operation
        suspicion, own = self._suspects.get(operation), self._own.get(operation)
        if suspicion is not None and permit.granted > suspicion.since:
            del self._suspects[operation]
            if suspicion.outcome is Outcome.REFUSED and suspicion.until - suspicion.since > PAUSE_CAP:
                self._key.held_until(suspicion.until)
        if own is not None and permit.own is not None:
            own.feedback(permit.own, Outcome.ANSWERED, now)
            if own.epoch == 0:  # its only fault was that of the key
                del self._own[operation]
                self._before = None
