"""The rate over time, and the counts it is learned from. No I/O and no clock.

The shares and seconds were chosen with `benchmarks/storm/simulate.py`.
"""

from __future__ import annotations

import math

from attrs import frozen

RECENT = 2.0
"""Seconds over which granted requests are counted for the first guess of a limit."""

_SLOTS = 8  # in so many slots
_SLOW_START_DOUBLING = 1.0  # seconds in which an untried rate doubles
_FIRST_CUT, _EARLY_CUT, _CUT = 0.85, 0.9, 0.95  # of the limit found: by the first guess, soon after it, later on
_CEILING = 0.98  # where the curve levels out, just below a limit that refuses at once
_SPREAD = 0.98  # the share of a long window's limit to begin with: spread over the whole of it, it levels out at all
_OVERRUN = 1.03  # of a still longer one's: the few refusals at its end cost less than what would be left of it
_SLOW = 0.5  # requests a second: below it, a refusal at a window's end costs more than it gains
_AGREEMENT = 0.06  # limits found one after the other that differ by less are the same
_FLAT_LEAST, _FLAT_MOST, _FLAT_FACTOR = 10.0, 60.0, 1.5  # seconds until the curve probes again, more while limits agree
_FLAT_REQUESTS = 10.0  # and no sooner than after so many requests
_PROBE_GROWTH = 0.1  # it then grows by a tenth in a window's time, and ever faster
LEAST_RATE, MOST_RATE = 1 / 120, 10_000.0


class RequestCounter:
    """How many requests were granted and not refused: recently, in seconds that the gate was open, and since a cut."""

    def __init__(self) -> None:
        self.since_cut = 0
        self._counts: dict[int, int] = {}

    def add(self, at: float, count: int, *, since_cut: bool = True) -> None:
        """Count requests in or out; those that were granted before the cut count as recent only."""
        slot = _slot(at)
        if slot not in self._counts:
            self._forget_before(slot)
        self._counts[slot] = self._counts.get(slot, 0) + count
        if since_cut:
            self.since_cut += count

    def recent(self, at: float) -> int:
        """The requests of the last seconds."""
        self._forget_before(_slot(at))
        return sum(self._counts.values())

    def _forget_before(self, now: int) -> None:
        self._counts = {slot: count for slot, count in self._counts.items() if slot > now - _SLOTS}


def _slot(at: float) -> int:
    return int(at / RECENT * _SLOTS)


@frozen
class _Hit:
    """A refusal: the limit it showed, what was known before, and how many requests had passed in how many seconds."""

    limit: float
    found: float | None = None
    flat: float = _FLAT_LEAST
    passed: tuple[tuple[int, float], ...] = ()


class RateCurve:
    """The rate over time: doubling every second until the first cut, then cubic around the last limit found."""

    def __init__(self, start: float) -> None:
        self._low = start
        self._high: float | None = None
        self._hit = _Hit(start)
        self._found: float | None = None
        self._flat = self._window = _FLAT_LEAST
        self._age = 0.0
        self._early = False

    @property
    def is_slow(self) -> bool:
        """Return True if so few requests pass that a window's end is to be found with as few refusals as can be."""
        return self._high is not None and self._low < _SLOW

    def grow(self, elapsed: float) -> float:
        """The rate after `elapsed` more seconds in which callers waited."""
        self._age += elapsed
        if self._high is None:
            return min(MOST_RATE, self._low * math.pow(2.0, min(self._age / _SLOW_START_DOUBLING, 60.0)))
        if self._age <= self._flat:
            return self._high - (self._high - self._low) * ((self._flat - self._age) / self._flat) ** 3
        return min(MOST_RATE, self._high * (1.0 + _PROBE_GROWTH * ((self._age - self._flat) / self._window) ** 3))

    def cut(self, rate: float, passed: RequestCounter, open_seconds: float) -> float:
        """The rate after a refusal at `rate`. What is found `early` comes from a burst: it may again be a guess."""
        guessed = self._high is None or self._early
        share = _FIRST_CUT if self._high is None else _EARLY_CUT if self._early else _CUT
        seen, recent = min(RECENT, open_seconds), passed.recent(open_seconds)
        self._early = seen < RECENT
        limit = recent / seen if guessed and 0 < recent < rate * seen else rate
        known = ((passed.since_cut, self._age), (recent, seen))
        self._hit = _Hit(limit, self._found, self._flat, known if guessed else known[:1])
        passed.since_cut = 0
        return self._settle(limit, share * limit, _CEILING * limit)

    def held(self, seconds: float) -> float:
        """The rate where a limit still refuses so long after it was hit: what had passed was then all for as long.

        A window of many seconds is found so, and its requests spread. The curve then waits a whole window before it
        probes for more, and probes as slowly. Where nothing had passed, others have used the limit up, and how long
        it refuses gives no estimate of it.
        """
        known = [(count, time) for count, time in self._hit.passed if count > 0]
        if not known:
            return self._low
        seconds = min(_FLAT_MOST, seconds)
        self._window = max(self._window, seconds)
        limit = min(self._hit.limit, max(count / (time + seconds) for count, time in known))
        if self._window <= _FLAT_LEAST:
            return self._settle(limit, min(self._low, _SPREAD * limit), limit)
        share = _SPREAD if limit < _SLOW else _OVERRUN
        return self._settle(limit, share * limit, share * limit)

    def _settle(self, limit: float, low: float, high: float) -> float:
        before = self._hit.found
        agrees = before is not None and abs(limit - before) <= _AGREEMENT * before
        longer = min(_FLAT_MOST, self._hit.flat * _FLAT_FACTOR) if agrees else 0.0
        self._flat = max(self._window, longer, _FLAT_REQUESTS / max(LEAST_RATE, limit))
        self._found, self._low, self._high = limit, max(LEAST_RATE, low), max(LEAST_RATE, high)
        self._age = 0.0
        return self._low
