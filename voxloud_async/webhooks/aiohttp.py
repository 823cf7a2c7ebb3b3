"""The receiver as routes of an aiohttp application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import web

from .intake import Answer, Arrival, Intake, TooLargeError
from .parse import MAX_BODY


def routes(intake: Intake, path: str) -> list[web.RouteDef]:
    """`path` and, below it, the token; with a slash at the end as well, as ASGI servers take it."""
    handler = _handler(intake)
    return [web.route("*", f"{path.rstrip('/')}/{{token}}{end}", handler) for end in ("", "/")]


def _handler(intake: Intake) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def receive(request: web.Request) -> web.StreamResponse:
        return _response(await intake.answer(_arrival(request)))

    return receive


def _arrival(request: web.Request) -> Arrival:
    headers: dict[str, str] = {}
    for raw_name, value in request.headers.items():
        name = raw_name.lower()
        headers[name] = f"{headers[name]},{value}" if name in headers else value

    whole = False

    async def read() -> bytes:
        nonlocal whole
        if whole:
            return b""
        whole = True
        try:
            return await (_bounded(request) if request.can_read_body else request).read()
        except web.HTTPRequestEntityTooLarge:
            raise TooLargeError from None
        except web.RequestPayloadError:
            raise ConnectionResetError from None  # a chunk that is none

    return Arrival(request.method, request.match_info["token"], headers, request.remote, read)


def _bounded(request: web.Request) -> web.Request:
    """The request with the bound of a receiver. One whose body a middleware has read has it already, and no bound."""
    return request.clone(client_max_size=MAX_BODY + 1)


def _response(answer: Answer) -> web.StreamResponse:
    if answer.status == HTTPStatus.NOT_FOUND:
        raise web.HTTPNotFound  # what aiohttp answers to an unknown path
    response = web.Response(status=answer.status, headers=answer.headers)
    if answer.close:
        response.force_close()
    return response
