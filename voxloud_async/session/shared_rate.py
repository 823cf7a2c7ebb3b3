"""One learned limit for all processes that use a key, kept in Redis or Valkey.

The record is worked on by a script, `shared_rate.lua`, which is `controller.py` step for step. A process reserves one
request ahead and queues its calls locally, so that a process that dies takes one reservation with it. No call ever
fails because of Redis: while it does not answer, each process goes on by itself at its share of the last known rate.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import math
from collections.abc import AsyncGenerator, Callable
from importlib import resources
from typing import Any

from attrs import frozen
from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.commands.core import AsyncScript

from ..wire.lifetime import LoopBound
from .clock import Clock, Timer
from .controller import BURST, RETRY_AFTER_CAP, START_RATE, Outcome, Permit, RateController
from .redis_rate import RedisRate

_LOG = logging.getLogger("voxloud_async")

SOCKET_TIMEOUT = 0.25
"""Seconds; redis-py waits 5 by default, and a server that hangs would hold up every call as long."""

FALLBACK = 5.0
"""Seconds for which a process goes on by itself before it asks Redis again."""

PATIENCE = 0.3
"""Seconds for one step in all: a name to look up, a connection to open and several answers may each take their time."""

HELD = 0.5
"""Seconds for which a reservation that nobody uses is kept from the others."""

_UNUSED, _FORGOTTEN = "unused", "forgotten"
_PAUSING = (Outcome.REFUSED, Outcome.DOWN)


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

    def __init__(self, settings: RedisRate, api_key: str, base_url: str) -> None:
        _check_url(settings.url)
        self._settings = settings
        # The braces keep a record's keys in one slot of a cluster; the key itself never leaves this process for Redis.
        who = hashlib.sha256(f"{base_url}\n{settings.rate}\n{api_key}".encode()).hexdigest()[:16]
        self._name = f"voxloud:{{{who}}}:limiter"
        self._script = LoopBound(self._lifespan)

    async def step(self, news: list[list[Any]], *, rate: float, ask: bool, waiting: bool) -> _Reply:
        """Report what became of requests and, where `ask` is set, reserve one; a lost record starts from `rate`."""
        arguments = ["", self._start(rate), json.dumps(news), str(int(ask)), str(int(waiting))]
        async with asyncio.timeout(PATIENCE):
            script = await self._script.get()
            return _Reply.read(await script(keys=[self._name], args=arguments))

    async def aclose(self) -> None:
        """Close the connection; the next step opens another."""
        script, self._script = self._script, LoopBound(self._lifespan)
        await script.aclose()

    def _start(self, rate: float) -> str:
        learns = self._settings.rate is None
        burst = BURST if learns else max(1.0, min(BURST, rate))
        return json.dumps({"rate": rate, "burst": burst, "learns": int(learns)})

    async def _lifespan(self) -> AsyncGenerator[AsyncScript, None]:
        redis = Redis.from_url(
            self._settings.url,
            socket_timeout=SOCKET_TIMEOUT,
            socket_connect_timeout=SOCKET_TIMEOUT,
            retry=Retry(NoBackoff(), 0),  # redis-py's own would try for seconds
        )
        try:
            yield redis.register_script(
                resources.files("voxloud_async.session").joinpath("shared_rate.lua").read_text()
            )
        finally:
            await redis.aclose()


class SharedController:
    """The face of a `RateController` over the shared record.

    At most one reservation is held. News that change nothing - an answer while all is well - are not sent, the others
    ride along with the next reservation, so that a request costs about one round trip to Redis.
    """

    def __init__(
        self, settings: RedisRate, api_key: str, clock: Clock, *, base_url: str, chance: Callable[[], float]
    ) -> None:
        self._wake: Callable[[], object] = _nobody
        self._record = _Record(settings, api_key, base_url)
        self._clock = clock
        self._share = _Share(settings, chance)
        self._news: list[list[Any]] = []
        self._chance = chance
        self._reserved: SharedPermit | None = None
        self._expiry: Timer | None = None
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
        return self._take_reserved() or self._share.controller.grant(now)

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
        bad = outcome in _PAUSING
        if bad:
            self._return_reserved()
        if outcome is not Outcome.ANSWERED or permit.attentive or permit.probe:
            self._tell(outcome.value, permit, now - permit.granted, retry_after)
        return min(retry_after or 1.0 / self.rate, RETRY_AFTER_CAP) if bad else 0.0

    async def aclose(self) -> None:
        """Give the reservation and the connection back; used again it opens another."""
        self._wanted = False
        await self._pumped()
        self._return_reserved()
        await self._pumped()
        await self._record.aclose()

    async def _pumped(self) -> None:
        """Wait until what is on its way to Redis has been answered."""
        pump, self._pump = self._pump, None
        if pump is not None and pump.get_loop() is asyncio.get_running_loop():
            await asyncio.wait({pump})

    def _take_reserved(self) -> SharedPermit | None:
        permit, self._reserved = self._reserved, None
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
        return permit

    def _return_reserved(self) -> None:
        permit = self._take_reserved()
        if permit is not None:
            self._tell(_UNUSED, permit)

    def _tell(self, news: str, permit: Permit, trip: float = 0.0, retry_after: float | None = None) -> None:
        if self._clock.now() < self._share.until:
            return  # a lost probe frees its place by itself, after its lease
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
                reply = await self._record.step(news, rate=self._share.rate, ask=ask, waiting=self._waiting)
            except Exception as error:  # noqa: BLE001 - whatever becomes of Redis, calls go on
                self._take_reserved()
                self._share.go_alone(self._clock.now(), error)
            else:
                self._hear(reply, asked=ask)
            self._wanted = self._wanted and not ask  # else those who came meanwhile would reserve a second time
            self._wake()
            if self._reserved is not None and self._expiry is None:
                self._expiry = self._clock.call_at(self._reserved.granted + HELD, self._return_reserved)

    def _hear(self, reply: _Reply, *, asked: bool) -> None:
        now = self._clock.now()
        self._share.rate = reply.rate
        if reply.granted:
            self._reserved = SharedPermit(reply.epoch, now + reply.wait, reply.probe, reply.attentive)
        elif asked:
            self._shut = now + reply.wait


def _nobody() -> None:
    """Nobody waits yet."""


def _check_url(url: str) -> None:
    """Raise ValueError where redis-py would only when it is asked to connect."""
    try:
        pool = ConnectionPool.from_url(url)
        pool.connection_class(**pool.connection_kwargs)
    except (TypeError, ValueError) as error:
        raise ValueError(f"the url of RedisRate cannot be used: {error}") from None


class _Share:
    """What a process does while Redis does not answer: its share of the last known rate, behind a gate of its own."""

    def __init__(self, settings: RedisRate, chance: Callable[[], float]) -> None:
        self.rate = settings.rate or START_RATE
        self.until = -math.inf
        self._processes = settings.processes
        self._chance = chance
        self.controller = self._controller()

    def go_alone(self, now: float, error: Exception) -> None:
        """Ask Redis again only after a while."""
        if now - self.until > FALLBACK:  # not the same outage
            self.controller = self._controller()
            _LOG.warning(
                "Redis does not answer (%s): this process goes on by itself at %.1f requests a second",
                type(error).__name__,
                self.controller.rate,
            )
        self.until = now + FALLBACK

    def _controller(self) -> RateController:
        return RateController(self.rate, chance=self._chance, processes=self._processes)
