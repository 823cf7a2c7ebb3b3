"""Large bodies leave the event loop its turns."""

from __future__ import annotations

import asyncio
import gzip
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.wire.raw_server import answers, reply, serving
from voxloud_async.errors import ResponseTooLargeError
from voxloud_async.wire.coding import PIECE, STEPS
from voxloud_async.wire.message import Request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from voxloud_async.wire.transport import Transport

SIZE = 64_000_000
BOMBS = {
    "gzip": ("gzip", gzip.compress(bytes(SIZE), 9)),
    "gzip in gzip": ("gzip, gzip", gzip.compress(gzip.compress(bytes(SIZE), 9), 9)),
    "three times": ("gzip, gzip, gzip", gzip.compress(gzip.compress(gzip.compress(bytes(SIZE), 9), 9), 9)),
}
TURNS = SIZE // (PIECE * STEPS)
"""The fewest that such a body takes."""


@asynccontextmanager
async def counted() -> AsyncIterator[list[int]]:
    """Count the turns of the loop."""
    turns = [0]

    async def count() -> None:
        while True:
            await asyncio.sleep(0)
            turns[0] += 1

    counting = asyncio.create_task(count())
    try:
        yield turns
    finally:
        counting.cancel()
        await asyncio.wait([counting])


@pytest.mark.parametrize("case", BOMBS)
async def test_a_large_coded_body_is_decoded_in_many_turns(transport: Transport, case: str) -> None:
    coding, body = BOMBS[case]
    async with serving(answers(reply(body, headers=(f"Content-Encoding: {coding}",)))) as server, counted() as turns:
        answer = await transport.send(Request(method="GET", url=server.url(), max_body=SIZE), timeout=20)
    assert len(answer.body) == SIZE
    assert turns[0] >= TURNS
    assert len(server.requests) == 1


@pytest.mark.parametrize("case", BOMBS)
async def test_so_is_a_stream_whose_reader_never_waits(transport: Transport, case: str) -> None:
    coding, body = BOMBS[case]
    async with serving(answers(reply(body, headers=(f"Content-Encoding: {coding}",)))) as server, counted() as turns:
        answer = await transport.send(Request(method="GET", url=server.url(), stream=True), timeout=20)
        stream: Any = answer.stream
        assert sum([len(piece) async for piece in stream]) == SIZE
    assert turns[0] >= TURNS


async def test_a_body_that_comes_to_too_much_ends_there(transport: Transport) -> None:
    async with serving(answers(reply(BOMBS["gzip"][1], headers=("Content-Encoding: gzip",)))) as server:
        with pytest.raises(ResponseTooLargeError):
            await transport.send(Request(method="GET", url=server.url(), max_body=SIZE - 1), timeout=20)
    assert len(server.requests) == 1


@pytest.mark.parametrize(("size", "elsewhere"), [(1_000_000, False), (8_000_000, True)])
async def test_a_large_body_is_joined_in_a_thread(
    transport: Transport,
    size: int,
    elsewhere: bool,  # noqa: FBT001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    joined: list[threading.Thread] = []
    to_thread = asyncio.to_thread

    async def noted(function: Any, *args: Any) -> Any:
        joined.append(threading.current_thread())
        return await to_thread(function, *args)

    monkeypatch.setattr(asyncio, "to_thread", noted)
    async with serving(answers(reply(b"x" * size))) as server:
        answer = await transport.send(Request(method="GET", url=server.url(), max_body=size), timeout=20)
    assert answer.body == b"x" * size
    assert bool(joined) is elsewhere
