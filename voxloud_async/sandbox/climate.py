"""The weather in force: decides, request by request, what happens to it. No I/O, and time is an argument."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from email.utils import formatdate
from http import HTTPStatus

from attrs import define, field, frozen

from .dice import Dice
from .limits import Meter
from .weather import Cut, Fault, Weather

_ANYWHERE: tuple[Cut, ...] = ("before_headers", "inside_headers", "inside_body")
_FINE = 1_000_000
_MOST_KEYS = 1_000
"""Keys whose requests are counted, right and wrong ones; the oldest goes first."""
_CALM = Fault()


@frozen(kw_only=True)
class Fate:
    """What happens to a request. `delay` is seconds; `meters` count it until it is answered."""

    fault: Fault = _CALM
    delay: float = 0.0
    refused: bool = False
    meters: tuple[Meter, ...] = ()

    @property
    def executed(self) -> bool:
        """Whether the request takes effect."""
        return self.fault.carries_out

    def over(self) -> None:
        """The request is answered, or can no longer be."""
        for meter in self.meters:
            meter.release()


@define
class _Scripted:
    fault: Fault
    left: int
    match: str


@define
class Climate:
    """Limits, maintenance, scripted faults and chance, asked in this order. `wall` is the time of day, for dates."""

    weather: Weather
    started: float
    wall: Callable[[], float]
    dice: Dice
    _meters: dict[str, tuple[Meter, ...]] = field(factory=dict, init=False, repr=False)
    _script: list[_Scripted] = field(factory=list, init=False)
    _executed: int = field(default=0, init=False)
    _closed_from: float | None = field(default=None, init=False)

    def change(self, weather: Weather) -> None:
        """Other weather from now on; limits count anew."""
        self.weather = weather
        self._meters.clear()
        self._executed, self._closed_from = 0, None

    def script(self, fault: Fault, *, times: int, match: str) -> None:
        """The next `times` requests whose "METHOD /path" starts with `match` meet this fault."""
        self._script.append(_Scripted(fault, times, match))

    def judge(self, *, key: str, line: str, now: float) -> Fate:
        """The fate of a request with this key and "METHOD /path"."""
        delay = self.weather.latency + self.weather.jitter * self._share()
        chance = self._by_chance()
        meters = self._meters_of(key)
        closed, full = self._maintenance(now), max((meter.wait(now) for meter in meters), default=0.0)
        if closed > 0:
            return self._refusal(HTTPStatus.SERVICE_UNAVAILABLE, closed, delay)
        if full > 0:
            return self._refusal(HTTPStatus.TOO_MANY_REQUESTS, full, delay)
        for meter in meters:
            meter.take(now)
        fault = self._scripted(line) or chance
        self._count(fault, now)
        return Fate(fault=fault, delay=delay + fault.delay, meters=meters, refused=_turns_away(fault))

    def _meters_of(self, key: str) -> tuple[Meter, ...]:
        meters = self._meters.get(key)
        if meters is None:
            if len(self._meters) >= _MOST_KEYS:
                del self._meters[next(iter(self._meters))]
            meters = self._meters[key] = tuple(limit.meter() for limit in self.weather.limits)
        return meters

    def _maintenance(self, now: float) -> float:
        """Seconds until maintenance is over, 0.0 when there is none."""
        passed = now - self.started
        windows: Iterable[tuple[float, float]] = self.weather.maintenance
        if self._closed_from is not None:
            windows = (*windows, (self._closed_from, self.weather.maintenance_length))
        return max(
            (start + length - passed for start, length in windows if start <= passed < start + length), default=0.0
        )

    def _refusal(self, status: HTTPStatus, wait: float, delay: float) -> Fate:
        fault = Fault(status=status, retry_after=self._retry_after(wait), html=self.weather.html_errors)
        return Fate(fault=fault, delay=delay, refused=True)

    def _retry_after(self, wait: float) -> str | None:
        seconds = max(1, math.ceil(wait))
        if self.weather.retry_after == "none":
            return None
        return str(seconds) if self.weather.retry_after == "seconds" else formatdate(self.wall() + seconds, usegmt=True)

    def _scripted(self, line: str) -> Fault | None:
        for each in self._script:
            if line.startswith(each.match):
                each.left -= 1
                if each.left == 0:
                    self._script.remove(each)
                return each.fault
        return None

    def _by_chance(self) -> Fault:
        weather, share, where = self.weather, self._share(), self.dice.choose(_ANYWHERE)
        error = Fault(status=HTTPStatus.INTERNAL_SERVER_ERROR, html=weather.html_errors)
        outcomes = (
            (weather.cut_before, Fault(cut="before_headers")),
            (weather.cut_after, Fault(cut=where, executed=True)),
            (weather.error_before, error),
            (weather.error_after, Fault(status=error.status, html=error.html, executed=True)),
            (weather.slow_bodies, Fault(slow_body=weather.slow_body)),
        )
        for chance, fault in outcomes:
            if share < chance:
                return fault
            share -= chance
        return _CALM

    def _share(self) -> float:
        return self.dice.below(_FINE) / _FINE

    def _count(self, fault: Fault, now: float) -> None:
        self._executed += fault.carries_out
        if self._closed_from is None and self._executed == self.weather.maintenance_after:
            self._closed_from = now - self.started


def _turns_away(fault: Fault) -> bool:
    return not fault.executed and fault.status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
