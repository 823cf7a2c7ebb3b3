"""One learned limit for all processes that use a key, kept in Redis or Valkey.

The record is worked on by a script, `shared_rate.lua`, which is `controller.py` step for step. A process reserves one
request ahead and queues its calls locally, so that a process that dies takes one reservation with it. No call ever
fails because of Redis: while it does not answer, each process goes on by itself at its share of the last known rate.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Sequence
from typing import Any
from weakref import ref

from attrs import define

from .clock import Clock, Timer
from .controller import RETRY_AFTER_CAP, START_RATE, Listener, Outcome, Permit, RateController
from .redis_rate import RedisRate
from .redis_record import Record, Reply

_LOG = logging.getLogger("voxloud_async")

FALLBACK = 5.0
"""Seconds for which a process goes on by itself before it asks Redis again."""

HELD = 0.5
"""Seconds for which a reservation that nobody uses is kept from the others."""

_UNUSED, _FORGOTTEN = "unused", "forgotten"
_NO_FAULT = (_UNUSED, _FORGOTTEN, Outcome.ANSWERED.value)
_PAUSING = (Outcome.REFUSED, Outcome.DOWN)


@define
class SharedPermit(Permit):
    """A permit that Redis granted; `attentive` where it waits to hear that all is well again."""

    attentive: bool = False


class SharedController:
    """The face of a `RateController` over the shared record.

    At most one reservation is held. News that change nothing - an answer while all is well - are not sent, the others
    ride along with the next reservation, so that a request costs about one round trip to Redis.
    """

    def __init__(
        self, settings: RedisRate, api_key: str, clock: Clock, *, base_url: str, chance: Callable[[], float]
    ) -> None:
        self._listener: Callable[[], Listener | None] = lambda: None
        self._record = Record(settings, api_key, base_url)
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

    def on_news(self, listener: Listener) -> None:
        """Take who is to know when Redis has answered, for as long as it lives."""
        self._listener = ref(listener)

    def ready_at(self, now: float, *, waiting: bool) -> float:
        """The time of the reservation; infinity while one is being asked for."""
        if now < self._share.until:
            return max(self._shut, self._share.controller.ready_at(now, waiting=waiting))
        if self._reserved is not None:
            return max(now, self._reserved.granted)
        if now < self._shut:
            return self._shut
        self._wanted, self._waiting = True, waiting
        self._ensure_pump()
        return math.inf

    def grant(self, now: float) -> Permit:
        """Use the reservation."""
        permit = self._take_reserved()
        if permit is None:
            return self._share.controller.grant(now)
        permit.granted = now  # not when it could be had: what is learned is the time of the exchange
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
            pause = self._share.controller.feedback(permit, outcome, now, retry_after)
            self._shut = max(self._shut, now + pause)  # also once Redis is back
            return pause
        bad = outcome in _PAUSING
        if bad:
            self._return_reserved()
            self._shut = max(self._shut, now + min(retry_after or 0.0, RETRY_AFTER_CAP))
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
        waited = -1.0 if retry_after is None else retry_after
        item = [news, permit.epoch, int(permit.probe), max(0.0, trip), waited, self._chance()]
        now = self._clock.now()
        if now < self._share.until:
            self._share.hear([item], now)  # a lost probe frees its place by itself, after its lease
        else:
            self._news.append(item)
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
                self._go_alone(news, error)
            else:
                self._hear(reply, asked=ask)
            self._wanted = self._wanted and not ask  # else those who came meanwhile would reserve a second time
            if (listener := self._listener()) is not None:
                listener.wake()
            if self._reserved is not None and self._expiry is None:
                self._expiry = self._clock.call_at(self._reserved.granted + HELD, self._return_reserved)

    def _go_alone(self, news: list[list[Any]], error: Exception) -> None:
        """Ask nothing more of Redis for a while, and learn what it was to hear, also what came meanwhile."""
        unheard, self._news, self._wanted = news + self._news, [], False
        self._take_reserved()
        self._share.go_alone(self._clock.now(), error)
        self._share.hear(unheard, self._clock.now())

    def _hear(self, reply: Reply, *, asked: bool) -> None:
        now = self._clock.now()
        self._share.rate = reply.rate
        if reply.granted:
            self._reserved = SharedPermit(reply.epoch, now + reply.wait, reply.probe, reply.attentive)
        elif asked:
            self._shut = now + reply.wait
        if reply.pause > 0.0:
            self._shut = max(self._shut, now + reply.pause)
            if (listener := self._listener()) is not None:
                listener.shut(now + reply.pause, reply.pause)


class _Share:
    """What a process does while Redis does not answer: its share of the last known rate, behind a gate of its own."""

    def __init__(self, settings: RedisRate, chance: Callable[[], float]) -> None:
        self.rate = settings.rate or START_RATE
        self.until = -math.inf
        self._processes = settings.processes
        self._chance = chance
        self.controller = self._controller()
        self._epoch = 0

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
        self._epoch = self.controller.epoch

    def hear(self, news: Sequence[list[Any]], now: float) -> None:
        """Learn from faults that Redis did not get to know; however many they are, they are of one epoch."""
        for outcome, _epoch, _probe, trip, waited, _chance in news:
            if outcome not in _NO_FAULT:
                wait = None if waited < 0.0 else waited
                self.controller.feedback(Permit(self._epoch, now - trip), Outcome(outcome), now, wait)

    def _controller(self) -> RateController:
        return RateController(self.rate, chance=self._chance, processes=self._processes)
