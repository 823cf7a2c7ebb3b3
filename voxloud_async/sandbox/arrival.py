"""Read requests from the connection; refuse those that cannot be read with the error body of the API."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import web
from attrs import evolve

from .exchange import Call, RefusalError, bad_request

_MOST_BYTES = 1024**2

_log = logging.getLogger("voxloud_async.sandbox.wire")
# Silent: aiohttp quotes the bytes of a malformed request, which may hold a key.
_log.setLevel(logging.CRITICAL + 1)

Handle = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


async def read(request: web.BaseRequest) -> Call:
    """Return the request with its body, after the answer to `Expect: 100-continue` (RFC 9110, section 10.1.1)."""
    call = Call(
        method=request.method,
        path=_text(request.rel_url.raw_path),
        query_string=_text(request.rel_url.raw_query_string),
        headers={name.lower(): value for name, value in request.headers.items()},
    )
    try:
        await _let_continue(request)
        return evolve(call, body=await request.read())
    except web.RequestPayloadError:
        refusal = bad_request("the body cannot be decoded")
    except web.HTTPRequestEntityTooLarge:
        refusal = _too_large()
    except RefusalError as error:
        refusal = error
    return evolve(call, unreadable=refusal)


async def _let_continue(request: web.BaseRequest) -> None:
    if (request.content_length or 0) > _MOST_BYTES:
        raise _too_large()
    expectation = request.headers.get("Expect", "").strip().lower()
    if expectation not in {"", "100-continue"}:
        raise RefusalError(HTTPStatus.EXPECTATION_FAILED, "only 100-continue can be expected")
    # also without a body: Java's client (JDK 17) hangs where the final answer comes first
    if expectation and request.version >= (1, 1):
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer itself has not begun


def _too_large() -> RefusalError:
    return RefusalError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body must have at most {_MOST_BYTES} bytes")


def _text(raw: str) -> str:
    return raw.encode(errors="surrogateescape").decode(errors="replace")


class Server(web.Server):
    """An aiohttp server that answers a malformed request with `malformed()`."""

    def __init__(self, handle: Handle, malformed: Callable[[], web.StreamResponse]) -> None:
        super().__init__(handle)
        self.malformed = malformed

    def __call__(self) -> web.RequestHandler:
        """Return the protocol of one connection."""
        return _Protocol(self)


class _Protocol(web.RequestHandler):
    def __init__(self, server: Server) -> None:
        super().__init__(server, loop=asyncio.get_running_loop(), access_log=_log, logger=_log)
        self._malformed = server.malformed

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        response = super().handle_error(request, status, exc, message)
        return self._malformed() if status == HTTPStatus.BAD_REQUEST else response
