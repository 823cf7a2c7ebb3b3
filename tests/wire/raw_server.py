"""A server on loopback that says byte for byte what a test scripts, and remembers what it was asked."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from ssl import SSLContext

    Script = Callable[["Conversation"], Awaitable[None]]

_RESET = struct.pack("ii", 1, 0)  # linger on, for 0 s: closing sends RST


class Conversation:
    """The server's end of one connection."""

    def __init__(self, server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer

    async def hear(self) -> bytes:
        """The next request, head and body; empty once the client has hung up."""
        try:
            head = await self._reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return b""
        body = await self._reader.readexactly(_content_length(head))
        self._server.requests.append(head + body)
        return head + body

    async def say(self, *parts: bytes, pause: float = 0.001) -> None:
        """Each part in a packet of its own."""
        for part in parts:
            self._writer.write(part)
            await self._writer.drain()
            await asyncio.sleep(pause)

    async def hold(self) -> None:
        """Stay silent until the client hangs up."""
        while await self._reader.read(1024):
            pass

    def reset(self) -> None:
        """Break the connection off with RST."""
        self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._writer.transport.abort()


class RawServer:
    """What the running server saw."""

    def __init__(self, script: Script, *, tls: bool) -> None:
        self._script = script
        self._scheme = "https" if tls else "http"
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.connections = 0
        self.requests: list[bytes] = []

    def url(self, target: str = "/") -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}{target}"

    @property
    def open_connections(self) -> int:
        return len(self._tasks)

    async def all_hung_up(self) -> None:
        """Wait until no connection is left."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._script(Conversation(self, reader, writer))
            writer.close()
            await writer.wait_closed()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            self._tasks.discard(task)


@asynccontextmanager
async def serving(script: Script, *, tls: SSLContext | None = None) -> AsyncIterator[RawServer]:
    """Run the script for each connection."""
    server = RawServer(script, tls=tls is not None)
    listener = await asyncio.start_server(server._serve, "127.0.0.1", 0, ssl=tls)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for task in list(server._tasks):
            task.cancel()
        await asyncio.gather(*server._tasks, return_exceptions=True)
        await asyncio.sleep(0)


async def until(condition: Callable[[], bool]) -> None:
    """Turn the loop until the condition holds, for five seconds at most."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what libraries keep to themselves sends no event
            await asyncio.sleep(0)


def answers(*replies: bytes) -> Script:
    """A script that answers the requests of a connection with these, the last one again and again."""

    async def script(conversation: Conversation) -> None:
        left = list(replies)
        while await conversation.hear():
            await conversation.say(left.pop(0) if len(left) > 1 else left[0])

    return script


def reply(body: bytes = b"", *, status: str = "200 OK", headers: tuple[str, ...] = ()) -> bytes:
    """A well-formed answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def chunked(*chunks: bytes, headers: tuple[str, ...] = (), end: bytes = b"0\r\n\r\n") -> bytes:
    """An answer in chunks, by default a complete one."""
    head = "\r\n".join(["HTTP/1.1 200 OK", "Transfer-Encoding: chunked", *headers]).encode() + b"\r\n\r\n"
    return head + b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + end


def _content_length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0
