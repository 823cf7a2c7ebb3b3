"""Downloads of recordings: it assembles the session's layers without key and rate, and owns their lifetime."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self
from weakref import WeakValueDictionary

from .._clock import Clock, LoopClock
from .._ratelimit.controller import RateController
from .._ratelimit.key_limit import KeyLimit
from .._ratelimit.limiter import Limiter
from ..protocol import arguments
from ..protocol.operations import Operation, Safety
from ..session.budget import RetryBudget
from ..session.call import USER_AGENT, Call, Handler, Options, numbers
from ..session.events import Event, fan_out
from ..session.lifetime import Lifetime
from ..session.limit import limit
from ..session.log import telling, write_log
from ..session.policy import RetryPolicy
from ..session.retry import Repetition
from ..session.service_time import ServiceTime
from ..session.transmit import transmit
from ..wire.choice import Choice, chosen
from ..wire.lifetime import LoopBound
from ..wire.message import Headers, Request
from .download import Download
from .links import S3_HOSTS, Hosts, private
from .part_file import part_of

MAX_BYTES = 512 * 1024 * 1024

_DOWNLOAD: Operation[bytes] = Operation("download_recording", "GET", "", Safety.READ, bytes, label="(recording)")

# Places in a coded body could not be asked for again.
_HEADERS = Headers({"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": USER_AGENT})


class Recordings:
    """Downloads what `recording_url`, `voicemail_url` and `attachment_url` lead to. The API key never comes here.

    Make one and share it, as with the client; close it with `async with` or `aclose()`.

    - `hosts`: those that links may lead to, by default Amazon S3's. A `*` stands for one label of a name, in front for
      several, as in `*.example.com`. Links must be https, but to this machine.
    - `timeout`: seconds for the headers of an answer to come, and then for each piece of its body.
    - `max_bytes`: a longer recording is dropped with `ResponseTooLargeError`.
    - `concurrency`: downloads at once; further ones queue. A stream is one until it is closed.
    - `retry`: counts the faults of a whole download.
    - `transport`: "aiohttp" (None), "httpx2", or an object of your own, which is then yours to close.
    - `subscribers`: are told of every attempt and retry, as those of the client.

    Raises ValueError or TypeError for bad arguments.
    """

    def __init__(
        self,
        *,
        hosts: list[str] | tuple[str, ...] = S3_HOSTS,
        timeout: float = 20.0,
        max_bytes: int = MAX_BYTES,
        concurrency: int = 8,
        retry: RetryPolicy | None = None,
        transport: Choice = None,
        subscribers: Iterable[Callable[[Event], None]] = (),
        clock: Clock | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._hosts = Hosts.of(hosts)
        self._options = Options.checked(timeout, None, RetryPolicy() if retry is None else retry)
        self._max_bytes = arguments.number("max_bytes", max_bytes, 1)
        self._concurrency = arguments.number("concurrency", concurrency, 1)
        arguments.function("chance", chance)
        self._own, self._transport = chosen(transport, limit=concurrency)
        self._clock = clock or LoopClock()
        self._chance = chance
        self._notify = fan_out((write_log, *arguments.functions("subscribers", subscribers)))
        self._budget = RetryBudget()
        self._lifetime = Lifetime()
        self._places = LoopBound(partial(_places, concurrency))
        self._ways: WeakValueDictionary[str, Handler] = WeakValueDictionary()
        self._open: set[Download] = set()

    def __repr__(self) -> str:
        return f"<Recordings of {', '.join(self._hosts.names)}>"

    async def save(self, url: str, target: str | Path) -> int:
        """Download to a file, which takes its place once it is complete; returns its bytes.

        Only its owner may read the file. One that was there stays as it was where the download fails or is cancelled.
        Raises ValueError or TypeError for a link that may not be followed, OSError for a file that cannot be written,
        `PermissionDeniedError` (403) or `NotFoundError` (404) where the link has ended, and the other errors of
        `voxloud_async.errors`.
        """
        url = private(url)
        host = self._hosts.check(url)
        async with self._download(url, host) as download, part_of(Path(target)) as part:
            download.anew = part.clear
            while (piece := await self._read(download)) is not None:
                await part.write(piece)
            return download.received

    def stream(self, url: str) -> AsyncGenerator[bytes, None]:
        """Yield a recording piece by piece, each at most once and all of one version.

        It holds its connection meanwhile: read it to its end, or within `contextlib.aclosing`, which cuts the
        connection off where one leaves early. Raises as `save`, and `ResponseLostError` where a connection broke and
        what follows cannot be had.
        """
        url = private(url)
        return self._stream(url, self._hosts.check(url))

    async def aclose(self) -> None:
        """End downloads with `ClientClosedError`, refuse new ones, give connections back. May be called twice."""
        async with AsyncExitStack() as stack:
            if self._own is not None:
                stack.push_async_callback(self._own.aclose)
            stack.push_async_callback(self._places.aclose)
            await self._lifetime.close()
            for download in tuple(self._open):  # streams whose reader is elsewhere
                stack.push_async_callback(download.aclose)

    async def __aenter__(self) -> Self:
        self._lifetime.require_open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _stream(self, url: str, host: str) -> AsyncGenerator[bytes, None]:
        async with self._download(url, host) as download:
            while (piece := await self._read(download)) is not None:
                yield piece

    @asynccontextmanager
    async def _download(self, url: str, host: str) -> AsyncIterator[Download]:
        """A download that has its place and is closed in the end. It begins with the first read."""
        with self._lifetime.call():
            places = await self._places.get()
            await places.acquire()
        try:
            download = self._made(url, host)
            with telling(download.call, clock=self._clock, notify=self._notify):
                self._open.add(download)
                try:
                    yield download
                finally:
                    self._open.discard(download)
                    await download.aclose()
        finally:
            places.release()

    async def _read(self, download: Download) -> bytes | None:
        with self._lifetime.call():
            return await download.read()

    def _made(self, url: str, host: str) -> Download:
        call = Call(
            operation=_DOWNLOAD,
            request=Request(method="GET", url=url, headers=_HEADERS, stream=True),
            options=self._options,
            started=self._clock.now(),
            number=next(numbers),
        )
        handler = self._way(host)
        repetition = Repetition(handler, call, self._clock, self._chance, self._notify, self._budget)
        return Download(call, repetition, self._max_bytes)

    def _way(self, host: str) -> Handler:
        """The layers beneath retry. A host that refuses pauses the downloads from it alone."""
        way = self._ways.get(host)
        if way is None:
            gate = KeyLimit(RateController(float("inf"), chance=self._chance))
            limiter = Limiter(gate, self._clock, concurrency=self._concurrency)
            service_time = ServiceTime(self._clock)
            way = transmit(self._transport, clock=self._clock, notify=self._notify, service_time=service_time)
            way = limit(way, limiter=limiter, clock=self._clock, notify=self._notify)
            self._ways[host] = way
        return way


async def _places(concurrency: int) -> AsyncGenerator[asyncio.Semaphore, None]:
    yield asyncio.Semaphore(concurrency)
