"""The receiver: it assembles tokens, intake, inbox, handlers and workers, and owns their lifetime."""

from __future__ import annotations

import os
import random
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import datetime
from ipaddress import ip_address
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, overload
from urllib.parse import urlsplit

from .._clock import Clock, LoopClock
from ..errors import InvalidArgumentError
from ..models import EventType
from ..protocol import arguments
from .asgi import AsgiApp
from .backfill import Backfill, Client, Interval, backfill, moment
from .calls import Call, CallBook, calls
from .handlers import (
    CallTypes,
    ClickToCallType,
    FaxType,
    Handlers,
    OnCall,
    OnClickToCall,
    OnEvent,
    OnFax,
    OnPhoneCall,
    PhoneCallType,
)
from .handling import Desk
from .inbox.protocol import Inbox
from .intake import Intake
from .lifetime import Lifetime
from .notices import Notice, Stats
from .sources import Sources
from .stream import Broadcast, EventStream
from .telling import Counts, fan_out, write_log
from .tokens import Tokens
from .verification import Records, Verifier

if TYPE_CHECKING:
    from aiohttp.web import RouteDef


class WebhookReceiver:
    """Takes the service's deliveries in: checked, stored, acknowledged, and then handled at least once.

    Register handlers with `on`, serve `asgi()` or `aiohttp_routes(path)`, subscribe `callback_url(...)`, and run your
    application inside `async with receiver`. Without the latter, workers start with the first delivery, and nothing
    waits for them at the end.

    - `secret`: at least 32 bytes, from which the tokens in the callback URLs are told; or a list, whose first makes new
      tokens and whose others are still known, so that a secret can be replaced while deliveries come in.
    - `inbox`: the path of a SQLite file, or a URL, as `open_inbox` takes them, which outlive the process; an `Inbox` of
      your own, which is yours to close; or None for memory, which is lost with the process.
    - `expected_pbx_id`, `expected_account_id`: refuse deliveries that name another one.
    - `verify`: `client.telephony_events`, to look records up before they are handled, at most `verify_rate` a second.
    - `allow_from`: addresses or networks that deliveries may come from; None for any, as the service documents none.
      `trusted_proxies`: those whose `X-Forwarded-For` is believed.
    - `concurrency`: events handled at once, 0 for a process that takes in and handles none. `handler_timeout`: seconds
      for one handler. `max_runs`: runs before an event becomes a dead letter, those that ended with their process
      included. `lease`: seconds after which an event of a process that died comes again. `grace`: seconds that leaving
      `async with` waits for handlers.
    - `read_timeout`: seconds for a body. `max_requests`: bodies read at once.
    - `subscribers`: callables that are told of what happens (`voxloud_async.webhooks.notices`).

    Raises ValueError or TypeError for bad arguments.
    """

    def __init__(
        self,
        *,
        secret: str | bytes | Sequence[str | bytes],
        inbox: Inbox | str | os.PathLike[str] | None = None,
        expected_pbx_id: int | None = None,
        expected_account_id: str | None = None,
        verify: Records | None = None,
        verify_rate: float = 3.0,
        allow_from: Iterable[str] | None = None,
        trusted_proxies: Iterable[str] = (),
        concurrency: int = 16,
        handler_timeout: float = 60.0,
        max_runs: int = 10,
        lease: float = 30.0,
        grace: float = 10.0,
        read_timeout: float = 5.0,
        max_requests: int = 128,
        subscribers: Iterable[Callable[[Notice], None]] = (),
        clock: Clock | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._tokens = Tokens(secret)
        del secret  # a traceback with locals shall not show it
        self._clock = clock = clock or LoopClock()
        self._counts = Counts()
        notify = fan_out((self._counts.note, write_log, *subscribers))
        self._handlers = Handlers()
        self._broadcast = Broadcast(notify)
        rate = arguments.seconds("verify_rate", verify_rate)
        desk = Desk(
            handlers=self._handlers,
            broadcast=self._broadcast,
            verifier=None if verify is None else Verifier(verify, clock, notify, rate),
            lease=arguments.seconds("lease", lease),
            handler_timeout=arguments.seconds("handler_timeout", handler_timeout),
            max_runs=arguments.number("max_runs", max_runs, 1),
            clock=clock,
            chance=chance,
            notify=notify,
        )
        self._lifetime = Lifetime(
            desk=desk,
            choice=inbox,
            concurrency=arguments.number("concurrency", concurrency, 0),
            grace=arguments.seconds("grace", grace),
        )
        self._intake = Intake(
            tokens=self._tokens,
            sources=Sources.of(allow_from, trusted_proxies),
            pbx_id=None if expected_pbx_id is None else arguments.number("expected_pbx_id", expected_pbx_id, 0),
            account_id=arguments.optional_text("expected_account_id", expected_account_id),
            read_timeout=arguments.seconds("read_timeout", read_timeout),
            max_requests=arguments.number("max_requests", max_requests, 1),
            store=self._lifetime,
            wall=clock.wall,
            notify=notify,
        )

    def __repr__(self) -> str:
        return f"<WebhookReceiver {self.stats}>"

    @overload
    def on(self) -> Callable[[OnEvent], OnEvent]: ...
    @overload
    def on(self, first: CallTypes, /, *more: CallTypes) -> Callable[[OnCall], OnCall]: ...
    @overload
    def on(self, first: PhoneCallType, /, *more: PhoneCallType) -> Callable[[OnPhoneCall], OnPhoneCall]: ...
    @overload
    def on(self, first: ClickToCallType, /, *more: ClickToCallType) -> Callable[[OnClickToCall], OnClickToCall]: ...
    @overload
    def on(self, first: FaxType, /, *more: FaxType) -> Callable[[OnFax], OnFax]: ...
    @overload
    def on(self, first: str, /, *more: str) -> Callable[[OnEvent], OnEvent]: ...

    def on(self, *types: str) -> Callable[[Any], Any]:
        """Have an `async def` called for events of these types, of all types where none, or "*", is named.

        It is given the event, or the event and a `Received` where it wants two arguments. All handlers of an event run,
        one after the other; where one raises or exceeds `handler_timeout`, the event comes again later, to all of them.
        An event that does not fit its type (an `UnknownEvent`) goes only to handlers of all types. A type that is not
        documented is taken as it is, with an `UnknownEventTypeWarning` where it looks misspelt.

        Raises TypeError for a function that is not async, or takes other arguments.
        """

        def register(handler: Any) -> Any:
            self._handlers.add(types, handler)
            return handler

        return register

    def events(self, *, buffer: int = 1000) -> EventStream:
        """All events from now on, for those who look on: `async for event in receiver.events()`.

        It waits for nobody: a reader who is more than `buffer` events behind loses the oldest, as `dropped` and the log
        tell. What must not be lost belongs into a handler.
        """
        return self._broadcast.stream(arguments.number("buffer", buffer, 1))

    def calls(self, *, book: CallBook | None = None, buffer: int = 1000) -> AsyncIterator[Call]:
        """All calls from now on, each whenever it has changed: `async for call in receiver.calls()`.

        They are folded out of `events`, in whichever order those come, into `book` or into one of their own.
        """
        return calls(self.events(buffer=buffer), book)

    async def backfill(self, client: Client, *, since: datetime, until: datetime | None = None) -> Backfill:
        """Have the records of an interval handled that the inbox has not seen, as after a time of not listening.

        They are read through `client.telephony_events`, up to `until`, by default now, and handled like deliveries,
        with `Received.origin` "backfill". Calls count that ended five minutes before `since` or later, however long
        before they began, up to four hours. Events of calls under way cannot be had back: the service keeps none. Where
        the inbox is full it waits for the handlers.

        Raises ValueError for times without zone, or further back than the 72 hours for which the inbox knows what was
        handled; `InboxFullError` where this receiver handles nothing; `InboxError` where it has stopped; and the errors
        of the client. What was added before stays.
        """
        interval = Interval.of(since, until, moment(self._clock.wall()))
        wait = self._clock.sleep if self._lifetime.concurrency else None
        add = self._lifetime.add_all
        return await backfill(client.telephony_events, interval, add, wall=self._clock.wall, wait=wait)

    def asgi(self) -> AsgiApp:
        """An ASGI application, to be served or mounted: `POST /<token>` below its mount, all else is not found.

        Served alone it starts and stops the receiver with the server's lifespan. Mounted it is not told of that by
        most frameworks: then enter `async with receiver` in the application's own lifespan.
        """
        return AsgiApp(self._intake, self._lifetime)

    def aiohttp_routes(self, path: str) -> list[RouteDef]:
        """Routes for `aiohttp.web.Application.add_routes`: `POST {path}/<token>`, for path "/" `POST /<token>`."""
        from .aiohttp import routes  # noqa: PLC0415 - whoever serves ASGI does without

        return routes(self._intake, path if path == "/" else arguments.path("path", path))

    def token(self, event_type: EventType | str) -> str:
        """The token that deliveries of this type carry at the end of their path; made with the first secret."""
        return self._tokens.token(event_type)

    def callback_url(self, base: str, event_type: EventType | str, *, allow_insecure: bool = False) -> str:
        """The URL to subscribe for events of this type: `base`, where the receiver is served, and the token.

        Raises ValueError where it is not https, except on this machine or with `allow_insecure`: everybody on the way
        would read the token and the events.
        """
        url = arguments.http_url("base", base).rstrip("/")
        if "?" in url:
            raise InvalidArgumentError("base", "must carry no query")
        if not allow_insecure and urlsplit(url).scheme != "https" and not _is_loopback(urlsplit(url).hostname or ""):
            reason = "must be https: everybody on the way would read the token and the events"
            raise InvalidArgumentError("base", reason)
        return f"{url}/{self._tokens.token(event_type)}"

    @property
    def stats(self) -> Stats:
        """What has happened so far, in numbers."""
        return self._counts.stats()

    @property
    def inbox(self) -> Inbox:
        """The inbox: `dead_letters()`, `replay(keys)`, `discard(keys)`, `counts()`.

        Where the receiver is not at work it is opened for whoever asks, and closed when the receiver is next left.
        """
        return self._lifetime.inbox

    async def __aenter__(self) -> Self:
        await self._lifetime.enter()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._lifetime.leave()


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
