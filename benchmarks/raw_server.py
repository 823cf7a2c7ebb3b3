"""A server that does as little as can be, in a process of its own: every request gets the same bytes back."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

HOST = "127.0.0.1"


@contextmanager
def answering(body: bytes) -> Iterator[str]:
    """Run the server until the block ends; gives its URL."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(_answer(body), theirs), daemon=True)
    process.start()
    try:
        yield f"http://{HOST}:{ours.recv()}"
    finally:
        process.terminate()
        process.join()


def _answer(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _serve(answer: bytes, control: Connection) -> None:
    asyncio.run(_main(answer, control))


async def _main(answer: bytes, control: Connection) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: _Answering(answer), HOST, 0, backlog=1024)
    control.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


class _Answering(asyncio.Protocol):
    """Answers at the end of a request's head; a body, of GET requests alone, there is none."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - of a TCP server
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        *requests, self._held = (self._held + data).split(b"\r\n\r\n")
        self._transport.write(self._answer * len(requests))
