"""One HTTP/1.1 exchange on a connection of aiohttp's pool."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import ClientConnectionError
from aiohttp.http import StreamWriter
from aiohttp.streams import EMPTY_PAYLOAD
from multidict import CIMultiDict

from .coding import ACCEPT_ENCODING

if TYPE_CHECKING:
    from collections.abc import Iterable, MutableSet

    from aiohttp.connector import Connection
    from aiohttp.streams import StreamReader

    from .message import Request

_WITHOUT_BODY = frozenset({"GET", "HEAD"})
_INTERIM = frozenset(range(100, 200)) - {101}  # which is the last answer in HTTP/1.1: RFC 9110, section 15.2.2


class Exchange:
    """A request and its answer, on a connection that they have to themselves until `aclose`."""

    __slots__ = ("__weakref__", "_aborted", "_body", "_connection", "_open", "content_encoding", "headers", "status")

    status: int
    headers: Iterable[tuple[str, str]]
    content_encoding: str

    def __init__(self, connection: Connection, open_ones: MutableSet[Exchange]) -> None:
        self._connection = connection
        self._body: StreamReader = EMPTY_PAYLOAD
        self._aborted = False
        self._open = open_ones
        open_ones.add(self)

    async def ask(self, request: Request, host: str, target: str) -> None:
        """Send the request and wait for the head of its answer, which may come before all of the body is sent."""
        protocol = self._connection.protocol
        assert protocol is not None  # noqa: S101 - it is until `aclose`
        protocol.set_response_params(
            skip_payload=request.method == "HEAD",
            read_until_eof=True,
            auto_decompress=False,  # aiohttp inflates without regard to a cap
        )
        writer = StreamWriter(protocol, asyncio.get_running_loop())
        await writer.write_headers(f"{request.method} {target} HTTP/1.1", _headers(request, host))
        if request.body:
            await writer.write(request.body, drain=False)
        writer.set_eof()
        while True:
            message, self._body = await protocol.read()
            if self._aborted:  # in the very turn of the loop in which it came
                raise ClientConnectionError("the connection was aborted")
            if message.code not in _INTERIM:
                break
        self.status = message.code
        self.headers = tuple(message.headers.items())
        self.content_encoding = message.headers.get("Content-Encoding", "")

    async def read(self) -> bytes:
        """The next bytes of the body as they came; none at its end."""
        return await self._body.readany()

    async def aclose(self) -> None:
        """Give the connection back to its pool, if nothing of this exchange is still to come or to go."""
        if self._body.is_eof() and not self._unsent:
            self._open.discard(self)
            self._connection.release()
        else:
            self.drop()

    def drop(self) -> None:
        """Abort the connection and give its place in the pool back."""
        self._open.discard(self)
        self.abort()
        self._connection.close()

    def abort(self) -> None:
        """End the connection at once, and let whoever reads from it know."""
        self._aborted = True
        if not self._body.is_eof():
            self._body.set_exception(ClientConnectionError("the connection was aborted"))
        if self._connection.protocol is not None:
            self._connection.protocol.abort()  # to close it would wait for a peer who may be deaf

    @property
    def _unsent(self) -> bool:
        transport = self._connection.transport
        return transport is not None and transport.get_write_buffer_size() > 0


def _headers(request: Request, host: str) -> CIMultiDict[str]:
    headers = CIMultiDict({"Host": host})
    headers.update(request.headers.pairs())
    headers.setdefault("Accept-Encoding", ACCEPT_ENCODING)
    if request.body is not None or request.method not in _WITHOUT_BODY:
        headers["Content-Length"] = str(len(request.body or b""))
    if request.fresh_connection:
        headers["Connection"] = "close"
    return headers
