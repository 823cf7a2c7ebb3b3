"""The post office of a sandbox: takes up what happens, and tells who has subscribed."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from http import HTTPStatus
from typing import Any

from attrs import define, evolve, field

from ..dice import Dice
from ..journal import KEPT
from ..pbx import Pbx
from ..quirks import Quirks
from .agenda import Happening
from .deliveries import Delivery, Outcome
from .lanes import Lanes
from .misfortune import Misfortune, draw
from .payloads import body, comes_again, transcribed
from .sender import Sender, UnansweredError
from .story import StagedCall
from .subscribers import Subscribers
from .traffic import Traffic, calls_of
from .waiting import WaitingRoom

_log = logging.getLogger("voxloud_async.sandbox")

_AT_ONCE = 50
"""Calls of the traffic that begin before anybody else has a turn."""

_REPEATS = (1_000, 5_000, 25_000)
"""Milliseconds until a failed delivery is tried again; nothing about it is documented (W12)."""


@define(eq=False)
class Post:
    """Sends webhooks while it is open. `started` is the moment of the start in milliseconds since 1970."""

    pbx: Pbx
    quirks: Quirks
    misfortune: Misfortune
    sender: Sender
    sleep: Callable[[float], Awaitable[object]] = field(repr=False)
    started: int
    deliveries: deque[Delivery] = field(factory=lambda: deque(maxlen=KEPT), init=False, repr=False)
    _subscribers: Subscribers = field(init=False, repr=False)
    _lanes: Lanes = field(init=False, repr=False)
    _waiting: WaitingRoom = field(factory=WaitingRoom, init=False, repr=False)
    _calls: Iterator[StagedCall] = field(factory=lambda: iter(()), init=False, repr=False)
    _next_call: StagedCall | None = field(default=None, init=False, repr=False)
    _under_way: int = field(default=0, init=False)
    _strangers: set[str] = field(factory=set, init=False, repr=False)
    _loop: asyncio.AbstractEventLoop | None = field(default=None, init=False, repr=False)
    _news: asyncio.Event = field(factory=asyncio.Event, init=False, repr=False)
    _idle: asyncio.Event = field(factory=asyncio.Event, init=False, repr=False)
    _worker: asyncio.Task[None] | None = field(default=None, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._subscribers = Subscribers(self.pbx, self.quirks)
        self._lanes = Lanes(self.sender.connections, self._deliver)
        self.pbx.agenda.listener = self._wake

    def change_traffic(self, traffic: Traffic | None) -> None:
        """Other traffic from now on, or none. Calls that have begun go on."""
        self._calls = iter(()) if traffic is None else calls_of(traffic, self.pbx, self.pbx.clock())
        self._next_call = next(self._calls, None)
        self._wake()

    def open(self) -> None:
        """Begin to send. It needs a running loop."""
        self._loop = asyncio.get_running_loop()
        self._news, self._idle = asyncio.Event(), asyncio.Event()
        self._worker = self._loop.create_task(self._serve())

    async def aclose(self) -> None:
        """Stop, whatever is under way; what is not due yet is sent if it is opened again."""
        worker, self._worker, self._loop = self._worker, None, None
        if worker is not None:
            worker.cancel()
            await asyncio.wait([worker])
        await self._lanes.aclose()
        await self.sender.aclose()
        self._under_way = 0
        self._idle.set()

    async def drain(self) -> None:
        """Wait until all calls are over and all their deliveries done, or until it closes."""
        self._wake()
        self._idle.clear()
        await self._idle.wait()

    def _wake(self) -> None:
        if self._loop is not None:  # maybe from another thread
            self._loop.call_soon_threadsafe(self._news.set)

    async def _serve(self) -> None:
        while True:
            self._news.clear()
            try:
                self._take_up(self.pbx.clock())
            except Exception:  # noqa: BLE001 - a bug of the sandbox must not end all deliveries
                _log.exception("the sandbox itself failed")
                self._news.set()  # go on with the rest
            self._hand_over(self.pbx.clock())
            moment = self._next_moment()
            if moment is None and not self._under_way and not self.pbx.happened:
                self._idle.set()
            await self._pause(None if moment is None else max(0, moment - self.pbx.clock()) / 1000)

    def _take_up(self, now: int) -> None:
        for _ in range(_AT_ONCE):
            if self._next_call is None or self._next_call.at > now:
                break
            self.pbx.stage(self._next_call)
            self._next_call = next(self._calls, None)
        self.pbx.catch_up()
        while self.pbx.happened:
            self._post(self.pbx.happened.popleft())

    def _post(self, happening: Happening) -> None:
        for subscription in self._subscribers.of(happening.event_type):
            lot = draw(self.misfortune, self._dice(happening, subscription.id))
            due = happening.next_due if lot.mishap == "overtaken" else happening.due + lot.delay
            delivery = Delivery(
                subscription_id=subscription.id,
                event_type=happening.event_type,
                call_id=happening.row.get("callId"),
                event_id=happening.row.get("id"),
                body=body(happening, self.quirks, self.pbx.directory),
                mishap=lot.mishap,
                due=(due - self.started) / 1000,
            )
            self._queue(delivery, due)
            if comes_again(happening, self.quirks):
                again = transcribed(happening, self.quirks, self.pbx.directory)
                self._queue(evolve(delivery, body=again, mishap=None, outcome="waiting"), due)

    def _queue(self, delivery: Delivery, due: int) -> None:
        self.deliveries.append(delivery)
        if delivery.mishap == "dropped":
            delivery.outcome = "dropped"
        else:
            self._waiting.add(delivery, due, last=delivery.mishap == "overtaken")

    def _dice(self, happening: Happening, subscription_id: str) -> Dice:
        """The same for the same event, whatever happens around it."""
        row = happening.row
        words = (row.get("callId", ""), row.get("id", 0), row["timestamp"], row.get("userExtension", 0))
        return Dice(self.pbx.seed, "delivery", subscription_id, happening.event_type, *words)

    def _hand_over(self, now: int) -> None:
        for delivery in self._waiting.due(now):
            self._to_lane(delivery)
            if delivery.mishap == "doubled":
                double = evolve(delivery)
                self.deliveries.append(double)
                self._to_lane(double, beside=True)

    def _to_lane(self, delivery: Delivery, *, beside: bool = False) -> None:
        self._under_way += 1
        self._lanes.put(delivery, beside=beside)

    def _next_moment(self) -> int | None:
        coming = None if self._next_call is None else self._next_call.at
        moments = (coming, self.pbx.agenda.next_due, self._waiting.next_due)
        return min((each for each in moments if each is not None), default=None)

    async def _pause(self, seconds: float | None) -> None:
        waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._news.wait())]
        if seconds is not None:
            waits.append(asyncio.ensure_future(self.sleep(seconds)))
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
        for each in done:
            each.result()

    async def _deliver(self, delivery: Delivery) -> None:
        try:
            delivery.outcome = await self._attempt(delivery)
        except Exception:  # noqa: BLE001 - the same
            _log.exception("the sandbox itself failed")
            delivery.outcome = "failed"
        self._under_way -= 1
        if not self._under_way:
            self._news.set()

    async def _attempt(self, delivery: Delivery) -> Outcome:
        subscription = self._subscribers.find(delivery.subscription_id)
        if subscription is None:
            return "unsubscribed"
        if not self.sender.allows(subscription.callback_url):
            self._warn(subscription.id)
            return "foreign"
        begun = self.pbx.clock()
        delivery.sent = (begun - self.started) / 1000
        try:
            status = await self.sender.send(subscription.callback_url, delivery, slow_body=self.misfortune.slow_body)
        except UnansweredError as error:
            delivery.error = str(error)
        else:
            delivery.error = None if self._is_success(status) else f"HTTP {status}"
        delivery.took = (self.pbx.clock() - begun) / 1000
        return self._noted(delivery)

    def _noted(self, delivery: Delivery) -> Outcome:
        if delivery.error is None:
            self._subscribers.delivered(delivery.subscription_id)
            return "delivered"
        self._subscribers.failed(delivery.subscription_id, delivery.error)
        if self.quirks.failed_delivery == "repeated" and delivery.attempt <= len(_REPEATS):
            self._repeat(delivery)
        return "failed"

    def _repeat(self, failed: Delivery) -> None:
        due = self.pbx.clock() + _REPEATS[failed.attempt - 1]
        delivery = Delivery(
            subscription_id=failed.subscription_id,
            event_type=failed.event_type,
            call_id=failed.call_id,
            event_id=failed.event_id,
            body=failed.body,
            attempt=failed.attempt + 1,
            due=(due - self.started) / 1000,
        )
        self.deliveries.append(delivery)
        self._waiting.add(delivery, due)
        self._news.set()

    def _is_success(self, status: int) -> bool:
        if self.quirks.delivery_success == "200":
            return status == HTTPStatus.OK
        return HTTPStatus(200) <= status < HTTPStatus(300)

    def _warn(self, subscription_id: str) -> None:
        if subscription_id not in self._strangers:
            self._strangers.add(subscription_id)
            _log.warning("subscription %s is not served: its callback is on another host", subscription_id)
