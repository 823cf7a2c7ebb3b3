"""The receiver as an ASGI application, served alone or mounted in any framework. Standard library alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any, Protocol

from attrs import frozen

from .intake import Answer, Arrival, Intake

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_TEXT = {"content-type": "text/plain; charset=utf-8"}


class Lifetime(Protocol):
    """What is started before the first request and stopped after the last."""

    async def enter(self) -> None:
        """Start."""
        ...

    async def leave(self) -> None:
        """Stop."""
        ...


@frozen
class AsgiApp:
    """`POST /<token>` below wherever it is mounted; every other path is not found."""

    _intake: Intake
    _lifetime: Lifetime

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection: HTTP, or the life of the server where it has a say in it."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await _send(await self._intake.answer(_arrival(scope, receive)), send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self._lifetime.enter()
        except Exception as error:
            await send({"type": "lifespan.startup.failed", "message": type(error).__name__})
            raise
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._lifetime.leave()
        await send({"type": "lifespan.shutdown.complete"})


def _arrival(scope: Scope, receive: Receive) -> Arrival:
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    client = scope.get("client")
    return Arrival(scope["method"], _token(scope), headers, client[0] if client else None, _reader(receive))


def _token(scope: Scope) -> str:
    """The one segment below the mount; "" for any other path.

    Frameworks differ: most leave `root_path` in the path, some take it off, and Litestar puts a slash behind.
    """
    path: str = scope["path"]
    root = scope.get("root_path", "").rstrip("/")
    if root and path.startswith(f"{root}/"):
        path = path[len(root) :]
    token = path[1:].removesuffix("/")
    return "" if "/" in token else token


def _reader(receive: Receive) -> Callable[[], Awaitable[bytes]]:
    more = True

    async def read() -> bytes:
        nonlocal more
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ConnectionResetError
            more = message.get("more_body", False)
            if piece := message.get("body", b""):
                return bytes(piece)
        return b""

    return read


async def _send(answer: Answer, send: Send) -> None:
    body = b"Not Found" if answer.status == HTTPStatus.NOT_FOUND else b""
    headers = {**_TEXT, **answer.headers, "content-length": str(len(body))}
    if answer.close:
        headers["connection"] = "close"
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": int(answer.status), "headers": raw})
    await send({"type": "http.response.body", "body": body})
