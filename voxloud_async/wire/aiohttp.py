"""The transport over aiohttp: its pool, its TLS and its HTTP/1.1, without its client.

`ClientSession` sends an idempotent request again by itself where a kept-alive connection drops, offers no way to switch
that off (https://github.com/aio-libs/aiohttp/issues/10790), and takes a quarter of the time of a short exchange for
cookies, redirects, proxies and timeouts, of which a transport must have none.
"""

from __future__ import annotations

import asyncio
from functools import lru_cache, partial
from typing import TYPE_CHECKING
from weakref import WeakSet

import aiohttp
from aiohttp.http import HttpProcessingError
from attrs import frozen
from yarl import URL

from ..errors import ClientClosedError
from .deadline import Deadlines
from .http1 import Exchange
from .message import SecretText
from .pooled import KEEP_ALIVE, PooledTransport

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from ssl import SSLContext

    from aiohttp.connector import Connection

    from .failure import Verdict
    from .library import Progress
    from .message import Request

_NO_TIMEOUT = aiohttp.ClientTimeout(total=None)  # ours runs already


class AiohttpTransport(PooledTransport):
    """HTTP/1.1 over aiohttp, with one pool of kept-alive connections and one that closes each after use.

    `limit` is the most connections of each pool; a request that waits for one spends its `timeout`, so keep it at least
    at the number of concurrent requests. `ssl` replaces the default TLS settings.
    """

    def __init__(self, *, limit: int = 100, ssl: SSLContext | None = None) -> None:
        super().__init__(partial(_lifespan, limit, ssl))


class _Aiohttp:
    """The pools of one event loop."""

    faults: tuple[type[Exception], ...] = (aiohttp.ClientError, HttpProcessingError, OSError, ValueError)

    def __init__(self, kept: aiohttp.TCPConnector, fresh: aiohttp.TCPConnector) -> None:
        self._kept = kept
        self._fresh = fresh
        self._origin = lru_cache(maxsize=16)(_origin)
        self._exchanges: set[Exchange] = set()
        self._streams: WeakSet[Exchange] = WeakSet()  # one that its reader forgot goes, and its connection with it
        self.deadlines = Deadlines()

    async def open(self, request: Request, progress: Progress) -> Exchange:
        start, target = _split(request.url)
        origin = self._origin(start)
        progress.phase = "connect"
        connection = await _connection(self._fresh if request.fresh_connection else self._kept, origin.destination)
        progress.phase = "headers"
        exchange = Exchange(connection, self._streams if request.stream else self._exchanges)
        try:
            await exchange.ask(request, origin.host, target)
        except BaseException:
            exchange.drop()
            raise
        return exchange

    def verdict(self, error: Exception) -> Verdict:
        match error:
            case aiohttp.InvalidURL():
                return "unusable"
            case HttpProcessingError():
                return "not HTTP"
            case _:
                return "unknown"

    async def aclose(self) -> None:
        # Closing a pool leaves the readers of its bodies waiting: https://github.com/aio-libs/aiohttp/issues/5582
        under_way = [*self._exchanges, *self._streams]
        for exchange in under_way:
            exchange.abort()
        await self._kept.close()
        await self._fresh.close()
        for exchange in under_way:
            exchange.drop()  # only now: a place given back earlier would let somebody who waits for it connect
        self.deadlines.close()


@frozen
class _Origin:
    """Where requests go. `destination` tells a pool what to connect to, and is never sent itself."""

    host: str
    destination: aiohttp.ClientRequest


def _origin(start: str) -> _Origin:
    try:
        url = URL(start, encoded=True)
        host = url.host_port_subcomponent
    except ValueError:
        raise aiohttp.InvalidURL("") from None
    if url.scheme not in {"http", "https"} or not host or url != url.origin():
        raise aiohttp.InvalidURL("")
    return _Origin(host, aiohttp.ClientRequest("GET", url))


def _split(url: str) -> tuple[str, str]:
    """The origin of a URL, and the rest of it."""
    end = url.find("/", url.find("://") + 3)
    return (url, "/") if end < 0 else (url[:end], SecretText(url[end:]))


async def _connection(pool: aiohttp.TCPConnector, destination: aiohttp.ClientRequest) -> Connection:
    """A connection that nobody else has, and on which no answer has come that nobody asked for."""
    try:
        connection = await pool.connect(destination, [], _NO_TIMEOUT)
        while connection.protocol:  # holds answers: https://github.com/aio-libs/aiohttp/issues/13656
            connection.close()
            connection = await pool.connect(destination, [], _NO_TIMEOUT)
    except (aiohttp.ClientConnectionError, asyncio.CancelledError):
        if pool.closed and not _cancelling():
            # Closing a pool cancels the futures of those that wait for a connection.
            raise ClientClosedError("the client was closed before the request was sent", sent=False) from None
        raise
    return connection


async def _lifespan(limit: int, ssl: SSLContext | None) -> AsyncGenerator[_Aiohttp, None]:
    checks = True if ssl is None else ssl
    kept = aiohttp.TCPConnector(limit=limit, ssl=checks, keepalive_timeout=KEEP_ALIVE)
    fresh = aiohttp.TCPConnector(limit=limit, ssl=checks, force_close=True)
    library = _Aiohttp(kept, fresh)
    try:
        yield library
    finally:
        await library.aclose()


def _cancelling() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
