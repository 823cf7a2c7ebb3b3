"""Doubles for tests of code that uses the client: a transport that follows a script, and a clock that does not wait."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from typing import Self

from attrs import define, evolve, field

from .errors import ClientClosedError
from .wire.message import Headers, Request, Response

__all__ = ["FakeClock", "FakeTransport", "ScriptExhaustedError", "answer"]

_EPOCH = 1_700_000_000.0
_QUIET_TURNS = 50


class ScriptExhaustedError(AssertionError):
    """A request came for which the script has no answer."""


def answer(body: object = None, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A response with this body: bytes as they are, None as nothing, anything else as JSON."""
    text = b"" if body is None else json.dumps(body).encode() if not isinstance(body, bytes) else body
    return Response(status=status, headers=Headers(headers or {}), body=text)


class FakeTransport:
    """A transport that answers from a script, first in, first out, and keeps every request.

    An entry is a `Response` (see `answer`), an exception to raise, or a function from the request to either.
    A request beyond the script raises `ScriptExhaustedError`.
    """

    def __init__(self, *script: Response | Exception | Callable[[Request], Response | Exception]) -> None:
        self.requests: list[Request] = []
        self.closed = False
        self._script = deque(script)

    def add(self, *script: Response | Exception | Callable[[Request], Response | Exception]) -> None:
        """Append entries to the script."""
        self._script.extend(script)

    @property
    def left(self) -> int:
        """Entries that no request has used yet."""
        return len(self._script)

    async def send(self, request: Request, *, timeout: float) -> Response:  # noqa: ARG002, ASYNC109 - the contract
        """Answer with the next entry."""
        if self.closed:
            raise ClientClosedError("the transport is closed")
        self.requests.append(request)
        if not self._script:
            raise ScriptExhaustedError(f"no answer left for {request.method} {request.url.partition('?')[0]}")
        entry = self._script.popleft()
        await asyncio.sleep(0)  # other tasks get their turn, as on a wire
        outcome = entry(request) if callable(entry) else entry
        if isinstance(outcome, Exception):
            raise outcome
        return evolve(outcome, body=b"", stream=_Stream(outcome.body)) if request.stream else outcome

    async def aclose(self) -> None:
        """Note that it was closed."""
        self.closed = True


class _Stream:
    """A body that comes in one piece."""

    def __init__(self, body: bytes) -> None:
        self._left = [body] if body else []

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if not self._left:
            raise StopAsyncIteration
        return self._left.pop()

    async def aclose(self) -> None:
        self._left.clear()


@define(order=True)
class _Alarm:
    when: float
    number: int
    ring: Callable[[], None] = field(order=False)
    cancelled: bool = field(default=False, order=False)

    def cancel(self) -> None:
        self.cancelled = True


class FakeClock:
    """A clock whose time passes only by being waited for, and then at once. `slept` lists every sleep in seconds.

    It moves on to the next alarm once the loop has turned many times without a new one: nobody then has anything left
    to do but to wait. Code that waits for real sockets is not seen to be at work.
    """

    def __init__(self, now: float = 0.0) -> None:
        self.slept: list[float] = []
        self._now = now
        self._alarms: list[_Alarm] = []
        self._numbers = count()
        self._quiet = 0
        self._loop: asyncio.AbstractEventLoop | None = None

    def now(self) -> float:
        """Seconds since the clock's start."""
        return self._now

    def wall(self) -> float:
        """Seconds since 1970, of a fixed day."""
        return _EPOCH + self._now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds

    async def sleep(self, seconds: float) -> None:
        """Wait until that much time has passed."""
        self.slept.append(seconds)
        if seconds <= 0.0:
            await asyncio.sleep(0)
            return
        over = asyncio.Event()
        self.call_at(self._now + seconds, over.set)
        await over.wait()

    def call_at(self, when: float, callback: Callable[[], None]) -> _Alarm:
        """Call back at that time."""
        alarm = _Alarm(when, next(self._numbers), callback)
        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # what is left of another loop will not be waited for
            self._loop, self._alarms = loop, []
        if not self._alarms:
            loop.call_soon(self._turn)
        heappush(self._alarms, alarm)
        self._quiet = 0
        return alarm

    def _turn(self) -> None:
        self._quiet += 1
        while self._alarms and self._alarms[0].cancelled:
            heappop(self._alarms)
        if self._alarms and self._quiet > _QUIET_TURNS:
            self._quiet = 0
            alarm = self._alarms[0]
            self._now = max(self._now, alarm.when)
            alarm.cancel()
            alarm.ring()
        if self._alarms:
            asyncio.get_running_loop().call_soon(self._turn)
