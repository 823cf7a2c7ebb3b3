"""The transport over aiohttp."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING

import aiohttp
from yarl import URL

from ..errors import ClientClosedError
from .coding import ACCEPT_ENCODING
from .deadline import Deadlines
from .pooled import KEEP_ALIVE, PooledTransport

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable
    from ssl import SSLContext

    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

    from .failure import Verdict
    from .library import Progress
    from .message import Request

_USUAL_HEADERS = frozenset({"Accept", "User-Agent"})
_AUTO_HEADERS = ("Accept", "Content-Type", "User-Agent")  # and Accept-Encoding, which each session has

_progress: ContextVar[Progress] = ContextVar("progress")


class AiohttpTransport(PooledTransport):
    """HTTP/1.1 over aiohttp, with one pool of kept-alive connections and one that closes each after use.

    `limit` is the most connections of each pool; a request that waits for one spends its `timeout`, so keep it at least
    at the number of concurrent requests. `ssl` replaces the default TLS settings.
    """

    def __init__(self, *, limit: int = 100, ssl: SSLContext | None = None) -> None:
        super().__init__(partial(_lifespan, limit, ssl))


class _Aiohttp:
    """The pools of one event loop."""

    faults: tuple[type[Exception], ...] = (aiohttp.ClientError, OSError, ValueError)

    def __init__(self, kept: aiohttp.ClientSession, fresh: aiohttp.ClientSession) -> None:
        self._kept = kept
        self._fresh = fresh
        self._answers: set[_Answer] = set()
        self.deadlines = Deadlines()

    async def open(self, request: Request, progress: Progress) -> _Answer:
        session = self._fresh if request.fresh_connection else self._kept
        pairs = request.headers.pairs()
        names = {name for name, _ in pairs}
        # to tell aiohttp what it must not add takes it longer than to find it there
        complete = names >= _USUAL_HEADERS and (request.body is None or "Content-Type" in names)
        _progress.set(progress)
        response = await session.request(
            request.method,
            _url(request.url),
            headers=pairs,
            skip_auto_headers=None if complete else _AUTO_HEADERS,
            data=request.body,
            allow_redirects=False,
        )
        return _Answer(response, self._answers)

    def verdict(self, error: Exception) -> Verdict:
        match error:
            case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError():
                return "unusable"
            case aiohttp.ClientConnectorError() | aiohttp.ConnectionTimeoutError():
                return "not sent"
            case aiohttp.ClientResponseError():
                return "not HTTP"
            case _:
                return "unknown"

    async def aclose(self) -> None:
        # Closing a session leaves the readers of its bodies waiting: https://github.com/aio-libs/aiohttp/issues/5582
        for answer in tuple(self._answers):
            await answer.aclose()
        await self._kept.close()
        await self._fresh.close()
        self.deadlines.close()


class _Answer:
    def __init__(self, response: aiohttp.ClientResponse, answers: set[_Answer]) -> None:
        self._response = response
        self._answers = answers
        self.status = response.status
        self.headers: Iterable[tuple[str, str]] = tuple(response.headers.items())
        self.content_encoding = response.headers.get("Content-Encoding", "")
        answers.add(self)

    async def read(self) -> bytes:
        return await self._response.content.readany()

    async def aclose(self) -> None:
        self._answers.discard(self)
        self._response.close()  # after the last byte the connection is back in its pool already


class _Connector(aiohttp.TCPConnector):
    """Hands an exchange one connection, and tells it when it has it.

    Only one: aiohttp sends an idempotent request again by itself where a kept-alive connection drops, and offers no way
    to switch that off: https://github.com/aio-libs/aiohttp/issues/10790
    """

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's signature
    ) -> Connection:
        progress = _progress.get()
        if progress.phase != "send":
            raise aiohttp.ClientConnectionError("the connection dropped")
        progress.phase = "connect"
        try:
            connection = await super().connect(req, traces, timeout)
        except (aiohttp.ClientConnectionError, asyncio.CancelledError):
            if self.closed and not _cancelling():
                # Closing a connector cancels the futures of those that wait for a connection.
                raise ClientClosedError("the client was closed before the request was sent") from None
            raise
        progress.phase = "headers"
        return connection


async def _lifespan(limit: int, ssl: SSLContext | None) -> AsyncGenerator[_Aiohttp, None]:
    checks = True if ssl is None else ssl
    kept = _session(_Connector(limit=limit, ssl=checks, keepalive_timeout=KEEP_ALIVE))
    fresh = _session(_Connector(limit=limit, ssl=checks, force_close=True))
    library = _Aiohttp(kept, fresh)
    try:
        yield library
    finally:
        await library.aclose()


def _session(connector: _Connector) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=connector,
        headers={"Accept-Encoding": ACCEPT_ENCODING},
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),  # ours runs already
        auto_decompress=False,  # aiohttp inflates without regard to a cap
        trust_env=False,
    )


def _url(url: str) -> URL:
    try:
        return URL(url, encoded=True)
    except ValueError:
        raise aiohttp.InvalidURL("") from None


def _cancelling() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
