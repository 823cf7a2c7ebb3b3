"""Bodies read chunk by chunk."""

from __future__ import annotations

import asyncio
import gzip
from typing import TYPE_CHECKING

import pytest

from tests.wire.conftest import busy
from tests.wire.raw_server import answers, chunked, reply, serving
from voxloud_async.errors import ResponseLostError
from voxloud_async.wire.message import Request

if TYPE_CHECKING:
    from tests.wire.raw_server import Conversation
    from voxloud_async.wire.message import ByteStream, Response
    from voxloud_async.wire.transport import Transport


def opened(answer: Response) -> ByteStream:
    assert answer.body == b""
    assert answer.stream is not None
    return answer.stream


async def open_stream(transport: Transport, url: str, *, timeout: float = 5) -> ByteStream:  # noqa: ASYNC109
    return opened(await transport.send(Request(method="GET", url=url, stream=True), timeout=timeout))


async def test_stream_starts_before_the_body_ends(transport: Transport) -> None:
    go_on = asyncio.Event()

    async def in_two(conversation: Conversation) -> None:
        await conversation.hear()
        await conversation.say(chunked(b"first", end=b""))
        await go_on.wait()
        await conversation.say(b"4\r\nlast\r\n0\r\n\r\n")
        await conversation.hold()

    async with serving(in_two) as server:
        stream = await open_stream(transport, server.url())
        iterator = aiter(stream)
        assert await anext(iterator) == b"first"
        go_on.set()
        assert [chunk async for chunk in iterator] == [b"last"]
        assert busy(transport) == 0
        assert [chunk async for chunk in stream] == []
        await stream.aclose()


async def test_drained_stream_gives_its_connection_back(transport: Transport) -> None:
    async with serving(answers(reply(b"ok"))) as server:
        for _ in range(3):
            assert [chunk async for chunk in await open_stream(transport, server.url())] == [b"ok"]
        assert server.connections == 1


async def test_cap_of_whole_bodies_does_not_apply(transport: Transport) -> None:
    async with serving(answers(reply(b"x" * 1000))) as server:
        request = Request(method="GET", url=server.url(), stream=True, max_body=10)
        stream = opened(await transport.send(request, timeout=5))
        assert b"".join([chunk async for chunk in stream]) == b"x" * 1000


async def test_coded_stream_comes_in_pieces_of_bounded_size(transport: Transport) -> None:
    body = gzip.compress(bytes(1_000_000))
    async with serving(answers(reply(body, headers=("Content-Encoding: gzip",)))) as server:
        sizes = [len(chunk) async for chunk in await open_stream(transport, server.url())]
    assert sum(sizes) == 1_000_000
    assert max(sizes) <= 64 * 1024


async def test_closing_early_hangs_up(transport: Transport) -> None:
    async def endless(conversation: Conversation) -> None:
        await conversation.hear()
        await conversation.say(chunked(b"first", end=b""))
        await conversation.hold()

    async with serving(endless) as server:
        stream = await open_stream(transport, server.url())
        assert await anext(aiter(stream)) == b"first"
        await stream.aclose()
        await stream.aclose()
        await server.all_hung_up()
        assert busy(transport) == 0
        with pytest.raises(ResponseLostError, match="closed"):
            await anext(aiter(stream))


async def test_closing_wakes_the_reader(transport: Transport) -> None:
    async def silent(conversation: Conversation) -> None:
        await conversation.hear()
        await conversation.say(chunked(end=b""))
        await conversation.hold()

    async with serving(silent) as server:
        stream = await open_stream(transport, server.url())
        reader = asyncio.ensure_future(anext(aiter(stream)))
        await asyncio.sleep(0.01)
        await stream.aclose()
        with pytest.raises(ResponseLostError) as caught:
            await asyncio.wait_for(reader, 1)
        await server.all_hung_up()
    assert caught.value.phase == "body"


async def test_each_chunk_has_the_timeout_to_come(transport: Transport) -> None:
    async def steady(conversation: Conversation) -> None:
        await conversation.hear()
        await conversation.say(chunked(end=b""))
        for _ in range(6):
            await asyncio.sleep(0.03)
            await conversation.say(b"1\r\nx\r\n")
        await conversation.hold()

    async with serving(steady) as server:
        stream = await open_stream(transport, server.url(), timeout=0.12)
        assert [await anext(aiter(stream)) for _ in range(6)] == [b"x"] * 6
        with pytest.raises(ResponseLostError, match=r"within 0\.12 s") as caught:
            await anext(aiter(stream))
        await server.all_hung_up()
    assert caught.value.phase == "body"


@pytest.mark.parametrize(
    "said",
    [b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345", chunked(b"12345", end=b"")],
    ids=["short", "cut"],
)
async def test_cut_stream_never_passes_for_a_whole_one(transport: Transport, said: bytes) -> None:
    async def cutting(conversation: Conversation) -> None:
        await conversation.hear()
        await conversation.say(said)

    async with serving(cutting) as server:
        stream = await open_stream(transport, server.url())
        with pytest.raises(ResponseLostError) as caught:
            [chunk async for chunk in stream]
        with pytest.raises(ResponseLostError):
            await anext(aiter(stream))
        assert busy(transport) == 0
    assert (caught.value.phase, caught.value.sent) == ("body", True)


async def test_cancelled_reader_hangs_up(transport: Transport) -> None:
    async def silent(conversation: Conversation) -> None:
        await conversation.hear()
        await conversation.say(chunked(end=b""))
        await conversation.hold()

    async with serving(silent) as server:
        stream = await open_stream(transport, server.url())
        reader = asyncio.ensure_future(anext(aiter(stream)))
        await asyncio.sleep(0.01)
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader
        await server.all_hung_up()
        assert busy(transport) == 0
