"""The sandbox: a PBX that speaks the Voxloud API over real HTTP on this machine."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import UTC, datetime
from email.utils import formatdate
from http import HTTPStatus
from types import TracebackType
from typing import Self

from aiohttp import web
from attrs import Attribute, define, evolve, field
from attrs.validators import ge, gt

from .arrival import Server, read
from .climate import Climate, Fate
from .delivery import cut, slow, whole
from .dice import Dice
from .drift import Drift, Movement
from .exchange import Answer, Call, bad_request
from .journal import Bodies, Received, append_bounded
from .media import MEDIA
from .pbx import Pbx
from .quirks import Quirks
from .records import PlacedCall
from .service import Service
from .times import milliseconds
from .town.population import Population
from .weather import Fault, Weather
from .webhooks.deliveries import Delivery
from .webhooks.misfortune import Misfortune
from .webhooks.phone_calls import Direction, phone_call
from .webhooks.placing import plan
from .webhooks.post import Post
from .webhooks.sender import Sender
from .webhooks.story import StagedCall
from .webhooks.traffic import Traffic

NOW = datetime(2026, 6, 30, 16, 0, tzinfo=UTC)
"""The moment at which a sandbox starts, unless told otherwise; its call records end there."""

NOWHERE = "https://media.example"
"""Where recordings lie while the sandbox is not running."""

_log = logging.getLogger("voxloud_async.sandbox")

_UNANSWERED = Answer(200, b"{}")
_SHUTDOWN_SECONDS = 0.02
_LANES = 16
"""Deliveries that are under way at once."""


def _aware(_sandbox: Sandbox, _field: Attribute[datetime], now: datetime) -> None:
    if now.tzinfo is None:
        raise ValueError("now needs a timezone")


@define(kw_only=True, eq=False)
class Sandbox:
    """A Voxloud of your own: `async with Sandbox() as sandbox`, then talk to `sandbox.url` with `sandbox.api_key`.

    `seed` decides everything in it: the same seed, the same people, calls, ids and misfortunes. `contacts`, `users`,
    `groups` and `events` are how many there are at the start; the call records spread over the `days` before `now`.
    `quirks` reads the API text where it is open, `weather` makes trouble, `drift` moves rows while one reads. `port` 0
    takes a free one.

    Calls are told to the webhook subscriptions: those of `traffic`, of `place_call` and of a click-to-call's connect. A
    second of a call takes `pace` seconds; at 0 a call is over at once, though its times are those of the whole call.
    `misfortune` doubles, delays and loses deliveries, which may take `callback_timeout` seconds and go to this machine
    and to `callback_hosts` alone.

    It serves the recordings, voicemails and fax documents of its records under its `url`, without a key. Their links
    tell so; `media_url` replaces the part of them before the PBX, which is then the same whatever the port.

    `clock` (seconds, monotonic) and `sleep` are for tests that bring their own time. Every date that it tells, those of
    HTTP included, is its own: `now` and what passed since the start.
    """

    seed: int = 0
    contacts: int = field(default=500, validator=ge(0))
    users: int = field(default=12, validator=ge(1))
    groups: int = field(default=3, validator=ge(0))
    events: int = field(default=20_000, validator=ge(0))
    days: int = field(default=182, validator=ge(1))
    now: datetime = field(default=NOW, validator=_aware)
    quirks: Quirks = field(factory=Quirks)
    weather: Weather = field(factory=Weather)
    drift: Drift = field(factory=Drift)
    traffic: Traffic | None = None
    misfortune: Misfortune = field(factory=Misfortune)
    pace: float = field(default=0.0, validator=ge(0.0))
    callback_timeout: float = field(default=5.0, validator=gt(0.0))
    callback_hosts: Collection[str] = ()
    media_url: str | None = None
    host: str = "127.0.0.1"
    port: int = 0
    api_key: str = field(default="", repr=False)
    keep_bodies: bool = False
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)
    sleep: Callable[[float], Awaitable[object]] = field(default=asyncio.sleep, repr=False)
    requests: list[Received] = field(factory=list, init=False, repr=False)
    """The requests that arrived, in order; of more than 100,000 the latest, of kept bodies the latest 64 MiB."""
    state: Pbx = field(init=False, repr=False)
    """What the PBX holds; look at it and change it at will."""
    _started: float = field(init=False, repr=False)
    _climate: Climate = field(init=False, repr=False)
    _service: Service = field(init=False, repr=False)
    _post: Post = field(init=False, repr=False)
    _bodies: Bodies = field(factory=Bodies, init=False, repr=False)
    _runner: web.ServerRunner | None = field(default=None, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self.api_key = self.api_key or f"sandbox-{Dice(self.seed, 'key').hex(32)}"
        self._started = self.clock()
        self._climate = Climate(self.weather, self._started, self._wall, Dice(self.seed, "weather"))
        self.state = self._settle(milliseconds(self.now))
        self._delay(self.weather)
        self._service = Service(self.state, self.quirks, self.api_key, Movement(self.drift, self.state))
        sender = Sender(self.callback_timeout, _LANES, self.callback_hosts, self.sleep)
        self._post = Post(self.state, self.quirks, self.misfortune, sender, self.sleep, milliseconds(self.now))
        self._post.change_traffic(self.traffic)

    def _wall(self) -> float:
        return self.state.clock() / 1000

    @property
    def url(self) -> str:
        """Where it listens, as `http://127.0.0.1:port`; RuntimeError before the start and after the stop."""
        if self._runner is None:
            raise RuntimeError("the sandbox is not running")
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self._runner.addresses[0][1]}"

    def _media_url(self) -> str:
        return self.media_url or (NOWHERE if self._runner is None else self.url + MEDIA)

    @property
    def calls_placed(self) -> list[PlacedCall]:
        """Every phone that was rung through `connect`, in order; of more than 100,000 the latest."""
        return self.state.calls_placed

    @property
    def deliveries(self) -> deque[Delivery]:
        """Every webhook that was sent or was to be, in order; of more than 100,000 the latest."""
        return self._post.deliveries

    def count(self, method: str | None = None, path_prefix: str = "/", status: int | None = None) -> int:
        """How many of `requests` have this method, beginning of the path and status, where given."""
        return sum(each.matches(method, path_prefix, status) for each in self.requests)

    def fail_next(self, fault: Fault, n: int = 1, *, match: str = "") -> None:
        """Let the next `n` requests meet this fault; `match` is the beginning of "METHOD /path", such as "POST /api".

        Faults for the same requests are met in the order they were given. A request that weather refuses meets none.
        """
        self._climate.script(fault, times=n, match=match)

    def change_weather(self, weather: Weather) -> None:
        """Other weather from now on; its limits count anew, its maintenance windows still count from the start."""
        self.weather = weather
        self._climate.change(weather)
        self._delay(weather)

    def _delay(self, weather: Weather) -> None:
        self.state.record_delay = round(weather.record_delay * 1000)
        self.state.search_delay = round(weather.search_delay * 1000)

    def change_traffic(self, traffic: Traffic | None) -> None:
        """Other traffic from now on, or none; calls that have begun go on."""
        self.traffic = traffic
        self._post.change_traffic(traffic)

    def change_misfortune(self, misfortune: Misfortune) -> None:
        """Other misfortunes of deliveries from now on."""
        self.misfortune = self._post.misfortune = misfortune

    def place_call(
        self,
        direction: Direction = "INBOUND",
        *,
        number: str | None = None,
        extensions: Sequence[int] = (),
        answered: bool = True,
        ring: float = 3.0,
        talk: float = 10.0,
        transfer_to: int | None = None,
        voicemail: bool = False,
    ) -> StagedCall:
        """Let a phone call happen, and have its webhooks sent.

        `number` is the one outside. `extensions` are those of an inbound call's users, all of which ring and the first
        of which answers; the caller's for an outbound call; the caller's and the callee's for an internal one. What is
        not given is left to the seed. `ring` and `talk` are seconds of the call; `transfer_to` is the extension that
        takes over half-way, `voicemail` what an unanswered inbound call leaves. Raises ValueError.
        """
        planned = plan(
            self.state,
            direction,
            number=number,
            extensions=extensions,
            ring=ring,
            talk=talk if answered else None,
            transfer_to=transfer_to,
            voicemail=voicemail,
        )
        state = self.state
        call = phone_call(planned, at=state.clock(), town=state.directory, quirks=self.quirks)
        state.stage(call)
        return call

    async def drain(self) -> None:
        """Wait until every call is over and its deliveries are done, or until it stops. Endless traffic never is over.

        Call it in the loop that the sandbox runs in. RuntimeError when it is not running.
        """
        if self._runner is None:
            raise RuntimeError("the sandbox is not running")
        await self._post.drain()

    async def start(self) -> None:
        """Open the port. RuntimeError when it is open, OSError when it is taken."""
        if self._runner is not None:
            raise RuntimeError("the sandbox is running")
        self._started = self._climate.started = self.clock()
        runner = web.ServerRunner(Server(self._handle, self._malformed), shutdown_timeout=_SHUTDOWN_SECONDS)
        await runner.setup()
        try:
            await web.TCPSite(runner, self.host, self.port).start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        self._post.open()

    async def stop(self) -> None:
        """Close the port and every connection, whatever is under way. Does nothing when it is closed."""
        runner, self._runner = self._runner, None
        if runner is not None:
            try:
                await self._post.aclose()
            finally:
                await runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _settle(self, now: int) -> Pbx:
        population = Population(
            seed=self.seed,
            contacts=self.contacts,
            users=self.users,
            groups=self.groups,
            events=self.events,
            days=self.days,
            now=now,
        )
        return population.settle(
            clock=lambda: now + round((self.clock() - self._started) * 1000),
            media_url=self._media_url,
            quirks=self.quirks,
            pace=self.pace,
        )

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        call = await read(request)
        received = self._note(call)
        fate = self._climate.judge(key=call.key, line=f"{call.method} {call.path}", now=self.clock())
        received.refused, received.executed, received.fault = fate.refused, fate.executed, fate.fault
        try:
            answer = self._answer(call, fate)
            if fate.delay:
                await self.sleep(fate.delay)
            return await self._deliver(request, answer, fate.fault, received)
        finally:
            fate.over()

    def _note(self, call: Call) -> Received:
        received = Received(
            method=call.method,
            path=call.path,
            query=call.query_string,
            at=self.clock() - self._started,
            body=call.body if self.keep_bodies else None,
            with_key=bool(call.key),
        )
        append_bounded(self.requests, received)
        self._bodies.add(received)
        return received

    def _answer(self, call: Call, fate: Fate) -> Answer:
        answer = self._carried_out(call) if fate.executed else _UNANSWERED
        fault = fate.fault
        if fault.status is None:
            return answer
        return self._service.failure(call, fault.status, as_page=fault.html, retry_after=fault.retry_after)

    def _carried_out(self, call: Call) -> Answer:
        try:
            return self._service.answer(call)
        except Exception:  # noqa: BLE001 - a bug of the sandbox is a 500 with its trace in the log
            _log.exception("the sandbox itself failed")
            return self._service.failure(call, HTTPStatus.INTERNAL_SERVER_ERROR)

    async def _deliver(
        self, request: web.BaseRequest, answer: Answer, fault: Fault, received: Received
    ) -> web.StreamResponse:
        if fault.cut is not None:
            return await cut(request, answer, fault.cut)
        received.status = answer.status
        answer = self._dated(answer)
        if fault.slow_body:
            return await slow(request, answer, fault.slow_body, self.sleep)
        return whole(answer)

    def _malformed(self) -> web.StreamResponse:
        """The answer to bytes that are no request, which it does not quote: they may hold a key."""
        refusal = bad_request("the request is not well-formed HTTP")
        response = whole(self._dated(self._service.answer(Call(method="", path="", unreadable=refusal))))
        response.force_close()
        return response

    def _dated(self, answer: Answer) -> Answer:
        # A blank one, since aiohttp adds a Date of its own to a response without.
        date = formatdate(self._wall(), usegmt=True) if self.quirks.date_header == "present" else ""
        return evolve(answer, headers={**answer.headers, "Date": date})
