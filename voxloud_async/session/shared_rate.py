"""One learned limit for all processes that use a key, kept in Redis or Valkey.

The record is worked on by a script, `shared_rate.lua`, which is `controller.py` step for step. A process reserves one
request ahead and queues its calls locally, so that a process that dies takes one reservation with it. No call ever
fails because of Redis: while it does not answer, each process goes on by itself at its share of the last known rate.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
from collections.abc import AsyncGenerator, Callable
from importlib import resources
from typing import Any

from attrs import frozen
from redis.asyncio import Redis
from redis.commands.core import AsyncScript
from redis.exceptions import RedisError

from ..errors import UsageError
from ..wire.lifetime import LoopBound
from .clock import Clock
from .controller import BURST, START_RATE, Outcome, Permit, RateController
from .redis_rate import RedisRate

SOCKET_TIMEOUT = 0.25
"""Seconds; redis-py waits 5 by default, and a server that hangs would hold up every call as long."""

FALLBACK = 5.0
"""Seconds for which a process goes on by itself before it asks Redis again."""

_UNUSED, _FORGOTTEN = "unused", "forgotten"


@frozen
class _Reply:
    granted: bool
    wait: float
    epoch: int
    probe: bool
    attentive: bool
    rate: float

    @classmethod
    def read(cls, answer: list[bytes]) -> _Reply:
        granted, wait, epoch, probe, attentive, rate, _pause = (float(part) for part in answer)
        return cls(bool(granted), max(0.0, wait), int(epoch), bool(probe), bool(attentive), rate)


@frozen
class SharedPermit(Permit):
    """A permit that Redis granted; `attentive` where it waits to hear that all is well again."""

    attentive: bool = False


class _Record:
    """The record of a key, by way of its script."""

    def __init__(self, settings: RedisRate, api_key: str) -> None:
        rate = START_RATE if settings.rate is None else settings.rate
        self._start = json.dumps(
            {"rate": rate, "burst": max(1.0, min(BURST, rate)), "learns": int(settings.rate is None)}
        )
        self._settings = settings
        # The braces keep a record's keys in one slot of a cluster; the key itself never leaves this process for Redis.
        self._name = f"voxloud:{{{hashlib.sha256(api_key.encode()).hexdigest()[:16]}}}:limiter"
        self._script = LoopBound(self._lifespan)

    async def step(self, news: list[list[Any]], *, ask: bool, waiting: bool) -> _Reply:
        """Report what became of requests and, where `ask` is set, reserve one."""
        script = await self._script.get()
        answer = await script(
            keys=[self._name], args=["", self._start, json.dumps(news), str(int(ask)), str(int(waiting))]
        )
        return _Reply.read(answer)

    async def aclose(self) -> None:
        await self._script.aclose()

    async def _lifespan(self) -> AsyncGenerator[AsyncScript, None]:
        redis = Redis.from_url(self._settings.url, socket_timeout=SOCKET_TIMEOUT, socket_connect_timeout=SOCKET_TIMEOUT)
        try:
            yield redis.register_script(resources.files(__package__).joinpath("shared_rate.lua").read_text())
        finally:
            await redis.aclose()


class SharedController:
    """The face of a `RateController` over the shared record.

    At most one reservation is held. News that change nothing - an answer while all is well - are not sent, the others
    ride along with the next reservation, so that a request costs about one round trip to Redis.
    """

    def __init__(self, settings: RedisRate, api_key: str, clock: Clock, *, chance: Callable[[], float]) -> None:
        self._wake: Callable[[], object] = _nobody
        self._record = _Record(settings, api_key)
        self._clock = clock
        self._share = _Share(settings, chance)
        self._news: list[list[Any]] = []
        self._chance = chance
        self._reserved: SharedPermit | None = None
        self._shut = -math.inf
        self._wanted = self._waiting = False
        self._pump: asyncio.Task[None] | None = None

    @property
    def rate(self) -> float:
        """Requests a second of all processes together, as last heard."""
        return self._share.rate

    def on_news(self, wake: Callable[[], object]) -> None:
        """Take what to call when Redis has answered."""
        self._wake = wake

    def ready_at(self, now: float, *, waiting: bool) -> float:
        """The time of the reservation; infinity while one is being asked for."""
        if now < self._share.until:
            return self._share.controller.ready_at(now, waiting=waiting)
        if self._reserved is not None:
            return max(now, self._reserved.granted)
        if now < self._shut:
            return self._shut
        self._wanted, self._waiting = True, waiting
        self._ensure_pump()
        return math.inf

    def grant(self, now: float) -> Permit:
        """Use the reservation."""
        if self._reserved is None:
            return self._share.controller.grant(now)
        permit, self._reserved = self._reserved, None
        return permit

    def give_back(self, permit: Permit) -> None:
        """A permit that nobody used."""
        if isinstance(permit, SharedPermit):
            self._tell(_UNUSED, permit)
        else:
            self._share.controller.give_back(permit)

    def forget(self, permit: Permit) -> None:
        """A permit whose outcome nobody will know."""
        if not isinstance(permit, SharedPermit):
            self._share.controller.forget(permit)
        elif permit.probe:
            self._tell(_FORGOTTEN, permit)

    def feedback(self, permit: Permit, outcome: Outcome, now: float, retry_after: float | None = None) -> float:
        """Pass an outcome on; returns the seconds this process pauses until it has heard from the record, or 0."""
        if not isinstance(permit, SharedPermit):
            return self._share.controller.feedback(permit, outcome, now, retry_after)
        good = outcome is Outcome.ANSWERED
        if not good or permit.attentive or permit.probe:
            self._tell(outcome.value, permit, now - permit.granted, retry_after)
        if good or outcome is Outcome.LOST:
            return 0.0
        if self._reserved is not None:
            self._tell(_UNUSED, self._reserved)
            self._reserved = None
        return retry_after or 1.0 / self.rate

    async def aclose(self) -> None:
        """Let go of Redis."""
        if self._pump is not None:
            self._pump.cancel()
        await self._record.aclose()

    def _tell(self, news: str, permit: Permit, trip: float = 0.0, retry_after: float | None = None) -> None:
        waited = -1.0 if retry_after is None else retry_after
        self._news.append([news, permit.epoch, int(permit.probe), max(0.0, trip), waited, self._chance()])
        self._ensure_pump()

    def _ensure_pump(self) -> None:
        loop = asyncio.get_running_loop()
        if self._pump is None or self._pump.done() or self._pump.get_loop() is not loop:
            self._pump = loop.create_task(self._run())

    async def _run(self) -> None:
        while self._news or self._wanted:
            news, self._news = self._news, []
            ask, self._wanted = self._wanted, False
            try:
                reply = await self._record.step(news, ask=ask, waiting=self._waiting)
            except (RedisError, OSError, UsageError):
                self._share.go_alone(self._clock.now())
            else:
                self._hear(reply, asked=ask)
            self._wake()

    def _hear(self, reply: _Reply, *, asked: bool) -> None:
        now = self._clock.now()
        self._share.rate = reply.rate
        if reply.granted:
            self._reserved = SharedPermit(reply.epoch, now + reply.wait, reply.probe, reply.attentive)
        elif asked:
            self._shut = now + reply.wait


def _nobody() -> None:
    """Nobody waits yet."""


class _Share:
    """What a process does while Redis does not answer: its share of the last known rate, behind a gate of its own."""

    def __init__(self, settings: RedisRate, chance: Callable[[], float]) -> None:
        self.rate = settings.rate or START_RATE
        self.until = -math.inf
        self._processes = settings.processes
        self._chance = chance
        self.controller = self._controller()

    def go_alone(self, now: float) -> None:
        """Ask Redis again only after a while."""
        if now - self.until > FALLBACK:  # not the same outage
            self.controller = self._controller()
        self.until = now + FALLBACK

    def _controller(self) -> RateController:
        return RateController(self.rate, chance=self._chance, processes=self._processes)
