"""The client: it assembles session, transport and resources, and owns their lifetime."""

from __future__ import annotations

import copy
import os
import random
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, Self, TypedDict, TypeVar, Unpack, cast
from urllib.parse import urlsplit

from ._clock import Clock, LoopClock
from ._ratelimit.limiter import Limiter
from ._tracebacks import without_frames
from .errors import AuthenticationError, InvalidArgumentError
from .models import Account
from .protocol import arguments, operations
from .protocol.operations import free_operation
from .resources.click_to_call import ClickToCalls
from .resources.contacts import Contacts
from .resources.telephony_events import TelephonyEvents
from .resources.users import Users
from .resources.webhook_subscriptions import WebhookSubscriptions
from .session.auth import ApiKey
from .session.call import Options
from .session.events import Event, fan_out
from .session.lifetime import Lifetime
from .session.log import heard_by, write_log
from .session.policy import RetryPolicy
from .session.rate import Rate, key_limit
from .session.service_time import ServiceTime
from .session.session import Session, chain
from .wire.choice import Choice, chosen

BASE_URL = "https://developer.voxloud.com"

R = TypeVar("R")

_API = re.compile(r"/api/v\d+$", re.ASCII)


def _each_has(resource: type[R]) -> R:
    """The class itself, where an instance has an object of it: for `help(VoxloudClient.contacts.search)`."""
    return cast("R", resource)


class OptionChanges(TypedDict, total=False):
    """What `with_options` may change; see `VoxloudClient`."""

    timeout: float
    max_wait: float | None
    retry: RetryPolicy


class InsecureBaseURLWarning(UserWarning):
    """The key would travel over plain http, readable to everybody on the way."""


@without_frames
class VoxloudClient:
    """A client of the Voxloud API.

    Make one per API key and share it: it may be made outside an event loop and serve any number of tasks, and one
    `asyncio.run` after another. Close it with `async with` or `aclose()`.

    - `api_key`: else the environment's `VOXLOUD_API_KEY`.
    - `base_url`: scheme and host; else `VOXLOUD_BASE_URL`, else the service.
    - `timeout`: seconds for one attempt, connecting and reading its body included.
    - `max_wait`: seconds a call may spend in all, retries and the limiter included; past it it raises
      `DeadlineExceededError`. None waits as long as the retry policy has patience.
    - `rate`: "learned" finds the service's limit, a number fixes requests a second, None sends without a limit, and
      `RedisRate` learns one limit for several processes. In every case a refusal (429, 503) pauses the calls of the
      key, or those of one operation where only this one is refused: clients of one thread that use the same key, host
      and rate share their limit.
    - `processes`: how many processes use the key with such a client each; a learned rate starts, and a fixed one stays,
      at its share. `RedisRate` has its own.
    - `transport`: "aiohttp" (None), "httpx2", or an object of your own, which is then yours to close.
    - `max_concurrency`: requests on the wire at once; further calls queue, so that `gather` of thousands is safe.
    - `subscribers`: callables that are told of every attempt, wait, retry and pause (`voxloud_async.session.events`).

    Raises ValueError or TypeError for bad arguments, and ValueError where no key is given.
    """

    contacts = _each_has(Contacts)
    users = _each_has(Users)
    webhook_subscriptions = _each_has(WebhookSubscriptions)
    telephony_events = _each_has(TelephonyEvents)
    click_to_call = _each_has(ClickToCalls)

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        timeout: float = 20.0,
        max_wait: float | None = None,
        rate: Rate = "learned",
        processes: int = 1,
        retry: RetryPolicy | None = None,
        transport: Choice = None,
        max_concurrency: int = 64,
        subscribers: Iterable[Callable[[Event], None]] = (),
        clock: Clock | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        try:
            key = ApiKey(_from_environment("api_key", api_key, "VOXLOUD_API_KEY"))
        finally:
            del api_key  # a traceback with locals shall not show it
        url = _base_url(os.environ.get("VOXLOUD_BASE_URL") or BASE_URL if base_url is None else base_url)
        options = Options.checked(timeout, max_wait, RetryPolicy() if retry is None else retry)
        limit = key_limit(rate, processes=processes, api_key=key, base_url=url, clock=clock, chance=chance)
        clock = clock or LoopClock()
        arguments.number("max_concurrency", max_concurrency, 1)
        arguments.function("chance", chance)
        own, wire = chosen(transport, limit=max_concurrency)
        service_time = ServiceTime(clock)
        told = arguments.functions("subscribers", subscribers)
        limiter = Limiter(limit, clock, concurrency=max_concurrency)
        handler = chain(
            wire,
            api_key=key,
            base_url=url,
            limiter=limiter,
            clock=clock,
            chance=chance,
            notify=fan_out((write_log, *told)),
            heard=heard_by(told),
            service_time=service_time,
        )
        self._attach(
            Session(
                base_url=url,
                clock=clock,
                options=options,
                handler=handler,
                lifetime=Lifetime(),
                service_time_source=service_time,
                own_transport=own,
                limiter=limiter,
            )
        )

    @classmethod
    def _of(cls, origin: Self, session: Session) -> Self:
        client = copy.copy(origin)  # with whatever a class derived from this one added
        cls._attach(client, session)
        return client

    def _attach(self, session: Session) -> None:
        self._session = session
        self.contacts = Contacts(session)
        self.users = Users(session)
        self.webhook_subscriptions = WebhookSubscriptions(session)
        self.telephony_events = TelephonyEvents(session)
        self.click_to_call = ClickToCalls(session)

    def __repr__(self) -> str:
        session: Session | None = getattr(self, "_session", None)  # None where an argument was refused
        return f"<VoxloudClient {session.base_url if session else 'without a session'}>"

    async def validate_auth(self) -> Account:
        """The company and administrator of the key; raises `AuthenticationError`. API: Validate authentication."""
        return await self._session.call(operations.VALIDATE_AUTH)

    async def is_authenticated(self) -> bool:
        """Whether the service knows the key. API: Validate authentication."""
        try:
            await self.validate_auth()
        except AuthenticationError:
            return False
        return True

    async def request(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: object = None
    ) -> Any:
        """Send any request to the service and return its decoded JSON, None where the answer is empty.

        An operation of the API keeps its safety; else GET may be sent again, PUT and DELETE too, and any other method
        counts as a create, which never is. Raises ValueError or TypeError for a path that is not plainly absolute, and
        for what JSON or a query cannot hold.
        """
        arguments.query("query", query)
        return await self._session.call(free_operation(method, path), query=query, body=body)

    def with_options(self, **options: Unpack[OptionChanges]) -> Self:
        """The same client with other options, on the same connections, limiter and lifetime; what is left out stays.

        `max_wait=None` takes the bound away.
        """
        arguments.known(options, OptionChanges.__annotations__, "option")
        now = self._session.options
        changed = Options.checked(
            options.get("timeout", now.timeout),
            options.get("max_wait", now.max_wait),
            options.get("retry", now.retry),
        )
        return self._of(self, self._session.with_options(changed))

    async def aclose(self) -> None:
        """End calls under way with `ClientClosedError`, refuse new ones, give connections back. May be called twice."""
        await self._session.aclose()

    async def __aenter__(self) -> Self:
        self._session.require_open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def _from_environment(name: str, value: str | None, variable: str) -> str:
    found = value if value is not None else os.environ.get(variable)
    if found is None:
        raise InvalidArgumentError(name, f"is not given and {variable} is not set")
    return found


def _base_url(value: str) -> str:
    url = arguments.http_url("base_url", value).rstrip("/")
    if "?" in url:
        raise InvalidArgumentError("base_url", "must carry no query")
    parts = urlsplit(url)
    if _API.search(parts.path):
        raise InvalidArgumentError("base_url", "must end before /api: each call adds its path")
    arguments.host("base_url", parts.hostname or "")
    if parts.path:  # HTTP libraries write one that is not plain in ways of their own
        arguments.path("the path of base_url", parts.path)
    if parts.scheme == "http" and parts.hostname not in arguments.LOOPBACK:
        warnings.warn("base_url is not https", InsecureBaseURLWarning, stacklevel=3)
    return url
