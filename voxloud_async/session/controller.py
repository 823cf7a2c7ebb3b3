"""The rate controller: how fast to send, learned from refusals. No I/O, no clock of its own: every method takes `now`.

A token bucket paces; its rate grows along a cubic curve in the time callers really wait, and is cut once for every set
of requests that were under way together (an epoch). A refusal shuts a gate that all callers share. The numbers come
from simulating 64 workers against fixed, sliding and bucket limits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import Enum
from typing import Protocol

from attrs import define

from .curve import Curve, Passed

START_RATE = 15.0
BURST = 10.0
"""Requests a second, and at once, before anything is known: a storm of 200 calls at hidden limits of 5 to 100 a second
then ends nearest to the best possible, with few refusals."""

# What follows was chosen with `benchmarks/storm/simulate.py`.
_PAUSE_LEAST, _PAUSE_CAP = 0.05, 5.0  # seconds after a refusal, doubling between these
_PAUSE_TRIPS = 0.75  # what is under way when a refusal comes has then mostly arrived
_DOWN_BASE, _DOWN_CAP = 0.5, 4.0  # seconds between the probes of an outage, doubling between these
RETRY_AFTER_CAP = 300.0  # seconds: a service that asks for more is asked again
_ROUNDED_UP = 1.0  # second by which a Retry-After may exceed the time until the limit gives way


class Outcome(Enum):
    """What an attempt tells about the service's willingness."""

    ANSWERED = "answered"
    REFUSED = "refused"
    DOWN = "down"
    LOST = "lost"
    FAILED = "failed"


_OUTAGE_AFTER = {Outcome.LOST: 3, Outcome.FAILED: 5}
"""So many lost answers, or answers with 500, one after the other count as an outage."""


# Not frozen, though nobody changes it: to fill a frozen object takes three times as long, and every attempt has one
@define
class Permit:
    """Leave to send one request. `epoch` tells feedback on old news from feedback on the current rate."""

    epoch: int
    granted: float
    probe: bool = False


class Listener(Protocol):
    """Who waits in front of a controller."""

    def wake(self) -> None:
        """Look anew at what may be granted."""
        ...

    def shut(self, reopening: float, pause: float) -> None:
        """Hear that nothing goes for so many seconds, until then."""
        ...


class Controller(Protocol):
    """What paces: a `RateController` of this process, or one that processes share."""

    def on_news(self, listener: Listener) -> None:
        """Take who is to know when `ready_at` changes by itself."""
        ...

    def ready_at(self, now: float, *, waiting: bool) -> float:
        """The earliest time a permit may be granted; infinity where only news can tell."""
        ...

    def grant(self, now: float) -> Permit:
        """Take a permit, once `ready_at` is reached."""
        ...

    def give_back(self, permit: Permit) -> None:
        """A permit that nobody used."""
        ...

    def forget(self, permit: Permit) -> None:
        """A permit whose outcome nobody will know."""
        ...

    def feedback(self, permit: Permit, outcome: Outcome, now: float, retry_after: float | None = None) -> float:
        """Learn from an outcome; returns the seconds everybody pauses because of it, or 0."""
        ...

    async def aclose(self) -> None:
        """Let go of what it holds in this loop; it may be used again."""
        ...


@define
class _Gate:
    """Holds everybody until a time; once refusals repeat, it lets a single probe through at a time."""

    until: float = -math.inf
    single: bool = False
    probing: bool = False
    refusals: int = 0
    outages: int = 0
    hit: float = 0.0  # when the first of the refusals came

    def shut(self, until: float) -> None:
        self.until = max(self.until, until)

    def open(self) -> None:
        self.single = self.probing = False
        self.refusals = self.outages = 0


class RateController:
    """Decides when the next request may go. `rate` None learns, a number fixes, infinity only keeps the gate.

    It is one of `processes` that use the same limit: it starts at its share.
    """

    def __init__(self, rate: float | None = None, *, chance: Callable[[], float], processes: int = 1) -> None:
        self._learns = rate is None
        self._rate = (START_RATE if rate is None else rate) / processes
        self._burst = max(1.0, min(BURST, BURST if rate is None else rate) / processes)
        self._chance = chance
        self._tokens = self._burst
        self._filled: float | None = None
        self._gate = _Gate()
        self._epoch = 0
        self._curve = Curve(self._rate)
        self._passed = Passed()
        self._round_trip = 0.0
        self._last = Outcome.ANSWERED
        self._in_a_row = 0
        self._open = 0.0

    @property
    def rate(self) -> float:
        """Requests a second, as believed now."""
        return self._rate

    @property
    def epoch(self) -> int:
        """How often the gate was shut."""
        return self._epoch

    def on_news(self, listener: Listener) -> None:
        """Nothing to take: it hears nothing but what its callers tell it."""

    async def aclose(self) -> None:
        """Nothing to let go of."""

    def ready_at(self, now: float, *, waiting: bool) -> float:
        """The earliest time a permit may be granted; infinity while a probe is under way."""
        self._advance(now, waiting=waiting)
        if self._gate.probing:
            return math.inf
        paced = now if self._tokens >= 1.0 else now + (1.0 - self._tokens) / self._rate
        return max(paced, self._gate.until)

    def grant(self, now: float) -> Permit:
        """Take a token; only to be called once `ready_at` is reached."""
        self._tokens -= 1.0
        self._passed.add(self._open, 1)
        self._gate.probing = self._gate.single
        return Permit(self._epoch, now, self._gate.single)

    def give_back(self, permit: Permit) -> None:
        """A permit that nobody used."""
        self._tokens = min(self._burst, self._tokens + 1.0)
        self._passed.add(self._open, -1, since_cut=permit.epoch == self._epoch)
        self.forget(permit)

    def forget(self, permit: Permit) -> None:
        """A permit whose outcome nobody will know: it frees the probe's place but does not open the gate."""
        if permit.probe:
            self._gate.probing = False

    def feedback(self, permit: Permit, outcome: Outcome, now: float, retry_after: float | None = None) -> float:
        """Learn from an outcome; returns the seconds everybody pauses because of it, or 0."""
        self.forget(permit)
        again, self._last = outcome is self._last, outcome
        if outcome is Outcome.ANSWERED:
            self._answered(permit, now)
            return 0.0
        self._in_a_row = self._in_a_row + 1 if again else 1
        if self._in_a_row >= _OUTAGE_AFTER.get(outcome, 1):
            return self._pause(permit, outcome, now, retry_after)
        if outcome is Outcome.FAILED:
            self._answered(permit, now)
        return 0.0

    def _answered(self, permit: Permit, now: float) -> None:
        self._round_trip += 0.2 * (now - permit.granted - self._round_trip)
        if permit.epoch == self._epoch:
            self._gate.open()

    def _pause(self, permit: Permit, outcome: Outcome, now: float, retry_after: float | None) -> float:
        """Shut the gate; returns the seconds until it opens."""
        current = permit.epoch == self._epoch
        wait = None if retry_after is None else min(retry_after, RETRY_AFTER_CAP)
        if outcome is Outcome.REFUSED:
            self._passed.add(self._open, -1, since_cut=current)
        if wait is not None:
            self._gate.shut(now + wait)
        if current:
            self._epoch += 1
            self._gate.shut(now + (self._refused(now, wait or 0.0) if outcome is Outcome.REFUSED else self._down(now)))
            self._tokens, self._filled = min(self._tokens, 1.0), max(now, self._gate.until)
        return max(0.0, self._gate.until - now)

    def _refused(self, now: float, wait: float) -> float:
        """Cut the rate, and again as long as the same limit refuses; returns the pause."""
        gate = self._gate
        gate.refusals += 1
        gate.single = gate.refusals > 1
        if gate.refusals == 1:
            gate.hit = now
        if self._learns:
            if gate.refusals == 1:
                self._rate = self._curve.cut(self._rate, self._passed, self._open)
            held = max(now - gate.hit, wait - _ROUNDED_UP)
            if held > 0.0:
                self._rate = self._curve.held(held)
        first = max(1.0 / self._rate, _PAUSE_TRIPS * self._round_trip, _PAUSE_LEAST)
        return min(_PAUSE_CAP, first * _doubled(gate.refusals - 1))

    def _down(self, now: float) -> float:
        """An outage says nothing of the rate; returns the pause before the next probe."""
        pause = min(_DOWN_CAP, _DOWN_BASE * _doubled(self._gate.outages))
        self._gate.outages += 1
        self._gate.single = True
        self._gate.hit = now  # while it is down it tells nothing of a limit
        return pause * (0.5 + 0.5 * self._chance())

    def _advance(self, now: float, *, waiting: bool) -> None:
        """Refill the bucket and, while callers wait, let the rate grow."""
        filled = now if self._filled is None else self._filled
        elapsed = now - filled
        if elapsed < 0.0:
            if filled > self._gate.until:
                self._filled = now  # the clock went back
            return  # else the bucket stays as it is until the pause is over
        self._filled = now
        self._open += elapsed
        if math.isinf(self._rate):
            self._tokens = self._burst
            return
        self._tokens = min(self._burst, self._tokens + elapsed * self._rate)
        if self._learns and waiting:
            # A machine that slept for an hour has not waited for an hour.
            self._rate = self._curve.grow(min(elapsed, 1.0 + 2.0 / self._rate))


def _doubled(times: int) -> float:
    return 2.0 ** min(times, 32)
