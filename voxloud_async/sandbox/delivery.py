"""Putting an answer on the wire, whole, slowly or not quite."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from .exchange import Answer
from .weather import Cut

Sleep = Callable[[float], Awaitable[object]]

_STEPS = 10


def whole(answer: Answer) -> web.Response:
    """The answer as it should be."""
    return web.Response(status=answer.status, body=answer.body or None, headers=_headers(answer))


async def slow(request: web.BaseRequest, answer: Answer, seconds: float, sleep: Sleep) -> web.StreamResponse:
    """The headers at once, the body in pieces over so many seconds."""
    response = _open(answer)
    await response.prepare(request)
    step = -(-len(answer.body) // _STEPS) or 1
    for start in range(0, len(answer.body), step):
        await sleep(seconds / _STEPS)
        await response.write(answer.body[start : start + step])
    return response


async def cut(request: web.BaseRequest, answer: Answer, where: Cut) -> web.StreamResponse:
    """Break the connection: without an answer, in the midst of the headers, or of the body."""
    transport = request.transport
    response = _open(answer)
    if transport is None:
        return response
    if where == "before_headers":
        transport.abort()
    elif where == "inside_headers":
        transport.write(f"HTTP/1.1 {answer.status} OK\r\nContent-Type: appli".encode())
        transport.close()
    else:
        await response.prepare(request)
        await response.write(answer.body[: len(answer.body) // 2])
        transport.close()
    return response


def _open(answer: Answer) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, headers=_headers(answer))
    response.content_length = len(answer.body)
    return response


def _headers(answer: Answer) -> dict[str, str]:
    content_type = {"Content-Type": answer.content_type} if answer.body else {}
    return content_type | dict(answer.headers)
