"""The transport over aiohttp: its pool, its TLS and its HTTP/1.1, without its client.

`ClientSession` sends an idempotent request again by itself where a kept-alive connection drops, offers no way to switch
that off (https://github.com/aio-libs/aiohttp/issues/10790), and takes a quarter of the time of a short exchange for
cookies, redirects, proxies and timeouts, of which a transport must have none.
"""

from __future__ import annotations

import asyncio
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import aiohttp
from aiohttp.http import HttpProcessingError, StreamWriter
from aiohttp.streams import EMPTY_PAYLOAD
from attrs import frozen
from multidict import CIMultiDict
from yarl import URL

from ..errors import ClientClosedError
from .coding import ACCEPT_ENCODING
from .deadline import Deadlines
from .pooled import KEEP_ALIVE, PooledTransport

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable
    from ssl import SSLContext

    from aiohttp.connector import Connection
    from aiohttp.streams import StreamReader

    from .failure import Verdict
    from .library import Progress
    from .message import Request

_NO_TIMEOUT = aiohttp.ClientTimeout(total=None)  # ours runs already
_WITHOUT_BODY = frozenset({"GET", "HEAD"})
_INTERIM = frozenset({100, *range(102, 200)})  # 101 is final: RFC 9110, section 15.2.2


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
        self._answers: set[_Answer] = set()
        self.deadlines = Deadlines()

    async def open(self, request: Request, progress: Progress) -> _Answer:
        start, target = _split(request.url)
        origin = self._origin(start)
        pool = self._fresh if request.fresh_connection else self._kept
        progress.phase = "connect"
        try:
            connection = await pool.connect(origin.way, [], _NO_TIMEOUT)
        except (aiohttp.ClientConnectionError, asyncio.CancelledError):
            if pool.closed and not _cancelling():
                # Closing a pool cancels the futures of those that wait for a connection.
                raise ClientClosedError("the client was closed before the request was sent") from None
            raise
        progress.phase = "headers"
        answer = _Answer(connection, self._answers)
        try:
            await answer.ask(request, target, _headers(request, origin.host))
        except BaseException:
            answer.drop()
            raise
        return answer

    def verdict(self, error: Exception) -> Verdict:
        match error:
            case aiohttp.InvalidURL():
                return "unusable"
            case aiohttp.ClientConnectorError():
                return "not sent"
            case HttpProcessingError():
                return "not HTTP"
            case _:
                return "unknown"

    async def aclose(self) -> None:
        # Closing a pool leaves the readers of its bodies waiting: https://github.com/aio-libs/aiohttp/issues/5582
        for answer in tuple(self._answers):
            answer.drop()
        await self._kept.close()
        await self._fresh.close()
        self.deadlines.close()


class _Answer:
    """What comes back on a connection that this exchange has to itself."""

    __slots__ = ("_answers", "_body", "_connection", "content_encoding", "headers", "status")

    status: int
    headers: Iterable[tuple[str, str]]
    content_encoding: str

    def __init__(self, connection: Connection, answers: set[_Answer]) -> None:
        self._connection = connection
        self._body: StreamReader = EMPTY_PAYLOAD
        self._answers = answers
        answers.add(self)

    async def ask(self, request: Request, target: str, headers: CIMultiDict[str]) -> None:
        """Send the request, and wait for the head of the answer."""
        protocol = self._connection.protocol
        assert protocol is not None  # noqa: S101 - until this exchange gives it back
        protocol.set_response_params(
            skip_payload=request.method == "HEAD",
            read_until_eof=True,
            auto_decompress=False,  # aiohttp inflates without regard to a cap
        )
        writer = StreamWriter(protocol, asyncio.get_running_loop())
        await writer.write_headers(f"{request.method} {target} HTTP/1.1", headers)
        await writer.write_eof(request.body or b"")
        message, self._body = await protocol.read()
        while message.code in _INTERIM:
            message, self._body = await protocol.read()
        self.status = message.code
        self.headers = tuple(message.headers.items())
        self.content_encoding = message.headers.get("Content-Encoding", "")

    async def read(self) -> bytes:
        return await self._body.readany()

    async def aclose(self) -> None:
        if self._body.is_eof():
            self._answers.discard(self)
            self._connection.release()
        else:
            self.drop()

    def drop(self) -> None:
        """Close the connection, and let whoever reads from it know."""
        self._answers.discard(self)
        if not self._body.is_eof():
            self._body.set_exception(aiohttp.ClientConnectionError("the connection was closed"))
        self._connection.close()


@frozen
class _Origin:
    """Where requests go. `way` tells a pool what to connect to, and is never sent itself."""

    host: str
    way: aiohttp.ClientRequest


def _origin(start: str) -> _Origin:
    try:
        url = URL(start, encoded=True)
    except ValueError:
        raise aiohttp.InvalidURL("") from None
    host = url.host_port_subcomponent
    if url.scheme not in {"http", "https"} or not host or url != url.origin():
        raise aiohttp.InvalidURL("")
    return _Origin(host, aiohttp.ClientRequest("GET", url))


def _split(url: str) -> tuple[str, str]:
    """The origin of a URL, and the rest of it."""
    end = url.find("/", url.find("://") + 3)
    return (url, "/") if end < 0 else (url[:end], url[end:])


def _headers(request: Request, host: str) -> CIMultiDict[str]:
    headers = CIMultiDict((("Host", host), *request.headers.pairs()))
    headers.setdefault("Accept-Encoding", ACCEPT_ENCODING)
    if request.body is not None or request.method not in _WITHOUT_BODY:
        headers["Content-Length"] = str(len(request.body or b""))
    if request.fresh_connection:
        headers["Connection"] = "close"
    return headers


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
