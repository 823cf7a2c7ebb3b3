"""From the client's `rate` to what paces its calls."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

from .._clock import Clock, LoopClock
from .._ratelimit.controller import Controller, RateController
from .._ratelimit.key_limit import KeyLimit, limit_of_key
from .._ratelimit.redis_rate import RedisRate
from ..errors import InvalidArgumentError
from ..protocol import arguments
from .auth import ApiKey

Rate = Literal["learned"] | float | RedisRate | None


def key_limit(
    rate: Rate, *, processes: int, api_key: ApiKey, base_url: str, clock: Clock | None, chance: Callable[[], float]
) -> KeyLimit:
    """The limit that a client joins; with a clock of its own it shares one with nobody."""
    arguments.number("processes", processes, 1)
    setting = _checked(rate)
    if isinstance(setting, RedisRate) and processes != 1:
        raise InvalidArgumentError("processes", "is to be given to RedisRate, which has its own")
    key = api_key.reveal()

    def make() -> Controller:
        if isinstance(setting, RedisRate):
            return _shared(setting, key, base_url, clock or LoopClock(), chance)
        return RateController(setting, chance=chance, processes=processes)

    if clock is not None:
        return KeyLimit(make())
    return limit_of_key(key, base_url, (setting, processes), make)


def _shared(setting: RedisRate, key: str, base_url: str, clock: Clock, chance: Callable[[], float]) -> Controller:
    try:
        from .._ratelimit.redis_controller import RedisController  # noqa: PLC0415 - it loads redis
    except ModuleNotFoundError as error:
        raise ImportError("RedisRate needs redis: pip install 'voxloud_async[redis]'", name=error.name) from error
    return RedisController(setting, key, clock, base_url=base_url, chance=chance)


def _checked(rate: Rate) -> float | RedisRate | None:
    """What the controller calls learned is None, and what has no limit is infinite."""
    if isinstance(rate, RedisRate):
        return rate
    if rate is None:
        return math.inf
    if isinstance(rate, str):
        if rate != "learned":
            raise InvalidArgumentError("rate", "must be 'learned', requests a second, None or a RedisRate")
        return None
    return arguments.seconds("rate", rate)
