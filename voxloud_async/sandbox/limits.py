"""Hidden rate limits: values that say how much, meters that count. Time is always an argument, in seconds.

A meter's `wait(now)` is 0.0 when a request may pass, else the seconds until one could; `take(now)` counts one in.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol

from attrs import define, field, frozen
from attrs.validators import gt


class Meter(Protocol):
    """The count of one API key."""

    def wait(self, now: float) -> float:
        """Seconds until a request could pass, 0.0 if now."""
        ...

    def take(self, now: float) -> None:
        """Count a request that passes."""
        ...

    def release(self) -> None:
        """A request that passed is answered."""
        ...


class Limit(Protocol):
    """A limit to put into `Weather.limits`."""

    def meter(self) -> Meter:
        """A fresh count."""
        ...


@frozen
class FixedWindow:
    """`requests` in each window of `seconds`; the windows lie end to end from the first request."""

    requests: int = field(validator=gt(0))
    seconds: float = field(default=1.0, validator=gt(0))

    def meter(self) -> Meter:
        """A fresh count."""
        return _FixedWindowMeter(self)


@frozen
class SlidingWindow:
    """`requests` in any span of `seconds`."""

    requests: int = field(validator=gt(0))
    seconds: float = field(default=1.0, validator=gt(0))

    def meter(self) -> Meter:
        """A fresh count."""
        return _SlidingWindowMeter(self)


@frozen
class TokenBucket:
    """`rate` requests a second, and `burst` at once after a rest."""

    rate: float = field(validator=gt(0))
    burst: int = field(default=1, validator=gt(0))

    def meter(self) -> Meter:
        """A fresh count."""
        return _TokenBucketMeter(self, tokens=float(self.burst))


@frozen
class Concurrency:
    """`requests` at the same time."""

    requests: int = field(validator=gt(0))

    def meter(self) -> Meter:
        """A fresh count."""
        return _ConcurrencyMeter(self)


@define
class _FixedWindowMeter:
    limit: FixedWindow
    start: float = float("-inf")
    count: int = 0

    def wait(self, now: float) -> float:
        left = self.start + self.limit.seconds - now
        return left if left > 0 and self.count >= self.limit.requests else 0.0

    def take(self, now: float) -> None:
        if now >= self.start + self.limit.seconds:
            passed = (now - self.start) % self.limit.seconds if self.count else 0.0
            self.start, self.count = now - passed, 0
        self.count += 1

    def release(self) -> None:
        pass


@define
class _SlidingWindowMeter:
    limit: SlidingWindow
    taken: deque[float] = field(factory=deque)

    def wait(self, now: float) -> float:
        while self.taken and self.taken[0] <= now - self.limit.seconds:
            self.taken.popleft()
        if len(self.taken) < self.limit.requests:
            return 0.0
        return self.taken[0] + self.limit.seconds - now

    def take(self, now: float) -> None:
        self.taken.append(now)

    def release(self) -> None:
        pass


@define
class _TokenBucketMeter:
    limit: TokenBucket
    tokens: float
    at: float = float("-inf")

    def wait(self, now: float) -> float:
        missing = 1.0 - self._level(now)
        return missing / self.limit.rate if missing > _ROUNDING else 0.0

    def take(self, now: float) -> None:
        self.tokens = self._level(now) - 1.0
        self.at = now

    def release(self) -> None:
        pass

    def _level(self, now: float) -> float:
        return min(float(self.limit.burst), self.tokens + (now - self.at) * self.limit.rate)


@define
class _ConcurrencyMeter:
    limit: Concurrency
    running: int = 0

    def wait(self, now: float) -> float:  # noqa: ARG002 - when a slot falls free is not a matter of time
        return 0.0 if self.running < self.limit.requests else 1.0

    def take(self, now: float) -> None:  # noqa: ARG002 - the same
        self.running += 1

    def release(self) -> None:
        self.running -= 1


_ROUNDING = 1e-9
