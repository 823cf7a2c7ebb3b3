"""One limit: a token bucket whose rate is learned, behind a gate that refusals shut. No I/O, every method takes `now`.

The rate grows along a cubic curve in the time callers really wait, and is cut once for every set of requests that were
under way together (an epoch). The numbers come from simulating 64 workers against fixed, sliding and bucket limits
(`benchmarks/storm/simulate.py`).
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

from attrs import define, field, frozen

from .permit import Outcome, Permit
from .rate_curve import RateCurve, RequestCounter

PAUSE_LEAST, PAUSE_CAP = 0.05, 5.0
"""Seconds after a refusal, doubling between these."""

RETRY_AFTER_CAP = 300.0
"""Seconds: a service that asks for a longer pause is asked again after these."""

_PAUSE_TRIPS = 0.75  # what is under way when a refusal comes has then mostly arrived
_DOWN_BASE, _DOWN_CAP = 0.5, 4.0  # seconds between the probes of an outage, doubling between these
_ROUNDED_UP = 1.0  # second by which a Retry-After may exceed the time until the limit gives way

OUTAGE_AFTER = {Outcome.LOST: 3, Outcome.FAILED: 5}
"""So many lost responses, or 500s, in a row count as an outage."""


@define
class Gate:
    """Holds every request until a time; once refusals repeat, a single probe passes at a time."""

    until: float = -math.inf
    single: bool = False
    probe: str | None = None  # the operation of the probe under way
    refusals: int = 0
    outages: int = 0
    hit: float = 0.0  # when the first of the refusals came

    def shut(self, until: float) -> None:
        """Hold every request until a time, or until a later one set before."""
        self.until = max(self.until, until)

    def open(self) -> None:
        """Let every request pass."""
        self.single, self.probe = False, None
        self.refusals = self.outages = 0


@frozen
class Suspicion:
    """A fault of one operation that may be of this operation alone: since when, until when it pauses, what it was."""

    since: float
    until: float
    outcome: Outcome


@define(slots=False, kw_only=True)
class Throttle:
    """Decides when the next request may go. `learns` where its rate is not fixed; an infinite rate keeps the gate only.

    `honours` are the seconds of a Retry-After that it holds every request for.
    """

    rate: float
    burst: float
    learns: bool
    chance: Callable[[], float]
    honours: float = RETRY_AFTER_CAP
    gate: Gate = field(factory=Gate)
    epoch: int = 0
    """How often the gate was shut."""
    last_fault: float = -math.inf
    """When the gate was last shut, or would have been but for news of an earlier epoch."""

    def __attrs_post_init__(self) -> None:
        self._tokens = self.burst
        self._filled: float | None = None
        self._open = 0.0
        self._curve = RateCurve(self.rate)
        self._counter = RequestCounter()
        self._round_trip = 0.0
        self._last = Outcome.ANSWERED
        self._in_a_row = 0

    @property
    def blocked_until(self) -> float:
        """When the gate opens; infinity while a probe is under way."""
        return self.gate.until if self.gate.probe is None else math.inf

    def paced(self, now: float, *, waiting: bool) -> float:
        """Return the earliest time the rate allows a request; while callers wait, the rate grows."""
        self._advance(now, waiting=waiting)
        return now if self._tokens >= 1.0 else now + (1.0 - self._tokens) / self.rate

    def grant(self, now: float, operation: str = "") -> Permit:
        """Take a token, once `paced` and the gate allow it."""
        self._tokens -= 1.0
        self._counter.add(self._open, 1)
        if self.gate.single:
            self.gate.probe = operation
        return Permit(self.epoch, now, self.gate.single, operation)

    def give_back(self, permit: Permit) -> None:
        """Return a permit that was not used."""
        self._tokens = min(self.burst, self._tokens + 1.0)
        self._counter.add(self._open, -1, since_cut=permit.epoch == self.epoch)
        self.forget(permit)

    def forget(self, permit: Permit) -> None:
        """Return a permit whose outcome stays unknown: the next probe may go, but the gate does not open."""
        if permit.probe and self.gate.probe == permit.operation:
            self.gate.probe = None

    def feedback(self, permit: Permit, outcome: Outcome, now: float, retry_after: float | None = None) -> bool:
        """Learn from an outcome; returns True if it counts as a refusal or an outage."""
        if outcome is Outcome.ANSWERED:
            self.answered(permit, now)
            return False
        self.forget(permit)
        again, self._last = outcome is self._last, outcome
        self._in_a_row = self._in_a_row + 1 if again else 1
        if self._in_a_row >= OUTAGE_AFTER.get(outcome, 1):
            self._pause(permit, outcome, now, retry_after)
            return True
        if outcome is Outcome.FAILED:
            self._alive(permit, now)
        return False

    def answered(self, permit: Permit, now: float) -> None:
        """Learn from an answer: `feedback` in that case, for less time."""
        if permit.probe:
            self.forget(permit)
        self._last = Outcome.ANSWERED
        self._alive(permit, now)

    def held(self, seconds: float) -> None:
        """Learn from a limit that refused for so long."""
        if self.learns and seconds > 0.0:
            self.rate = self._curve.held(seconds)

    def held_until(self, until: float) -> None:
        """Learn from a limit that refused from the first of its refusals until a time that a Retry-After named."""
        self.held(until - self.gate.hit - _ROUNDED_UP)

    def snapshot(self) -> tuple[float, RateCurve]:
        """Return what was learned, for `restore`."""
        return self.rate, copy.copy(self._curve)

    def restore(self, snapshot: tuple[float, RateCurve]) -> None:
        """Take back what was learned since a snapshot."""
        self.rate, self._curve = snapshot

    def own(self, suspicion: Suspicion) -> Throttle:
        """Return a throttle for one operation, which a single probe opens and a second fault keeps shut."""
        made = Throttle(rate=self.rate, burst=self.burst, learns=math.isfinite(self.rate), chance=self.chance)
        made.gate = Gate(until=suspicion.until, single=True, refusals=1, outages=1, hit=suspicion.since)
        made.last_fault = suspicion.since
        made._tokens, made._last, made._in_a_row = 1.0, suspicion.outcome, OUTAGE_AFTER.get(suspicion.outcome, 1)
        return made

    def _alive(self, permit: Permit, now: float) -> None:
        self._round_trip += 0.2 * (now - permit.granted - self._round_trip)
        if permit.epoch == self.epoch:
            if self.gate.refusals and self._curve.is_slow:  # it gave way between the last refusal and this request
                self.held((self.last_fault + permit.granted) / 2.0 - self.gate.hit)
            self.gate.open()

    def _pause(self, permit: Permit, outcome: Outcome, now: float, retry_after: float | None) -> None:
        """Shut the gate."""
        self.last_fault = now
        current = permit.epoch == self.epoch
        wait = 0.0 if retry_after is None else min(retry_after, RETRY_AFTER_CAP)
        if outcome is Outcome.REFUSED:
            self._counter.add(self._open, -1, since_cut=current)
            if self.gate.refusals == 1 and permit.epoch == self.epoch - 1:
                self._curve.refused_after_all()
        self.gate.shut(now + min(wait, self.honours))
        if current:
            self.epoch += 1
            self.gate.shut(now + (self._refused(now, wait) if outcome is Outcome.REFUSED else self._down(now)))
            self._tokens, self._filled = min(self._tokens, 1.0), max(now, self.gate.until)
        self.gate.single = self.gate.single or wait > self.honours

    def _refused(self, now: float, wait: float) -> float:
        """Cut the rate, and again as long as the same limit refuses; returns the pause."""
        gate = self.gate
        gate.refusals += 1
        gate.single = gate.refusals > 1
        if gate.refusals == 1:
            gate.hit = now
            if self.learns:
                self.rate = self._curve.cut(self.rate, self._counter, self._open)
        asked = wait if wait <= self.honours else 0.0  # a longer one is learned from once it is over (`held_until`)
        self.held(max(now - gate.hit, asked - _ROUNDED_UP))
        first = max(1.0 / self.rate, _PAUSE_TRIPS * self._round_trip, PAUSE_LEAST)
        return min(PAUSE_CAP, first * _doubled(gate.refusals - 1))

    def _down(self, now: float) -> float:
        """Return the pause before the next probe: an outage contains no information about the rate."""
        pause = min(_DOWN_CAP, _DOWN_BASE * _doubled(self.gate.outages))
        self.gate.outages += 1
        self.gate.single = True
        self.gate.hit = now  # nor, while it lasts, about a window
        return pause * (0.5 + 0.5 * self.chance())

    def _advance(self, now: float, *, waiting: bool) -> None:
        """Refill the bucket and, while callers wait, let the rate grow."""
        filled = now if self._filled is None else self._filled
        elapsed = now - filled
        if elapsed < 0.0:  # the clock went back
            self._filled = now
            return
        self._filled = now
        self._open += elapsed
        if math.isinf(self.rate):
            self._tokens = self.burst
            return
        self._tokens = min(self.burst, self._tokens + elapsed * self.rate)
        if self.learns and waiting:
            # A machine that slept for an hour has not waited for an hour.
            self.rate = self._curve.grow(min(elapsed, 1.0 + 2.0 / self.rate))


def _doubled(times: int) -> float:
    return 2.0 ** min(times, 32)
