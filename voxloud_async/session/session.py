"""Builds the chain once and sends every call through it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from typing import TypeVar

from attrs import evolve, field, frozen

from .._clock import Clock
from .._ratelimit.limiter import Limiter
from .._tracebacks import OWN, without_traceback
from ..errors import DecodeError, VoxloudError
from ..protocol.exchange import build_request, read_response, with_own_words
from ..protocol.operations import Operation
from ..wire.message import Response
from ..wire.transport import Transport
from .auth import ApiKey, auth
from .budget import RetryBudget
from .call import USER_AGENT, Call, Handler, Options, numbers
from .created_ids import CreatedIds
from .events import Heard, Notify, always
from .latch import Latch
from .lifetime import Lifetime
from .limit import limit
from .log import log
from .policy import verdict
from .retry import retry
from .service_time import ServiceTime
from .transmit import transmit
from .verbs import verbs

T = TypeVar("T")


def chain(
    transport: Transport,
    *,
    api_key: ApiKey,
    base_url: str,
    limiter: Limiter,
    clock: Clock,
    chance: Callable[[], float],
    notify: Notify,
    service_time: ServiceTime,
    heard: Heard = always,
) -> Handler:
    """Chain log, retry, verbs, latch, limit, latch, auth and transmit, the outermost first."""
    latch = Latch(clock, notify)
    handler = transmit(transport, clock=clock, notify=notify, service_time=service_time)
    handler = auth(handler, api_key=api_key, base_url=base_url)
    handler = latch.watch(handler)
    handler = limit(handler, limiter=limiter, clock=clock, notify=notify)
    handler = latch.guard(handler)
    handler = verbs(handler)
    handler = retry(handler, clock=clock, chance=chance, notify=notify, budget=RetryBudget())
    return log(handler, clock=clock, notify=notify, heard=heard)


@frozen(kw_only=True)
class Session:
    """The one `Caller`: copies with other options share the chain, and with it connections, limiter and lifetime."""

    base_url: str
    clock: Clock = field(repr=False)
    options: Options
    created_ids: CreatedIds = field(factory=CreatedIds, repr=False)
    started: float | None = field(default=None, repr=False)
    _handler: Handler = field(repr=False, alias="handler")
    _lifetime: Lifetime = field(repr=False, alias="lifetime")
    _service_time: ServiceTime = field(repr=False, alias="service_time_source")
    _own_transport: Transport | None = field(default=None, repr=False, alias="own_transport")
    _limiter: Limiter | None = field(default=None, repr=False, alias="limiter")

    def with_options(self, options: Options) -> Session:
        """The same session with other options."""
        return evolve(self, options=options)

    def since(self, started: float | None) -> Session:
        """The same session, whose calls count `max_wait` from this time."""
        return evolve(self, started=started)

    def require_open(self) -> None:
        """Raise ClientClosedError where the client is closed."""
        self._lifetime.require_open()

    def now(self) -> float:
        """Monotonic seconds."""
        return self.clock.now()

    async def sleep(self, seconds: float) -> None:
        """Wait by the session's clock; raises ClientClosedError where the client is closed, then or meanwhile."""
        with self._lifetime.call():
            await self.clock.sleep(seconds)

    def service_time(self) -> float:
        """Seconds since 1970 by the service's clock."""
        return self._service_time.seconds()

    async def aclose(self) -> None:
        """End the calls under way, leave the limit and close the session's own transport."""
        async with AsyncExitStack() as stack:
            for part in (self._own_transport, self._limiter):
                if part is not None:
                    stack.push_async_callback(part.aclose)
            await self._lifetime.close()

    async def call(
        self,
        operation: Operation[T],
        *,
        segment: str | None = None,
        query: Mapping[str, str] | None = None,
        body: object = None,
    ) -> T:
        """Carry an operation out; raises the errors of `voxloud_async.errors`, without the frames they came through."""
        request = build_request(operation, self.base_url, USER_AGENT, segment=segment, query=query, body=body)
        call = Call(
            operation=operation,
            request=request,
            options=self.options,
            started=self.clock.now() if self.started is None else self.started,
            number=next(numbers),
        )
        try:
            with self._lifetime.call():
                return _read(operation, call, await self._handler(call))
        except OWN as error:
            if isinstance(error, VoxloudError):
                call.stamp(error)
            without_traceback(error)
            raise


def _read(operation: Operation[T], call: Call, response: Response) -> T:
    try:
        return read_response(operation, response)
    except DecodeError as error:
        fault = with_own_words(error, call.request, response)
    raise verdict(operation.safety, fault)  # a create whose answer does not read has most likely happened
