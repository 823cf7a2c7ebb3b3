"""What a traceback with locals shows, as error reporters send them: none of what a request holds."""

from __future__ import annotations

import asyncio
import traceback
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp.http import StreamWriter

from tests.wire.raw_server import chunked, reply, serving, until
from voxloud_async.errors import ClientClosedError, TransportError
from voxloud_async.wire.message import Headers, Request, SecretText

if TYPE_CHECKING:
    from tests.wire.conftest import MakeTransport
    from tests.wire.raw_server import Conversation
    from voxloud_async.wire.transport import Transport

NUMBER = "390312345678"
SECRETS = ("key-0123456789", NUMBER, "jane@example.com")


def request_to(url: str, **options: Any) -> Request:
    return Request(
        method="POST",
        url=f"{url}?phone=%2B{NUMBER}",
        headers=Headers({"Voverc-Auth": SecretText("key-0123456789")}),
        body=b'{"primary_phone": "+%s", "primary_email": "jane@example.com"}' % NUMBER.encode(),
        **options,
    )


def rendered(error: BaseException) -> str:
    """The traceback with locals from the transport's first frame on."""
    trace = error.__traceback__
    while trace is not None and not trace.tb_frame.f_code.co_filename.endswith(("pooled.py", "httpx2.py")):
        trace = trace.tb_next
    shown = traceback.TracebackException(type(error), error, trace, capture_locals=True)
    text = "".join(shown.format())
    assert "request = Request(" in text  # locals are shown
    return text


async def silent(conversation: Conversation) -> None:
    await conversation.hear()
    await conversation.hold()


async def half(conversation: Conversation) -> None:
    await conversation.hear()
    await conversation.say(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\njane@example.com")
    await conversation.hold()


@pytest.mark.parametrize("script", [silent, half], ids=["headers", "body"])
async def test_t9_of_a_cancelled_exchange(transport: Transport, script: Any) -> None:
    async with serving(script) as server:
        task = asyncio.create_task(transport.send(request_to(server.url("/")), timeout=5))
        await until(lambda: bool(server.requests))
        await asyncio.sleep(0.02)
        task.cancel("the user hung up")
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
    text = rendered(caught.value)
    assert not [secret for secret in SECRETS if secret in text]
    assert "site-packages" not in text


async def test_t9_of_an_exchange_that_an_outer_timeout_ends(transport: Transport) -> None:
    async with serving(silent) as server:
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(0.05):
                await transport.send(request_to(server.url("/")), timeout=5)
    cause = caught.value.__cause__ or caught.value.__context__  # before 3.11.3 it is the context
    assert isinstance(cause, asyncio.CancelledError)
    text = rendered(cause)
    assert not [secret for secret in SECRETS if secret in text]


async def test_t9_of_a_cancelled_stream(transport: Transport) -> None:
    async with serving(half) as server:
        answer = await transport.send(request_to(server.url("/"), stream=True), timeout=5)
        assert answer.stream is not None
        assert await anext(aiter(answer.stream)) == b"jane@example.com"
        task = asyncio.ensure_future(anext(aiter(answer.stream)))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        await answer.stream.aclose()
    text = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert not [secret for secret in SECRETS if secret in text]


FAULTS = {
    "cut": b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\nConnection: close\r\n\r\njane@example.com",
    "garbage": b"jane@example.com\r\n\r\n",
    "too large": chunked(b"jane@example.com" * 100),
    "many headers": reply(headers=tuple(f"X-{n}: jane@example.com" for n in range(150))),
    "silence": b"",
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_t9_of_a_fault(transport: Transport, fault: str) -> None:
    async def script(conversation: Conversation) -> None:
        await conversation.hear()
        await conversation.say(FAULTS[fault])
        if not FAULTS[fault]:
            await conversation.hold()

    async with serving(script) as server:
        with pytest.raises(TransportError) as caught:
            await transport.send(request_to(server.url("/"), max_body=1000), timeout=0.2)
    text = rendered(caught.value)
    assert not [secret for secret in SECRETS if secret in text]
    assert "site-packages" not in text


async def test_t9_of_a_transport_that_is_closed_under_a_waiting_call(make_transport: MakeTransport) -> None:
    transport = make_transport(limit=1)
    async with serving(silent) as server:
        first = asyncio.create_task(transport.send(request_to(server.url("/")), timeout=0.3))
        await until(lambda: bool(server.requests))
        second = asyncio.create_task(transport.send(request_to(server.url("/")), timeout=5))
        await asyncio.sleep(0.02)
        await transport.aclose()
        await asyncio.wait([first, second])
    error = second.exception()
    assert isinstance(error, ClientClosedError)
    assert first.exception() is not None
    text = rendered(error)
    assert not [secret for secret in SECRETS if secret in text]


async def test_t9_of_a_mistake_inside_the_library(transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its frames stay, since nobody else could say what went wrong: there key and body hide by themselves."""
    import httpx2  # noqa: PLC0415 - an extra

    def broken(*_args: object, **_options: object) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(StreamWriter, "write_headers", broken)
    monkeypatch.setattr(httpx2.AsyncHTTPTransport, "handle_async_request", broken)
    async with serving(silent) as server:
        with pytest.raises(ZeroDivisionError) as caught:
            await transport.send(request_to(server.url("/")), timeout=5)
    text = rendered(caught.value)
    assert not [secret for secret in ("key-0123456789", f"+{NUMBER}", "jane@example.com") if secret in text]


def test_what_hides_itself_is_otherwise_what_it_is() -> None:
    request = request_to("http://127.0.0.1/")
    key, body = request.headers["voverc-auth"], request.body
    assert (repr(key), key, f"{key}", key.encode()) == ("'***'", "key-0123456789", "key-0123456789", b"key-0123456789")
    assert body is not None
    assert (repr(body), bytes(body)[:3], len(body)) == (f"<{len(body)} bytes>", b'{"p', len(body))
    assert request.with_header("X", "y").body is body
