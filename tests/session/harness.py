"""A session on a transport of the test's own: operations of every safety, and a record of what happened."""

from __future__ import annotations

import asyncio
import math
from itertools import chain as concatenate, repeat
from typing import TYPE_CHECKING, Any

from attrs import define, field

from voxloud_async._clock import Clock, LoopClock
from voxloud_async._ratelimit.controller import RateController
from voxloud_async._ratelimit.key_limit import KeyLimit
from voxloud_async._ratelimit.limiter import Limiter
from voxloud_async.protocol.operations import Operation, Safety
from voxloud_async.session.auth import ApiKey
from voxloud_async.session.call import Call, Options
from voxloud_async.session.events import always
from voxloud_async.session.lifetime import Lifetime
from voxloud_async.session.service_time import ServiceTime
from voxloud_async.session.session import Session, chain
from voxloud_async.testing import answer
from voxloud_async.wire.message import Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from voxloud_async.session.events import Event
    from voxloud_async.wire.transport import Transport

KEY = "key-7f3a90-of-the-tests"
BASE_URL = "https://voxloud.test"
OK = answer("ok")

READ: Operation[Any] = Operation("read", "GET", "/read", Safety.READ, Any)
REPLACE: Operation[Any] = Operation("replace", "PUT", "/replace", Safety.REPLACE, Any)
DELETE: Operation[Any] = Operation("delete", "DELETE", "/delete", Safety.DELETE, None)
CREATE: Operation[Any] = Operation("create", "POST", "/create", Safety.CREATE, Any)
RING: Operation[Any] = Operation("ring", "POST", "/ring", Safety.RING, Any)
UPDATE: Operation[Any] = Operation("update", "PUT", "/update", Safety.REPLACE, Any, alternative="POST")
REPEATABLE = (READ, REPLACE, DELETE)
ONCE = (CREATE, RING)
EVERY = (*REPEATABLE, *ONCE)

Reply = Response | Exception


class Wire:
    """A transport that takes `seconds` for each answer and gives the replies in order, the last one again and again."""

    def __init__(self, *replies: Reply, seconds: float = 0.0) -> None:
        self.requests: list[Request] = []
        self.at: list[float] = []
        self.timeouts: list[float] = []
        self.in_flight = 0
        self.most = 0
        self.closed = 0
        self.seconds = seconds
        self.play(*replies)

    def play(self, *replies: Reply) -> None:
        """Give these replies from now on."""
        self._replies: Iterator[Reply] = concatenate(replies or (OK,), repeat(replies[-1] if replies else OK))

    def reply(self, _request: Request) -> Reply:
        """The reply to a request."""
        return next(self._replies)

    async def send(self, request: Request, *, timeout: float) -> Response:  # noqa: ASYNC109 - the contract
        self.requests.append(request)
        self.at.append(asyncio.get_running_loop().time())
        self.timeouts.append(timeout)
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        reply = self.reply(request)
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.in_flight -= 1
        if isinstance(reply, Exception):
            raise reply
        return reply

    async def aclose(self) -> None:
        self.closed += 1


@define
class Rig:
    """A session and what a test wants to look at."""

    session: Session
    limiter: Limiter
    controller: RateController
    events: list[Event] = field(factory=list)

    async def call(self, operation: Operation[Any], **options: Any) -> Any:
        """Make a call with these options."""
        session = self.session.with_options(Options(**options)) if options else self.session
        return await session.call(operation)

    def seen(self, kind: type[Event]) -> list[Any]:
        """The events of this kind."""
        return [event for event in self.events if isinstance(event, kind)]


def rig(
    transport: Transport,
    *,
    rate: float | None = math.inf,
    concurrency: int = 64,
    clock: Clock | None = None,
    chance: Callable[[], float] = lambda: 1.0,
    lifetime: Lifetime | None = None,
    heard: Callable[[], bool] = always,
) -> Rig:
    """A session as the client makes it, by default without a rate, whose jitter always draws its upper bound."""
    clock = clock or LoopClock()
    controller = RateController(rate, chance=chance)
    limiter = Limiter(KeyLimit(controller), clock, concurrency=concurrency)
    events: list[Event] = []
    service_time = ServiceTime(clock)
    handler = chain(
        transport,
        api_key=ApiKey(KEY),
        base_url=BASE_URL,
        limiter=limiter,
        clock=clock,
        chance=chance,
        notify=events.append,
        service_time=service_time,
        heard=heard,
    )
    session = Session(
        base_url=BASE_URL,
        clock=clock,
        options=Options(),
        handler=handler,
        lifetime=lifetime or Lifetime(),
        service_time_source=service_time,
        own_transport=transport,
    )
    return Rig(session, limiter, controller, events)


def a_call(operation: Operation[Any] = READ, *, started: float = 0.0, **options: Any) -> Call:
    """A call that has not begun."""
    request = Request(method=operation.method, url=BASE_URL + operation.path)
    return Call(operation=operation, request=request, options=Options(**options), started=started)


def result(operation: Operation[Any]) -> str | None:
    """What a call returns that is answered with OK."""
    return None if operation is DELETE else "ok"


def idle(limiter: Limiter) -> bool:
    """Whether nothing is under way and nobody waits."""
    gate = learned(limiter)._key.gate
    return not limiter._in_flight and (limiter._queue is None or limiter._queue.is_empty) and gate.probe is None


def learned(limiter: Limiter) -> RateController:
    """The controller behind a queue."""
    controller = limiter._limit.controller
    assert isinstance(controller, RateController)
    return controller
