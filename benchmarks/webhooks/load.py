"""Deliveries over connections that stay open, as cheaply as they can be made, from a process of its own.

python -m benchmarks.webhooks.load PORT PATH RATE COUNT

RATE is deliveries a second, each timed from the moment at which it should have been sent, whatever became of earlier
ones; or 0 for as many as are answered, 32 at once. It prints what came of it as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import deque
from collections.abc import Sequence
from typing import cast
from uuid import uuid4

from attrs import asdict, define, field, frozen

CONNECTIONS = 32
_MOST_CONNECTIONS = 200


@frozen
class Answered:
    """What came of a load: how many were answered, with other than 200, in how long; and the milliseconds of one."""

    count: int
    refused: int
    seconds: float
    median: float
    p99: float
    longest: float


class Connection(asyncio.Protocol):
    """One delivery at a time. The answers have no body, and so come in one piece."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._due = 0.0
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def send(self, request: bytes, due: float) -> None:
        """Send one that was due at this moment."""
        self._due = due
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._sender.answered(self, time.perf_counter() - self._due, data[9:12] == b"200")

    def connection_lost(self, exc: Exception | None) -> None:
        self._sender.lost(exc)


@define
class Sender:
    """Sends `count` deliveries."""

    port: int
    path: str
    rate: float
    count: int
    _waits: list[float] = field(factory=list)
    _refused: int = 0
    _sent: int = 0
    _open: int = 0
    _idle: deque[Connection] = field(factory=deque)
    _late: deque[float] = field(factory=deque)
    _over: asyncio.Event = field(factory=asyncio.Event)

    async def run(self) -> Answered:
        """Send them, and wait for all answers."""
        for _ in range(CONNECTIONS):
            self._idle.append(await self._connected())
        started = time.perf_counter()
        if self.rate:
            await self._steadily(started)
        else:
            while self._idle:
                self._send(self._idle.popleft(), time.perf_counter())
        await self._over.wait()
        return _told(self._waits, self._refused, time.perf_counter() - started)

    async def _steadily(self, started: float) -> None:
        for number in range(self.count):
            due = started + number / self.rate
            if (ahead := due - time.perf_counter()) > 0:
                await asyncio.sleep(ahead)
            if not self._idle and self._open < _MOST_CONNECTIONS:
                self._idle.append(await self._connected())
            if self._idle:
                self._send(self._idle.popleft(), due)
            else:
                self._late.append(due)

    async def _connected(self) -> Connection:
        self._open += 1
        _, made = await asyncio.get_running_loop().create_connection(lambda: Connection(self), "127.0.0.1", self.port)
        return made

    def _send(self, connection: Connection, due: float) -> None:
        self._sent += 1
        connection.send(request(self.path, uuid4().hex), due)

    def answered(self, connection: Connection, wait: float, well: bool) -> None:  # noqa: FBT001 - one of three facts
        """An answer came."""
        self._waits.append(wait)
        self._refused += not well
        if self._late:
            self._send(connection, self._late.popleft())
        elif not self.rate and self._sent < self.count:
            self._send(connection, time.perf_counter())
        else:
            self._idle.append(connection)
        if len(self._waits) == self.count:
            self._over.set()

    def lost(self, error: Exception | None) -> None:
        """A connection ended, which none should before all answers are there."""
        if not self._over.is_set():
            raise RuntimeError("a connection was closed") from error


def request(path: str, call_id: str) -> bytes:
    """A delivery of an incoming call."""
    event = (
        f'{{"timestamp":1767362400000,"callId":"{call_id}","type":"INCOMING","userExtension":102,'
        '"originatorNumber":"+390312345678","originatorName":"John Doe","destinationNumber":"102",'
        '"destinationName":"Maria Rossi","sipUsername":"user102"}'
    )
    body = f'{{"timestamp":1767362400000,"type":"CALL_INCOMING","pbx_id":117,"data":{event}}}'
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return f"{head}{body}".encode()


def _told(waits: Sequence[float], refused: int, seconds: float) -> Answered:
    ordered = sorted(1e3 * wait for wait in waits)
    count = len(ordered)
    return Answered(count, refused, seconds, ordered[count // 2], ordered[count * 99 // 100], ordered[-1])


async def main(port: str, path: str, rate: str, count: str) -> None:
    """Send and tell."""
    print(json.dumps(asdict(await Sender(int(port), path, float(rate), int(count)).run())))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
