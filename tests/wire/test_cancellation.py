"""Cancelled at every step of an exchange: the cancellation comes out, and nothing stays behind."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.wire.conftest import busy
from tests.wire.raw_server import serving, until
from voxloud_async.wire.message import Request

if TYPE_CHECKING:
    from tests.wire.conftest import MakeTransport, Tls
    from tests.wire.raw_server import Conversation


async def in_parts(conversation: Conversation) -> None:
    while await conversation.hear():
        await conversation.say(b"HTTP/1.1 200 OK\r\n", b"Content-Length: 4\r\n\r\n", b"bo", b"dy", pause=0)


@pytest.mark.parametrize("fresh", [False, True], ids=["kept", "fresh"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("secure", [False, True], ids=["tcp", "tls"])
@pytest.mark.parametrize("again", [False, True], ids=["once", "twice"])
async def test_cancelled_after_any_number_of_steps(
    make_transport: MakeTransport,
    tls: Tls,
    *,
    fresh: bool,
    stream: bool,
    secure: bool,
    again: bool,
) -> None:
    transport = make_transport(limit=1, ssl=tls.client)

    async with serving(in_parts, tls=tls.server if secure else None) as server:
        request = Request(method="POST", url=server.url(), body=b"{}", fresh_connection=fresh, stream=stream)

        async def exchange() -> bytes:
            answer = await transport.send(request, timeout=5)
            return answer.body if answer.stream is None else b"".join([chunk async for chunk in answer.stream])

        finished, steps = 0, 0
        while finished < 3:
            task = asyncio.create_task(exchange())
            for _ in range(steps):
                await asyncio.sleep(0)
            finished += task.done()
            steps += 1
            task.cancel()
            if again:
                await asyncio.sleep(0)
                task.cancel()
            await asyncio.wait([task])
            assert task.cancelled() or task.result() == b"body"
            await until(lambda: busy(transport) == 0)
        assert await exchange() == b"body"
        await transport.aclose()
        await server.all_hung_up()
    assert steps > 8
