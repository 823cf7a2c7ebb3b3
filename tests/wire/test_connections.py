"""Which connection a request rides on, and what becomes of it."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.wire.conftest import busy
from tests.wire.raw_server import answers, reply, serving, until
from voxloud_async.errors import ClientClosedError, RequestNotSentError, ResponseLostError
from voxloud_async.wire.message import Request

if TYPE_CHECKING:
    from tests.wire.conftest import MakeTransport
    from tests.wire.raw_server import Conversation
    from voxloud_async.wire.transport import Transport


async def once(conversation: Conversation) -> None:
    """Answer as if to keep the connection, and close it."""
    await conversation.hear()
    await conversation.say(reply(b"ok"))


async def test_connections_are_kept(transport: Transport) -> None:
    async with serving(answers(reply())) as server:
        for _ in range(5):
            await transport.send(Request(method="GET", url=server.url()), timeout=5)
        assert (server.connections, server.open_connections, len(server.requests)) == (1, 1, 5)


async def test_fresh_connection_is_used_once(transport: Transport) -> None:
    async with serving(answers(reply())) as server:
        await transport.send(Request(method="GET", url=server.url()), timeout=5)
        for _ in range(3):
            await transport.send(Request(method="POST", url=server.url(), fresh_connection=True), timeout=5)
        await transport.send(Request(method="GET", url=server.url()), timeout=5)
        assert (server.connections, len(server.requests)) == (4, 5)


async def test_stale_connection_is_never_met_by_fresh_requests(transport: Transport) -> None:
    async with serving(once) as server:
        for _ in range(20):
            request = Request(method="POST", url=server.url(), fresh_connection=True)
            assert (await transport.send(request, timeout=5)).body == b"ok"
        assert (server.connections, len(server.requests)) == (20, 20)


async def test_closed_idle_connection_is_noticed(transport: Transport) -> None:
    async with serving(once) as server:
        for _ in range(3):
            await transport.send(Request(method="GET", url=server.url()), timeout=5)
            await server.all_hung_up()
            await asyncio.sleep(0.01)
        assert (server.connections, len(server.requests)) == (3, 3)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
async def test_connection_that_dies_under_a_request_is_told_and_not_hidden(transport: Transport, method: str) -> None:
    async def dying(conversation: Conversation) -> None:
        await conversation.hear()
        await conversation.say(reply(b"ok"))
        await conversation.hear()

    async with serving(dying) as server:
        request = Request(method=method, url=server.url(), body=b"{}")
        await transport.send(request, timeout=5)
        with pytest.raises(ResponseLostError) as caught:
            await transport.send(request, timeout=5)
        assert caught.value.phase == "headers"
        assert (server.connections, len(server.requests)) == (1, 2)
        assert (await transport.send(request, timeout=5)).body == b"ok"


async def test_as_many_connections_as_the_limit(make_transport: MakeTransport) -> None:
    transport = make_transport(limit=2)

    async def slow(conversation: Conversation) -> None:
        while await conversation.hear():
            await asyncio.sleep(0.005)
            await conversation.say(reply(b"ok"))

    async with serving(slow) as server:
        request = Request(method="GET", url=server.url())
        bodies = await asyncio.gather(*(transport.send(request, timeout=5) for _ in range(8)))
        assert [answer.body for answer in bodies] == [b"ok"] * 8
        assert server.connections == 2
        assert busy(transport) == 0
    await transport.aclose()


async def test_wait_for_a_connection_spends_the_timeout(make_transport: MakeTransport) -> None:
    transport = make_transport(limit=1)
    release = asyncio.Event()

    async def blocked(conversation: Conversation) -> None:
        while await conversation.hear():
            await release.wait()
            await conversation.say(reply(b"ok"))

    async with serving(blocked) as server:
        request = Request(method="GET", url=server.url())
        first = asyncio.create_task(transport.send(request, timeout=5))
        await until(lambda: bool(server.requests))
        with pytest.raises(RequestNotSentError, match=r"within 0\.03 s") as caught:
            await transport.send(request, timeout=0.03)
        assert (caught.value.phase, caught.value.sent, caught.value.retryable) == ("connect", False, True)
        release.set()
        assert (await first).body == b"ok"
        assert len(server.requests) == 1
        assert busy(transport) == 0
    await transport.aclose()


@pytest.mark.parametrize("phases", [("body", "headers"), ("headers", "headers")], ids="-".join)
async def test_closing_ends_what_is_under_way(make_transport: MakeTransport, phases: tuple[str, str]) -> None:
    transport = make_transport(limit=2)

    async def half(conversation: Conversation) -> None:
        asked = await conversation.hear()
        if b"/body" in asked:
            await conversation.say(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
        await conversation.hold()

    async with serving(half) as server:
        sent = [
            asyncio.create_task(transport.send(Request(method="GET", url=server.url(f"/{phase}")), timeout=5))
            for phase in phases
        ]
        await until(lambda: len(server.requests) == 2)
        waiting = asyncio.create_task(transport.send(Request(method="GET", url=server.url()), timeout=0.3))
        await asyncio.sleep(0.02)
        async with asyncio.timeout(1):
            await transport.aclose()
            await transport.aclose()
            results = await asyncio.gather(*sent, waiting, return_exceptions=True)
        await server.all_hung_up()
    assert [getattr(result, "phase", result) for result in results[:2]] == list(phases)
    assert isinstance(results[2], ClientClosedError)
    assert len(server.requests) == 2
    with pytest.raises(ClientClosedError):
        await transport.send(Request(method="GET", url=server.url()), timeout=1)


async def test_settings_of_tls_are_loaded_outside_of_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    httpx2 = pytest.importorskip("httpx2", reason="the extra [httpx2] is not installed")
    from voxloud_async.wire.httpx2 import Httpx2Transport  # noqa: PLC0415 - an extra

    threads: list[int] = []
    load = httpx2.create_ssl_context

    def loading(**options: Any) -> Any:
        threads.append(threading.get_ident())
        return load(**options)

    monkeypatch.setattr(httpx2, "create_ssl_context", loading)
    transport = Httpx2Transport()
    async with serving(answers(reply(b"ok"))) as server:
        request = Request(method="GET", url=server.url())
        hasty = asyncio.create_task(transport.send(request, timeout=5))
        await asyncio.sleep(0)
        hasty.cancel()  # and the others get what it had begun
        many = await asyncio.gather(*(transport.send(request, timeout=5) for _ in range(20)))
        await transport.send(request, timeout=5)
        await transport.aclose()
    assert {answer.body for answer in many} == {b"ok"}
    assert threading.get_ident() not in threads
    assert len(threads) == 1
