"""Doubles for tests of code that uses the client: a transport that follows a script, and a clock that does not wait."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable
from typing import Protocol

from .errors import ClientClosedError
from .wire.message import Headers, Request, Response

__all__ = ["FakeClock", "FakeTransport", "ScriptExhaustedError", "answer"]

_EPOCH = 1_700_000_000.0


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
        return outcome

    async def aclose(self) -> None:
        """Note that it was closed."""
        self.closed = True


class _Handle(Protocol):
    def cancel(self) -> None: ...


class FakeClock:
    """A clock whose time passes only by being waited for, at once. `slept` lists every sleep in seconds."""

    def __init__(self, now: float = 0.0) -> None:
        self.slept: list[float] = []
        self._now = now

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
        """Let time pass and give other tasks a turn."""
        self.slept.append(seconds)
        self.advance(seconds)
        await asyncio.sleep(0)

    def call_at(self, when: float, callback: Callable[[], None]) -> _Handle:
        """Call back in the next turn of the loop, at that time."""

        def ring() -> None:
            self._now = max(self._now, when)
            callback()

        return asyncio.get_running_loop().call_soon(ring)
