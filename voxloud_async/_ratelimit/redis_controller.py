"""One learned limit for all processes that use a key, kept in Redis or Valkey.

The record is worked on by a script, `controller.lua`, which is `controller.py` step for step. A process reserves one
request ahead and queues its calls locally, so that a process that dies takes one reservation with it. No call ever
fails because of Redis: while it does not answer, each process paces itself at its share of the last known rate.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Sequence
from typing import Any
from weakref import ref

from .._clock import Clock, Timer
from .controller import START_RATE, Observer, RateController
from .permit import Outcome, Permit
from .redis_rate import RedisRate
from .redis_record import Record, Reply, SharedPermit
from .throttle import PAUSE_CAP, RETRY_AFTER_CAP

_LOG = logging.getLogger("voxloud_async")

FALLBACK = 5.0
"""Seconds for which a process paces itself before it asks Redis again."""

HELD = 0.5
"""Seconds for which a reservation that is not used is kept from the others."""

_UNUSED, _FORGOTTEN = "unused", "forgotten"
_NO_FAULT = (_UNUSED, _FORGOTTEN, Outcome.ANSWERED.value)
_PAUSING = (Outcome.REFUSED, Outcome.DOWN)


class RedisController:
    """A `Controller` over the shared record.

    At most one reservation is held. News that changes nothing - an answer while all is well - is not sent; the rest
    goes with the next reservation, so that a request costs about one round trip to Redis.
    """

    def __init__(
        self, settings: RedisRate, api_key: str, clock: Clock, *, base_url: str, chance: Callable[[], float]
    ) -> None:
        self._observer: Callable[[], Observer | None] = lambda: None
        self._record = Record(settings, api_key, base_url)
        self._clock = clock
        self._share = _Share(settings, chance)
        self._news: list[list[Any]] = []
        self._chance = chance
        self._reserved: SharedPermit | None = None
        self._expiry: Timer | None = None
        self._opens = -math.inf  # when the pause of the key ends
        self._blocked: dict[str, float] = {}  # when an operation may go, as far as it is known
        self._yields: dict[str, float] = {}  # until when a suspected operation lets others go first
        self._own: frozenset[str] = frozenset()
        self._wanted: str | None = None
        self._waiting = False
        self._pump: asyncio.Task[None] | None = None

    @property
    def rate(self) -> float:
        """Requests a second of all processes together, as last read."""
        return self._share.rate

    def observe(self, observer: Observer) -> None:
        """Take what is to be informed when Redis has answered, for as long as it lives."""
        self._observer = ref(observer)

    def yields(self, now: float, operation: str) -> bool:
        """Return True for an operation that was just refused: another one finds out whether the key was."""
        return now < self._yields.get(operation, -math.inf)

    def is_own(self, operation: str) -> bool:
        """Return True if an operation was refused alone."""
        alone = self._clock.now() < self._share.until
        return self._share.controller.is_own(operation) if alone else operation in self._own

    def blocked_until(self, now: float, operation: str = "") -> float:
        """Return when the gates let an operation pass, as far as this process knows."""
        alone = self._share.controller.blocked_until(now, operation) if now < self._share.until else -math.inf
        return max(self._opens, self._blocked.get(operation, -math.inf), alone)

    def ready_at(self, now: float, operation: str = "", *, waiting: bool) -> float:
        """Return the time of the reservation; infinity while one is requested."""
        blocked = self.blocked_until(now, operation)
        if blocked > now:
            return blocked
        if now < self._share.until:
            return self._share.controller.ready_at(now, operation, waiting=waiting)
        if self._reserved is not None:
            expires = self._reserved.granted + HELD
            if self._fits(self._reserved, operation):
                return max(now, self._reserved.granted)
            if now < expires:  # the call that it was made for uses it, or it is given back
                return expires
            self._return_reserved()
        if self._wanted in {None, operation}:
            self._wanted, self._waiting = operation, waiting
        self._ensure_pump()  # also where another loop ended with the request
        return math.inf

    def grant(self, now: float, operation: str = "") -> Permit:
        """Use the reservation."""
        permit = self._take_reserved()
        if permit is None:
            return self._share.controller.grant(now, operation)
        permit.operation = operation
        permit.granted = now  # not when it could be had: what is learned is the time of the exchange
        return permit

    def give_back(self, permit: Permit) -> None:
        """Return a permit that was not used."""
        if isinstance(permit, SharedPermit):
            self._send(_UNUSED, permit)
        else:
            self._share.controller.give_back(permit)

    def forget(self, permit: Permit) -> None:
        """Return a permit whose outcome stays unknown."""
        if not isinstance(permit, SharedPermit):
            self._share.controller.forget(permit)
        elif permit.probe or (permit.own is not None and permit.own.probe):
            self._send(_FORGOTTEN, permit)

    def feedback(self, permit: Permit, outcome: Outcome, now: float, retry_after: float | None = None) -> float:
        """Pass an outcome on; returns the seconds its operation pauses until the record has answered, or 0."""
        if not isinstance(permit, SharedPermit):
            pause = self._share.controller.feedback(permit, outcome, now, retry_after)
            self._pause(permit.operation, now, pause)  # also once Redis is back
            return pause
        bad = outcome in _PAUSING
        if bad:
            self._return_reserved()
            self._pause(permit.operation, now, min(retry_after or 0.0, RETRY_AFTER_CAP))
        if outcome is not Outcome.ANSWERED or permit.attentive or permit.probe or self._yields:
            self._send(outcome.value, permit, now - permit.granted, retry_after)
        return min(retry_after or 1.0 / self.rate, RETRY_AFTER_CAP) if bad else 0.0

    async def aclose(self) -> None:
        """Give the reservation and the connection back; used again it opens another."""
        self._wanted = None
        await self._pumped()
        self._return_reserved()
        await self._pumped()
        await self._record.aclose()

    def _fits(self, permit: SharedPermit, operation: str) -> bool:
        """Return True if a reservation made for one operation may be used for another."""
        plain = not permit.probe and permit.own is None and operation not in self._own
        return plain or permit.operation == operation

    def _pause(self, operation: str, now: float, seconds: float) -> None:
        """Pause an operation and, where it is not known to be refused alone, the key too."""
        if seconds > 0.0:
            self._blocked[operation] = max(self._blocked.get(operation, -math.inf), now + seconds)
            if not self.is_own(operation):
                self._opens = max(self._opens, now + min(seconds, PAUSE_CAP))

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
            self._send(_UNUSED, permit)

    def _send(self, news: str, permit: Permit, trip: float = 0.0, retry_after: float | None = None) -> None:
        own = permit.own or Permit(-1, 0.0)
        waited = -1.0 if retry_after is None else retry_after
        probes = [permit.epoch, int(permit.probe), own.epoch, int(own.probe)]
        item = [news, permit.operation, *probes, max(0.0, trip), waited, self._chance()]
        now = self._clock.now()
        if now < self._share.until:
            self._share.learn([item], now)  # a lost probe frees its place by itself, after its lease
        else:
            self._news.append(item)
            self._ensure_pump()

    def _ensure_pump(self) -> None:
        loop = asyncio.get_running_loop()
        if self._pump is None or self._pump.done() or self._pump.get_loop() is not loop:
            self._pump = loop.create_task(self._run())

    async def _run(self) -> None:
        while self._news or self._wanted is not None:
            news, self._news = self._news, []
            operation, self._wanted = self._wanted, None
            try:
                reply = await self._record.step(news, rate=self._share.rate, operation=operation, waiting=self._waiting)
            except Exception as error:  # noqa: BLE001 - whatever becomes of Redis, calls go on
                self._go_alone(news, error)
            except BaseException:
                self._news = news + self._news  # for the next loop
                raise
            else:
                self._apply(reply, operation)
            if operation is not None:
                self._wanted = None  # else those who came meanwhile would reserve a second time
            if (observer := self._observer()) is not None:
                observer.wake()
            if self._reserved is not None and self._expiry is None:
                self._expiry = self._clock.call_at(self._reserved.granted + HELD, self._return_reserved)

    def _go_alone(self, news: list[list[Any]], error: Exception) -> None:
        """Ask nothing more of Redis for a while, and learn what it was to learn, also what came meanwhile."""
        unsent, self._news, self._wanted = news + self._news, [], None
        self._take_reserved()
        self._share.go_alone(self._clock.now(), error)
        self._share.learn(unsent, self._clock.now())

    def _apply(self, reply: Reply, operation: str | None) -> None:
        now = self._clock.now()
        self._share.rate = reply.rate
        self._own = frozenset(name for name, (own, _, _) in reply.operations.items() if own)
        self._yields = {name: now + left for name, (own, _, left) in reply.operations.items() if not own}
        self._opens = max(self._opens, now + reply.pause)
        self._blocked = {name: until for name, until in self._blocked.items() if until > now}  # perhaps not sent yet
        for name, (_, seconds, _) in reply.operations.items():
            self._blocked[name] = max(self._blocked.get(name, now), now + seconds)
        if reply.permit is not None:
            self._reserved = reply.permit
            self._reserved.granted = now + reply.wait
        elif operation is not None:
            self._blocked[operation] = now + reply.wait
        observer = self._observer()
        if observer is None:
            return
        if reply.pause > 0.0:
            observer.paused(None, now, now + reply.pause)
        for name in self._own:
            if self._blocked[name] > now:
                observer.paused(name, now, self._blocked[name])


class _Share:
    """What a process does while Redis does not answer: its share of the last known rate, behind gates of its own."""

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
                "Redis does not answer (%s): this process paces itself at %.1f requests a second",
                type(error).__name__,
                self.controller.rate,
            )
        self.until = now + FALLBACK
        self._epoch = self.controller.epoch

    def learn(self, news: Sequence[list[Any]], now: float) -> None:
        """Learn from faults that Redis did not receive; however many they are, they are of one epoch."""
        for outcome, operation, _epoch, _probe, _own_epoch, _own_probe, trip, waited, _chance in news:
            if outcome not in _NO_FAULT:
                wait = None if waited < 0.0 else waited
                permit = Permit(self._epoch, now - trip, operation=operation)
                self.controller.feedback(permit, Outcome(outcome), now, wait)

    def _controller(self) -> RateController:
        return RateController(self.rate, chance=self._chance, processes=self._processes)
