"""What is returned as an answer, and what of the request reaches the wire."""

from __future__ import annotations

import gzip
import http.cookies
import tracemalloc
import zlib
from typing import TYPE_CHECKING

import pytest

from tests.wire.raw_server import answers, chunked, reply, serving
from voxloud_async.errors import ProtocolError, ResponseLostError, ResponseTooLargeError
from voxloud_async.wire.message import Headers, Request

if TYPE_CHECKING:
    from pathlib import Path

    from tests.wire.raw_server import Conversation
    from voxloud_async.wire.transport import Transport

KEY = Headers({"Voverc-Auth": "key-of-the-account"})


@pytest.mark.parametrize("status", ["200 OK", "204 No Content", "400 Bad Request", "404 Not Found", "429 Slow Down"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_status_is_no_fault(transport: Transport, status: str, method: str) -> None:
    async with serving(answers(reply(status=status, headers=("X-Request: 7", "X-Request: 8")))) as server:
        answer = await transport.send(Request(method=method, url=server.url()), timeout=5)
    assert answer.status == int(status[:3])
    assert answer.headers["x-request"] == "7, 8"
    assert (answer.body, answer.stream) == (b"", None)


@pytest.mark.parametrize("status", ["500 Internal Server Error", "502 Bad Gateway", "503 Service Unavailable"])
async def test_failed_service_is_asked_once(transport: Transport, status: str) -> None:
    async with serving(answers(reply(b"<html>", status=status))) as server:
        answer = await transport.send(Request(method="GET", url=server.url()), timeout=5)
        assert len(server.requests) == 1
    assert (answer.status, answer.body) == (int(status[:3]), b"<html>")


@pytest.mark.parametrize("status", ["301", "302", "303", "307", "308"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_redirect_is_never_followed(transport: Transport, status: str, method: str) -> None:
    async with serving(answers(reply())) as elsewhere:
        redirect = reply(status=f"{status} Moved", headers=(f"Location: {elsewhere.url('/contacts')}",))
        async with serving(answers(redirect)) as server:
            request = Request(method=method, url=server.url(), headers=KEY, body=b'{"primary_phone":"+390312345678"}')
            answer = await transport.send(request, timeout=5)
    assert answer.status == int(status)
    assert answer.headers["location"] == elsewhere.url("/contacts")
    assert len(server.requests) == 1
    assert (elsewhere.connections, elsewhere.requests) == (0, [])


async def test_request_goes_out_as_it_stands(transport: Transport) -> None:
    target = "/api/a%2Fb;c='!()*,~/%7B%7d?phone=%2B39%20031&from=2024-01-01T00:00:00%2B01:00&x=%2f"
    async with serving(answers(reply())) as server:
        headers = Headers([("Voverc-Auth", "key"), ("X-Twice", "1"), ("X-Twice", "2"), ("Accept-Encoding", "identity")])
        await transport.send(Request(method="PUT", url=server.url(target), headers=headers, body=b"{}"), timeout=5)
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    request_line, *lines = head.decode().split("\r\n")
    assert request_line == f"PUT {target} HTTP/1.1"
    assert body == b"{}"
    assert sorted(line.lower() for line in lines) == [
        "accept-encoding: identity",
        "content-length: 2",
        f"host: 127.0.0.1:{server.port}",
        "voverc-auth: key",
        "x-twice: 1",
        "x-twice: 2",
    ]


async def test_nothing_is_added_but_the_codings_it_undoes(transport: Transport) -> None:
    async with serving(answers(reply())) as server:
        await transport.send(Request(method="GET", url=server.url()), timeout=5)
        await transport.send(Request(method="GET", url=server.url(), fresh_connection=True), timeout=5)
    common = ["accept-encoding: gzip, deflate", f"host: 127.0.0.1:{server.port}"]
    assert _header_lines(server.requests[0]) == common
    assert _header_lines(server.requests[1]) == sorted([*common, "connection: close"])


async def test_a_post_without_a_body_says_so(transport: Transport) -> None:
    async with serving(answers(reply())) as server:
        await transport.send(Request(method="POST", url=server.url()), timeout=5)
    assert "content-length: 0" in _header_lines(server.requests[0])


async def test_cookies_are_not_kept(transport: Transport) -> None:
    async with serving(answers(reply(headers=("Set-Cookie: session=1; Path=/",)))) as server:
        url = server.url().replace("127.0.0.1", "localhost")
        for fresh in (False, True, False):
            answer = await transport.send(Request(method="GET", url=url, fresh_connection=fresh), timeout=5)
            assert http.cookies.SimpleCookie(answer.headers["set-cookie"])["session"].value == "1"
    assert not any(b"cookie" in request.lower() for request in server.requests)


async def test_environment_has_no_say(transport: Transport, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    async with serving(answers(reply())) as proxy, serving(answers(reply(b"direct"))) as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url())
        monkeypatch.delenv("NO_PROXY", raising=False)
        answer = await transport.send(Request(method="GET", url=server.url()), timeout=5)
    assert answer.body == b"direct"
    assert proxy.connections == 0
    assert b"authorization" not in server.requests[0].lower()


RAW_DEFLATE = zlib.compressobj(wbits=-zlib.MAX_WBITS)
TEXT = b'{"data": []}' * 50
CODED = {
    "gzip": ("gzip", gzip.compress(TEXT)),
    "x-gzip": ("X-GZip", gzip.compress(TEXT)),
    "deflate": ("deflate", zlib.compress(TEXT)),
    "raw deflate": ("deflate", RAW_DEFLATE.compress(TEXT) + RAW_DEFLATE.flush()),
    "two members": ("gzip", gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:])),
    "twice": ("deflate, gzip", gzip.compress(zlib.compress(TEXT))),
    "identity": ("identity", TEXT),
}


@pytest.mark.parametrize("case", CODED)
@pytest.mark.parametrize("piecemeal", [False, True])
async def test_content_coding_is_undone(transport: Transport, case: str, piecemeal: bool) -> None:  # noqa: FBT001
    coding, coded = CODED[case]
    header = f"Content-Encoding: {coding}"
    parts = [coded[place : place + 7] for place in range(0, len(coded), 7)]
    said = chunked(*parts, headers=(header,)) if piecemeal else reply(coded, headers=(header,))
    async with serving(answers(said)) as server:
        answer = await transport.send(Request(method="GET", url=server.url()), timeout=5)
    assert answer.body == TEXT


async def test_body_coded_twice_but_declared_once(transport: Transport) -> None:
    body = gzip.compress(gzip.compress(bytes(1_000_000)))
    async with serving(answers(reply(body, headers=("Content-Encoding: gzip",)))) as server:
        answer = await transport.send(Request(method="GET", url=server.url(), max_body=10_000), timeout=5)
    assert answer.body == gzip.decompress(body)


@pytest.mark.parametrize(
    ("coding", "body", "kind"),
    [
        ("gzip", gzip.compress(TEXT)[:-20], ResponseLostError),
        ("gzip", b"no gzip", ProtocolError),
        ("deflate", b"\x07no deflate", ProtocolError),
        ("br", TEXT, ProtocolError),
        ("gzip, gzip, gzip, gzip", TEXT, ProtocolError),
    ],
    ids=["cut", "no gzip", "no deflate", "unknown", "too many"],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_broken_coding(
    transport: Transport,
    coding: str,
    body: bytes,
    kind: type[ResponseLostError],
    stream: bool,  # noqa: FBT001 - a parameter
) -> None:
    async with serving(answers(reply(body, headers=(f"Content-Encoding: {coding}",)))) as server:
        with pytest.raises(ResponseLostError) as caught:
            await _drained(transport, Request(method="GET", url=server.url(), stream=stream))
    assert (type(caught.value), caught.value.phase) == (kind, "body")


BOMBS = {
    "gzip": ("gzip", gzip.compress(bytes(64_000_000), 9)),
    "deflate": ("deflate", zlib.compress(bytes(64_000_000), 9)),
    "gzip in gzip": ("gzip, gzip", gzip.compress(gzip.compress(bytes(64_000_000), 9), 9)),
}


@pytest.mark.parametrize("case", BOMBS)
async def test_bomb_is_refused_in_little_memory(transport: Transport, case: str) -> None:
    coding, bomb = BOMBS[case]
    async with serving(answers(reply(bomb, headers=(f"Content-Encoding: {coding}",)))) as server:
        request = Request(method="GET", url=server.url(), max_body=2_000_000)
        tracemalloc.start()
        try:
            with pytest.raises(ResponseTooLargeError) as caught:
                await transport.send(request, timeout=20)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 6_000_000
    assert (caught.value.limit, caught.value.phase, caught.value.sent) == (2_000_000, "body", True)


async def test_endless_body_is_dropped_at_its_cap(transport: Transport) -> None:
    async def endless(conversation: Conversation) -> None:
        await conversation.hear()
        await conversation.say(chunked(end=b""))
        while True:
            await conversation.say(b"3e8\r\n" + b"x" * 1000 + b"\r\n")

    async with serving(endless) as server:
        with pytest.raises(ResponseTooLargeError):
            await transport.send(Request(method="GET", url=server.url(), max_body=10_000), timeout=5)
        await server.all_hung_up()


async def test_body_as_large_as_its_cap(transport: Transport) -> None:
    async with serving(answers(reply(b"x" * 100))) as server:
        answer = await transport.send(Request(method="GET", url=server.url(), max_body=100), timeout=5)
        assert answer.body == b"x" * 100
        with pytest.raises(ResponseTooLargeError):
            await transport.send(Request(method="GET", url=server.url(), max_body=99), timeout=5)


async def test_body_that_ends_with_the_connection(transport: Transport) -> None:
    async def closing(conversation: Conversation) -> None:
        await conversation.hear()
        await conversation.say(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nfirst ", b"last")

    async with serving(closing) as server:
        assert (await transport.send(Request(method="GET", url=server.url()), timeout=5)).body == b"first last"


async def _drained(transport: Transport, request: Request) -> bytes:
    answer = await transport.send(request, timeout=5)
    return answer.body if answer.stream is None else b"".join([chunk async for chunk in answer.stream])


def _header_lines(request: bytes) -> list[str]:
    return sorted(request.decode().lower().split("\r\n")[1:-2])


async def test_interim_answers_are_passed_over(transport: Transport) -> None:
    hints = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    async with serving(answers(hints + reply(b"ok"))) as server:
        answer = await transport.send(Request(method="GET", url=server.url()), timeout=5)
    assert (answer.status, answer.body, len(server.requests)) == (200, b"ok", 1)
