"""What the exchanges over aiohttp's connections have to see to by themselves, since no client of aiohttp does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp.client_proto import ResponseHandler

from tests.wire.conftest import busy
from tests.wire.raw_server import answers, reply, serving, until
from voxloud_async.errors import ClientClosedError, RequestNotSentError, ResponseLostError
from voxloud_async.wire.aiohttp import AiohttpTransport
from voxloud_async.wire.message import Request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.wire.conftest import Tls
    from tests.wire.raw_server import Conversation

LARGE = bytes(30_000_000)  # more than the buffers of two sockets hold


@pytest.fixture
async def transport() -> AsyncIterator[AiohttpTransport]:
    made = AiohttpTransport(limit=1)
    yield made
    await made.aclose()


async def silent(conversation: Conversation) -> None:
    await conversation.hear()
    await conversation.hold()


def unread(transport: AiohttpTransport) -> list[int]:
    """How many answers each idle connection holds."""
    library: Any = transport._library._resource
    return [len(protocol) for idle in library._kept._conns.values() for protocol, _ in idle]


async def test_an_answer_that_nobody_asked_for_is_nobodys(transport: AiohttpTransport) -> None:
    """Of https://github.com/aio-libs/aiohttp/issues/13656: else the next request would be given it as its own."""

    async def forward(conversation: Conversation) -> None:
        await conversation.hear()
        await conversation.say(reply(b"mine"))
        if server.connections == 1:
            await conversation.say(reply(b"somebody else's"))
        await conversation.hold()

    async with serving(forward) as server:
        assert (await transport.send(Request(method="GET", url=server.url()), timeout=5)).body == b"mine"
        await until(lambda: any(unread(transport)))
        assert (await transport.send(Request(method="GET", url=server.url()), timeout=5)).body == b"mine"
        assert (server.connections, len(server.requests)) == (2, 2)


async def refusing_unread(conversation: Conversation) -> None:
    await conversation._reader.readuntil(b"\r\n\r\n")
    conversation._server.requests.append(b"the head alone")
    await conversation.say(reply(b"too large", status="413 Content Too Large", headers=("Connection: close",)))
    await asyncio.sleep(60)


async def test_an_answer_that_comes_before_the_body_is_sent(transport: AiohttpTransport) -> None:
    async with serving(refusing_unread) as server:
        request = Request(method="POST", url=server.url(), body=LARGE, fresh_connection=True)
        answer = await transport.send(request, timeout=5)
    assert (answer.status, answer.body, len(server.requests)) == (413, b"too large", 1)


async def answering_unread(conversation: Conversation) -> None:
    await conversation._reader.readuntil(b"\r\n\r\n")
    conversation._server.requests.append(b"the head alone")
    await conversation.say(reply(b"enough"))
    await asyncio.sleep(60)


async def test_no_other_request_follows_on_a_body_that_is_not_yet_sent(transport: AiohttpTransport) -> None:
    async with serving(answering_unread) as server:
        for _ in range(2):
            answer = await transport.send(Request(method="PUT", url=server.url(), body=LARGE), timeout=5)
            assert answer.body == b"enough"
        assert (server.connections, len(server.requests)) == (2, 2)


async def test_a_stream_that_its_reader_forgot_gives_its_connection_back(transport: AiohttpTransport) -> None:
    async with serving(answers(reply(b"ok"))) as server:
        forgotten = await transport.send(Request(method="GET", url=server.url(), stream=True), timeout=5)
        assert forgotten.stream is not None
        with pytest.warns(ResourceWarning, match="Unclosed connection"):
            del forgotten
        assert (await transport.send(Request(method="GET", url=server.url()), timeout=5)).body == b"ok"


async def deaf(conversation: Conversation) -> None:
    await conversation.hear()
    conversation._writer.transport.pause_reading()  # type: ignore[attr-defined] # which transports of sockets have
    await asyncio.sleep(60)


async def test_closing_does_not_wait_for_a_deaf_peer(tls: Tls) -> None:
    """The end of TLS would: asyncio gives it 30 s."""
    transport = AiohttpTransport(ssl=tls.client)
    async with serving(deaf, tls=tls.server) as server:
        call = asyncio.create_task(transport.send(Request(method="GET", url=server.url()), timeout=20))
        await until(lambda: bool(server.requests))
        async with asyncio.timeout(2):
            await transport.aclose()
            with pytest.raises(ResponseLostError):
                await call


async def test_nobody_connects_to_what_is_closed(transport: AiohttpTransport) -> None:
    async with serving(silent) as server:
        request = Request(method="GET", url=server.url())
        first = asyncio.create_task(transport.send(request, timeout=5))
        await until(lambda: bool(server.requests))
        waiting = asyncio.create_task(transport.send(request, timeout=5))
        await until(lambda: busy(transport) == 2)
        await transport.aclose()
        async with asyncio.timeout(2):
            results = await asyncio.gather(first, waiting, return_exceptions=True)
        assert [type(result) for result in results] == [ResponseLostError, ClientClosedError]
        assert (server.connections, len(server.requests)) == (1, 1)


async def test_closed_in_the_very_turn_in_which_the_head_comes(
    transport: AiohttpTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    received = ResponseHandler.data_received
    closing: list[asyncio.Task[None]] = []

    def receive(self: Any, data: bytes) -> None:
        closing.append(asyncio.create_task(transport.aclose()))
        received(self, data)

    monkeypatch.setattr(ResponseHandler, "data_received", receive)
    async with serving(answers(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123")) as server:
        with pytest.raises(ResponseLostError) as caught:
            await transport.send(Request(method="GET", url=server.url()), timeout=5)
        await asyncio.gather(*closing)
    assert (caught.value.sent, len(server.requests)) == (True, 1)


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999/", "http://127.0.0.1:port/", "http://127.0.0.1?a=b"])
async def test_a_url_that_cannot_be_asked(transport: AiohttpTransport, url: str) -> None:
    with pytest.raises(RequestNotSentError) as caught:
        await transport.send(Request(method="GET", url=url), timeout=5)
    assert (caught.value.sent, caught.value.retryable) == (False, False)


async def test_credentials_in_a_url_are_refused_rather_than_left_out(transport: AiohttpTransport) -> None:
    with pytest.raises(RequestNotSentError):
        await transport.send(Request(method="GET", url="http://jane:secret@127.0.0.1/"), timeout=5)
