"""What breaks an exchange, what its error states, and how often the server saw the request: never more than once."""

from __future__ import annotations

import asyncio
import re
import socket
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks import free_port
from tests.wire.raw_server import answers, chunked, reply, serving
from voxloud_async.errors import ProtocolError, RequestNotSentError, ResponseLostError
from voxloud_async.wire.failure import failure
from voxloud_async.wire.message import Request

if TYPE_CHECKING:
    from tests.wire.conftest import MakeTransport, Tls
    from tests.wire.raw_server import Conversation, Script
    from voxloud_async.wire.transport import Transport


async def test_refused_connection_was_not_sent(transport: Transport) -> None:
    port = free_port()
    with pytest.raises(RequestNotSentError) as caught:
        await transport.send(Request(method="POST", url=f"http://127.0.0.1:{port}/"), timeout=5)
    error = caught.value
    assert (error.phase, error.sent, error.retryable) == ("connect", False, True)
    assert str(error) == f"no connection to 127.0.0.1:{port} (connection refused)"
    assert (error.host, error.reason, error.code) == (f"127.0.0.1:{port}", "connection refused", "ECONNREFUSED")


async def test_a_name_of_several_addresses_that_all_refuse(
    transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    def both(_host: object, port: int, *_args: object, **_options: object) -> list[Any]:
        stream = (socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
        return [(socket.AF_INET, *stream, (address, port)) for address in ("127.0.0.1", "127.0.0.2")]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    with pytest.raises(RequestNotSentError, match=r"^no connection to voxloud\.test:\d+ \(connection refused\)$"):
        await transport.send(Request(method="POST", url=f"http://voxloud.test:{free_port()}/"), timeout=5)


async def test_unknown_name_was_not_sent(transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_args: object, **_options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(RequestNotSentError) as caught:
        await transport.send(Request(method="GET", url="http://voxloud.invalid/"), timeout=5)
    error = caught.value
    assert (error.phase, error.sent, error.retryable) == ("connect", False, True)
    assert str(error) == "no connection to voxloud.invalid (name look-up failed)"
    assert (error.host, error.code) == ("voxloud.invalid", "EAI_NONAME")


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "http://[::1/", "http:///path"])
async def test_unusable_url_is_never_worth_a_retry(transport: Transport, url: str) -> None:
    with pytest.raises(RequestNotSentError) as caught:
        await transport.send(Request(method="GET", url=url), timeout=5)
    assert (caught.value.sent, caught.value.retryable, caught.value.host) == (False, False, None)
    assert str(caught.value) == "the request cannot be sent: its URL is unusable"


@pytest.mark.parametrize("host", ["a..test", f"{'a' * 64}.test", "xn--\u00e4.test"], ids=["empty", "long", "mixed"])
async def test_a_name_that_cannot_be_looked_up_was_not_sent(transport: Transport, host: str) -> None:
    with pytest.raises(RequestNotSentError) as caught:
        await transport.send(Request(method="POST", url=f"http://{host}/"), timeout=5)
    assert caught.value.sent is False
    known = f"no connection to {host} (name look-up failed)", "the request cannot be sent: its URL is unusable"
    assert str(caught.value) in known


def test_a_name_that_cannot_be_written_is_never_worth_a_retry() -> None:
    error = failure(UnicodeError("label too long"), "connect", "unknown", "a.test")
    assert isinstance(error, RequestNotSentError)
    assert (error.retryable, error.code) == (False, "UnicodeError")


def test_what_is_not_known_is_not_said() -> None:
    error = failure(ValueError("jane@example.com"), "headers", "unknown", "a.test")
    assert str(error) == "the connection to a.test broke before an answer came"
    assert (error.reason, error.code) == (None, "ValueError")


async def test_untrusted_certificate_is_never_worth_a_retry(transport: Transport, tls: Tls) -> None:
    async with serving(answers(reply()), tls=tls.server) as server:
        with pytest.raises(RequestNotSentError) as caught:
            await transport.send(Request(method="GET", url=server.url()), timeout=5)
    error = caught.value
    assert (error.phase, error.sent, error.retryable) == ("connect", False, False)
    assert str(error).startswith(f"no connection to 127.0.0.1:{server.port} (TLS: ")
    assert error.code == "CERTIFICATE_VERIFY_FAILED"
    assert server.requests == []


async def test_tls_to_a_server_without_it_names_what_tls_says(transport: Transport) -> None:
    async def bluntly(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(reply(status="400 Bad Request"))
        writer.close()

    async with await asyncio.start_server(bluntly, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(RequestNotSentError, match=r"\(TLS failed\)$") as caught:
            await transport.send(Request(method="GET", url=f"https://127.0.0.1:{port}/"), timeout=5)
    assert caught.value.code is not None
    assert re.fullmatch("[A-Z]+(_[A-Z]+)+", caught.value.code)  # and no errno, which is EPERM whatever OpenSSL says
    assert (caught.value.sent, caught.value.retryable) == (False, True)


async def test_trusted_certificate(make_transport: MakeTransport, tls: Tls) -> None:
    transport = make_transport(ssl=tls.client)
    async with serving(answers(reply(b"ok")), tls=tls.server) as server:
        answer = await transport.send(Request(method="GET", url=server.url()), timeout=5)
        await transport.aclose()
    assert answer.body == b"ok"


async def test_plain_server_behind_https_was_not_sent(transport: Transport) -> None:
    async def plain(conversation: Conversation) -> None:
        await conversation.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with serving(plain) as server:
        with pytest.raises(RequestNotSentError) as caught:
            await transport.send(Request(method="GET", url=server.url().replace("http:", "https:")), timeout=5)
    assert (caught.value.phase, caught.value.retryable) == ("connect", True)
    assert server.requests == []


async def test_silent_handshake_was_not_sent(transport: Transport) -> None:
    async def silent(conversation: Conversation) -> None:
        await conversation.hold()

    async with serving(silent) as server:
        with pytest.raises(RequestNotSentError, match=r"within 0\.05 s") as caught:
            await transport.send(Request(method="GET", url=server.url().replace("http:", "https:")), timeout=0.05)
    assert caught.value.phase == "connect"


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n"


def breaking_off(*said: bytes, reset: bool = False) -> Script:
    async def script(conversation: Conversation) -> None:
        await conversation.hear()
        await conversation.say(*said)
        if reset:
            await asyncio.sleep(0.005)  # what was said arrives before the RST
            conversation.reset()

    return script


def dribbling(*said: bytes) -> Script:
    async def script(conversation: Conversation) -> None:
        await conversation.hear()
        await conversation.say(*said)
        while True:
            await conversation.say(b"x")
            await asyncio.sleep(0.005)

    return script


def going_silent(*said: bytes) -> Script:
    async def script(conversation: Conversation) -> None:
        await conversation.hear()
        await conversation.say(*said)
        await conversation.hold()

    return script


LOST = {
    "closed before headers": (breaking_off(), "headers"),
    "reset before headers": (breaking_off(reset=True), "headers"),
    "closed inside headers": (breaking_off(HEAD), "headers"),
    "reset inside headers": (breaking_off(HEAD, reset=True), "headers"),
    "short body": (breaking_off(HEAD + b"\r\n12345"), "body"),
    "reset in body": (breaking_off(HEAD + b"\r\n12345", reset=True), "body"),
    "cut between chunks": (breaking_off(chunked(b"12345", end=b"")), "body"),
    "cut inside a chunk": (breaking_off(chunked(b"12345", end=b"5\r\n12")), "body"),
}

SLOW = {
    "silence": (going_silent(), "headers"),
    "headers that never end": (dribbling(HEAD + b"X-Slow: "), "headers"),
    "half a body, then silence": (going_silent(HEAD + b"\r\n12345"), "body"),
    # aiohttp leaves the reader of a body waiting where what follows its first chunk is none
    "garbage for a chunk": (going_silent(chunked(b"12345", end=b""), b"no chunk\r\n"), "body"),
    "body that never ends": (dribbling(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"), "body"),
}

NOT_HTTP = {
    "garbage": b"\x00\xff\xfe garbage\r\n\r\n",
    "another protocol": b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
    "status that is no number": b"HTTP/1.1 OK\r\n\r\n",
    "oversized header": b"HTTP/1.1 200 OK\r\nX-Big: " + b"x" * 256_000 + b"\r\nContent-Length: 0\r\n\r\n",
    "too many headers": reply(headers=tuple(f"X-{number}: y" for number in range(200))),
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok",
}


@pytest.fixture(params=["GET", "DELETE", "POST"])
def method(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(params=[False, True], ids=["kept", "fresh"])
def fresh(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.mark.parametrize("fault", LOST)
async def test_lost_answer(transport: Transport, fault: str, method: str, fresh: bool) -> None:  # noqa: FBT001 - a fixture
    script, phase = LOST[fault]
    async with serving(script) as server:
        request = Request(method=method, url=server.url(), body=b"{}", fresh_connection=fresh)
        with pytest.raises(ResponseLostError) as caught:
            await transport.send(request, timeout=5)
        await server.all_hung_up()
    assert type(caught.value) is ResponseLostError
    assert (caught.value.phase, caught.value.sent) == (phase, True)
    assert len(server.requests) == 1


@pytest.mark.parametrize("fault", SLOW)
async def test_timeout_bounds_the_whole_exchange(transport: Transport, fault: str) -> None:
    script, phase = SLOW[fault]
    loop = asyncio.get_running_loop()
    async with serving(script) as server:
        start = loop.time()
        async with asyncio.timeout(5):  # each byte that comes would else begin a new wait, without end
            with pytest.raises(ResponseLostError) as caught:
                await transport.send(Request(method="GET", url=server.url()), timeout=0.08)
        took = loop.time() - start
        await server.all_hung_up()
    assert took >= 0.08 or fault.startswith("garbage")
    assert (caught.value.phase, caught.value.sent) == (phase, True)
    assert len(server.requests) == 1


@pytest.mark.parametrize("fault", NOT_HTTP)
async def test_what_is_not_http_is_no_bad_request(transport: Transport, fault: str, method: str) -> None:
    async with serving(answers(NOT_HTTP[fault])) as server:
        with pytest.raises(ProtocolError) as caught:
            await transport.send(Request(method=method, url=server.url()), timeout=5)
        await server.all_hung_up()
    assert (caught.value.phase, caught.value.sent) == ("headers", True)
    assert len(server.requests) == 1


async def test_next_request_is_unharmed(transport: Transport) -> None:
    script = iter([breaking_off(), breaking_off(HEAD + b"\r\n1"), answers(reply(b"ok"))])

    async def one_after_another(conversation: Conversation) -> None:
        await next(script)(conversation)

    async with serving(one_after_another) as server:
        request = Request(method="GET", url=server.url())
        for _ in range(2):
            with pytest.raises(ResponseLostError):
                await transport.send(request, timeout=5)
        assert (await transport.send(request, timeout=5)).body == b"ok"
