"""The receiver as routes of an aiohttp application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import web

from .intake import Answer, Arrival, Intake


def routes(intake: Intake, path: str) -> list[web.RouteDef]:
    """The one route: `path` and, below it, the token."""
    return [web.route("*", f"{path.rstrip('/')}/{{token}}", _handler(intake))]


def _handler(intake: Intake) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def receive(request: web.Request) -> web.StreamResponse:
        return _response(await intake.answer(_arrival(request)))

    return receive


def _arrival(request: web.Request) -> Arrival:
    headers: dict[str, str] = {}
    for raw_name, value in request.headers.items():
        name = raw_name.lower()
        headers[name] = f"{headers[name]},{value}" if name in headers else value

    async def read() -> bytes:
        try:
            return await request.content.readany()
        except web.RequestPayloadError:
            raise ConnectionResetError from None  # a chunk that is none

    return Arrival(request.method, request.match_info["token"], headers, request.remote, read)


def _response(answer: Answer) -> web.StreamResponse:
    if answer.status == HTTPStatus.NOT_FOUND:
        raise web.HTTPNotFound  # what aiohttp answers to an unknown path
    response = web.Response(status=answer.status, headers=answer.headers)
    if answer.close:
        response.force_close()
    return response
