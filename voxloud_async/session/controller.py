"""The rate controller: how fast to send, learned from refusals. No I/O, no clock of its own: every method takes `now`.

A token bucket paces; its rate grows along a cubic curve in the time callers really wait, and is cut once for every set
of requests that were under way together (an epoch). A refusal shuts a gate that all callers share. The numbers come
from simulating 64 workers against fixed, sliding and bucket limits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import Enum

from attrs import define, frozen

START_RATE = 15.0
BURST = 10.0
"""Requests a second, and at once, before anything is known: a storm of 200 calls at hidden limits of 5 to 100 a second
then ends nearest to the best possible, with few refusals."""

# What follows was chosen with `benchmarks/storm/simulate.py`; the shares are of the rate at which a refusal came.
_SLOW_START_DOUBLING = 1.0  # seconds in which an untried rate doubles
_RECENT = 2.0  # seconds over which granted requests are counted for the first guess of a limit ...
_SLOTS = 8  # ... in so many slots
_FIRST_CUT, _CUT = 0.85, 0.95  # the rate after a refusal: of a first guess, of a known limit
_CEILING = 0.98  # where the curve levels out, just below the limit found
_REPEATED, _REPEATED_CUT = 4, 0.7  # every fourth refusal in a row: the limit itself went down
_AGREEMENT = 0.06  # limits found one after the other that differ by less are the same
_K_LEAST, _K_MOST, _K_FACTOR = 10.0, 60.0, 1.5  # seconds until the curve probes again, longer while limits agree
_PROBE_GROWTH, _PROBE_SECONDS = 0.2, 10.0  # it then grows by a fifth in ten seconds, and ever faster
_LEAST_RATE, _MOST_RATE = 0.05, 10_000.0
_PAUSE_LEAST, _PAUSE_CAP = 0.05, 5.0  # seconds after a refusal, doubling between these
_DOWN_BASE, _DOWN_CAP = 0.5, 4.0  # seconds between the probes of an outage, doubling between these
RETRY_AFTER_CAP = 300.0  # seconds: a service that asks for more is asked again
_LOST_IN_A_ROW = 3  # answers lost one after the other count as an outage


class Outcome(Enum):
    """What an attempt tells about the service's willingness."""

    ANSWERED = "answered"
    REFUSED = "refused"
    DOWN = "down"
    LOST = "lost"


@frozen
class Permit:
    """Leave to send one request. `epoch` tells feedback on old news from feedback on the current rate."""

    epoch: int
    granted: float
    probe: bool = False


@define
class _Gate:
    """Holds everybody until a time; once refusals repeat, it lets a single probe through at a time."""

    until: float = -math.inf
    single: bool = False
    probing: bool = False
    refusals: int = 0
    outages: int = 0

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
        self._curve = _Curve(self._rate)
        self._recent = _Recent()
        self._round_trip = 0.0
        self._lost = 0
        self._open = 0.0

    @property
    def rate(self) -> float:
        """Requests a second, as believed now."""
        return self._rate

    def on_news(self, wake: Callable[[], object]) -> None:
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
        self._recent.add(self._open, 1)
        self._gate.probing = self._gate.single
        return Permit(self._epoch, now, self._gate.single)

    def give_back(self, permit: Permit) -> None:
        """A permit that nobody used."""
        self._tokens = min(self._burst, self._tokens + 1.0)
        self._recent.add(self._open, -1)
        self.forget(permit)

    def forget(self, permit: Permit) -> None:
        """A permit whose outcome nobody will know: it frees the probe's place but does not open the gate."""
        if permit.probe:
            self._gate.probing = False

    def feedback(self, permit: Permit, outcome: Outcome, now: float, retry_after: float | None = None) -> float:
        """Learn from an outcome; returns the seconds everybody pauses because of it, or 0."""
        self.forget(permit)
        if outcome is Outcome.ANSWERED:
            self._answered(permit, now)
            return 0.0
        self._lost = self._lost + 1 if outcome is Outcome.LOST else 0
        if outcome is Outcome.LOST and self._lost < _LOST_IN_A_ROW:
            return 0.0
        if outcome is Outcome.REFUSED:
            self._recent.add(self._open, -1)
        if retry_after is not None:
            self._gate.shut(now + min(retry_after, RETRY_AFTER_CAP))
        if permit.epoch == self._epoch:
            self._epoch += 1
            self._gate.shut(now + (self._refused() if outcome is Outcome.REFUSED else self._down()))
            self._tokens, self._filled = min(self._tokens, 1.0), max(now, self._gate.until)
        return max(0.0, self._gate.until - now)

    def _answered(self, permit: Permit, now: float) -> None:
        self._lost = 0
        self._round_trip += 0.2 * (now - permit.granted - self._round_trip)
        if permit.epoch == self._epoch:
            self._gate.open()

    def _refused(self) -> float:
        """Cut the rate, once for a row of refusals and again at every fourth; returns the pause."""
        self._gate.refusals += 1
        if self._gate.refusals == 1:
            self._cut()
        elif self._learns and self._gate.refusals % _REPEATED == 0:
            self._rate = max(_LEAST_RATE, self._rate * _REPEATED_CUT)
            self._curve.restart(self._rate)
        self._gate.single = self._gate.refusals > 1
        first = max(1.0 / self._rate, 1.5 * self._round_trip, _PAUSE_LEAST)
        return min(_PAUSE_CAP, first * _doubled(self._gate.refusals - 1))

    def _down(self) -> float:
        """An outage says nothing of the rate; returns the pause before the next probe."""
        pause = min(_DOWN_CAP, _DOWN_BASE * _doubled(self._gate.outages))
        self._gate.outages += 1
        self._gate.single = True
        return pause * (0.5 + 0.5 * self._chance())

    def _cut(self) -> None:
        if self._learns:
            seen = min(_RECENT, self._open)
            accepted = self._recent.count(self._open) / seen if seen > 0.0 else self._rate
            self._rate = max(_LEAST_RATE, self._curve.cut(self._rate, accepted, early=seen < _RECENT))

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
            self._rate = min(_MOST_RATE, self._curve.grow(min(elapsed, 1.0 + 2.0 / self._rate)))


class _Recent:
    """How many requests were granted, and not refused, in the last seconds that the gate was open."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}

    def add(self, at: float, count: int) -> None:
        """Count requests in or out."""
        self._counts[_slot(at)] = self._counts.get(_slot(at), 0) + count

    def count(self, at: float) -> int:
        """The requests of the last seconds."""
        self._counts = {slot: count for slot, count in tuple(self._counts.items()) if slot > _slot(at) - _SLOTS}
        return sum(self._counts.values())


def _doubled(times: int) -> float:
    return 2.0 ** min(times, 32)


def _slot(at: float) -> int:
    return int(at / _RECENT * _SLOTS)


class _Curve:
    """The rate over time: doubling every second until the first cut, then cubic around the last limit found."""

    def __init__(self, start: float) -> None:
        self._low = start
        self._high: float | None = None
        self._found: float | None = None
        self._flat = _K_LEAST
        self._age = 0.0
        self._early = False

    def grow(self, elapsed: float) -> float:
        """The rate after `elapsed` more seconds in which callers waited."""
        self._age += elapsed
        if self._high is None:
            return self._low * math.pow(2.0, min(self._age / _SLOW_START_DOUBLING, 60.0))
        if self._age <= self._flat:
            return self._high - (self._high - self._low) * ((self._flat - self._age) / self._flat) ** 3
        return self._high * (1.0 + _PROBE_GROWTH * ((self._age - self._flat) / _PROBE_SECONDS) ** 3)

    def cut(self, rate: float, accepted: float, *, early: bool) -> float:
        """The rate after a refusal at `rate`, when `accepted` requests a second were answered of late.

        What is found `early` comes from a first burst: the next refusal may again cut deeply.
        """
        first = self._high is None or self._early
        self._early = early
        limit = min(rate, accepted) if first and accepted > 0.0 else rate
        agrees = self._found is not None and abs(limit - self._found) <= _AGREEMENT * self._found
        self._flat = min(_K_MOST, self._flat * _K_FACTOR) if agrees else _K_LEAST
        self._low = (_FIRST_CUT if self._high is None else _CUT) * limit
        self._found, self._high = limit, _CEILING * limit
        self._age = 0.0
        return self._low

    def restart(self, rate: float) -> None:
        """Begin anew from a lower rate."""
        self._low, self._high, self._age = rate, rate / _CUT, 0.0
