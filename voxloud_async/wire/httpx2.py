"""The transport over httpx2, an extra."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, cast

try:
    import httpx2
except ModuleNotFoundError as error:
    raise ImportError("this transport needs httpx2: pip install 'voxloud_async[httpx2]'", name=error.name) from error

from ..errors import ClientClosedError, ProtocolError
from .coding import ACCEPT_ENCODING
from .deadline import Deadlines
from .pooled import KEEP_ALIVE, PooledTransport

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, Iterable
    from ssl import SSLContext
    from types import AsyncGeneratorType

    from httpcore2 import AsyncNetworkStream

    from .failure import Verdict
    from .library import Progress
    from .message import Request, Response

MAX_HEADERS = 128
"""Header fields an answer may have, as in aiohttp; httpx2 bounds only their bytes."""


class Httpx2Transport(PooledTransport):
    """HTTP/1.1 over httpx2, with one pool of kept-alive connections and one that closes each after use.

    `limit` is the most connections of each pool; a request that waits for one spends its `timeout`, so keep it at least
    at the number of concurrent requests. `ssl` replaces the default TLS settings.
    """

    def __init__(self, *, limit: int = 100, ssl: SSLContext | None = None) -> None:
        self._tls = _Tls(ssl)
        super().__init__(partial(_lifespan, limit, self._tls))

    async def send(self, request: Request, *, timeout: float) -> Response:  # noqa: ASYNC109 - the contract's clock
        """Send one request and read its answer; see `Transport`."""
        await self._tls.load()
        return await super().send(request, timeout=timeout)


class _Tls:
    """The settings of TLS. The default ones are read from disk, which would hold the event loop up."""

    def __init__(self, given: SSLContext | None) -> None:
        self.settings = given
        self._loading: asyncio.Future[SSLContext] | None = None

    async def load(self) -> None:
        if self.settings is None:
            loop = asyncio.get_running_loop()
            if self._loading is None or self._loading.done() or self._loading.get_loop() is not loop:
                self._loading = loop.run_in_executor(None, partial(httpx2.create_ssl_context, trust_env=False))
            self.settings = await asyncio.shield(self._loading)  # others wait for the same


class _Httpx2:
    """The pools of one event loop.

    They are httpx2's transports and not its clients, which would add redirects, cookies, proxies and headers.
    """

    faults: tuple[type[Exception], ...] = (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError)

    def __init__(self, kept: httpx2.AsyncHTTPTransport, fresh: httpx2.AsyncHTTPTransport) -> None:
        self._kept = kept
        self._fresh = fresh
        self.closed = False
        self.deadlines = Deadlines()

    async def open(self, request: Request, progress: Progress) -> _Answer:
        pool = self._fresh if request.fresh_connection else self._kept
        trace = _Trace(self, progress)
        sendable = _sendable(request, trace)
        progress.phase = "connect"  # httpcore tells nothing of the wait for a connection of its pool
        try:
            response = await pool.handle_async_request(sendable)
        except BaseException:
            await trace.aclose()
            raise
        answer = _Answer(response)
        if len(response.headers.raw) > MAX_HEADERS:
            await answer.aclose()
            raise ProtocolError("the answer has too many header fields")
        return answer

    def verdict(self, error: Exception) -> Verdict:
        match error:
            case httpx2.InvalidURL() | httpx2.UnsupportedProtocol():
                return "unusable"
            case httpx2.ConnectError() | httpx2.ConnectTimeout() | httpx2.PoolTimeout():
                return "not sent"
            case httpx2.RemoteProtocolError() if _from_parser(error):
                return "not HTTP"
            case _:
                return "unknown"

    async def aclose(self) -> None:
        self.closed = True
        await self._kept.aclose()
        await self._fresh.aclose()
        self.deadlines.close()


class _Trace:
    """Follows an exchange through httpcore's events: https://www.encode.io/httpcore/extensions/#trace."""

    def __init__(self, library: _Httpx2, progress: Progress) -> None:
        self._library = library
        self._progress = progress
        self._socket: AsyncNetworkStream | None = None
        self._waiting = True

    async def __call__(self, event: str, info: dict[str, Any]) -> None:
        if self._library.closed and self._waiting:
            # A pool goes on serving those that wait for a connection when it is closed.
            raise ClientClosedError("the client was closed before the request was sent", sent=False)
        self._waiting = False
        if event == "connection.connect_tcp.complete":
            self._socket = info["return_value"]
        if self._progress.phase != "body":
            self._progress.phase = "connect" if event.startswith("connection.") else "headers"

    async def aclose(self) -> None:
        """Close the socket of a TLS handshake that was cancelled, which httpcore leaves open."""
        if self._progress.phase == "connect" and self._socket is not None:
            await self._socket.aclose()


class _Answer:
    def __init__(self, response: httpx2.Response) -> None:
        self._response = response
        self._body = cast("AsyncGeneratorType[bytes, None]", aiter(cast("AsyncIterable[bytes]", response.stream)))
        self.status = response.status_code
        self.headers: Iterable[tuple[str, str]] = response.headers.multi_items()
        self.content_encoding = response.headers.get("Content-Encoding", "")

    async def read(self) -> bytes:
        return await anext(self._body, b"")

    async def aclose(self) -> None:
        # In a task of its own: a cancellation half-way through would leave the pool without this connection for good.
        await asyncio.shield(self._close())

    async def _close(self) -> None:
        if not self._body.ag_running:
            await self._body.aclose()
        await self._response.aclose()


async def _lifespan(limit: int, tls: _Tls) -> AsyncGenerator[_Httpx2, None]:
    assert tls.settings is not None  # noqa: S101 - `send` has loaded them
    library = _Httpx2(_pool(tls.settings, limit, kept=limit), _pool(tls.settings, limit, kept=0))
    try:
        yield library
    finally:
        await library.aclose()


def _pool(ssl: SSLContext, limit: int, *, kept: int) -> httpx2.AsyncHTTPTransport:
    limits = httpx2.Limits(max_connections=limit, max_keepalive_connections=kept, keepalive_expiry=KEEP_ALIVE)
    return httpx2.AsyncHTTPTransport(verify=ssl, trust_env=False, limits=limits)


def _sendable(request: Request, trace: _Trace) -> httpx2.Request:
    url = httpx2.URL(request.url)
    if not url.host:
        raise httpx2.InvalidURL("no host")
    headers = httpx2.Headers(list(request.headers.pairs()))
    headers.setdefault("Accept-Encoding", ACCEPT_ENCODING)
    if request.fresh_connection:
        headers["Connection"] = "close"
    return httpx2.Request(request.method, url, headers=headers, content=request.body, extensions={"trace": trace})


def _from_parser(error: httpx2.RemoteProtocolError) -> bool:
    """Whether an answer could not be parsed; that a connection ended before one came is told by the same class."""
    core = error.__cause__
    return core is not None and core.__context__ is not None
