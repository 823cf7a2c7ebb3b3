"""A client that holds connections and is dropped without `aclose` warns of itself and of the line that made it."""

from __future__ import annotations

import asyncio
import gc
import inspect
import warnings
from typing import TYPE_CHECKING, Any

import pytest

from tests.wire.raw_server import answers, reply, serving
from voxloud_async import VoxloudClient
from voxloud_async.recordings import Recordings
from voxloud_async.wire.aiohttp import AiohttpTransport
from voxloud_async.wire.httpx2 import Httpx2Transport
from voxloud_async.wire.message import Request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from voxloud_async.wire.choice import Choice

BODY = b'{"name": "Rossi", "email": "admin@example.com"}'


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async with serving(answers(*[reply(BODY)] * 4)) as server:
        yield server.url()


@pytest.fixture
def heard() -> Iterator[list[warnings.WarningMessage]]:
    """The warnings of what a test drops."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield caught


def line() -> int:
    frame = inspect.currentframe()
    assert frame
    assert frame.f_back
    return frame.f_back.f_lineno


@pytest.mark.parametrize("transport", ["aiohttp", "httpx2"])
async def test_an_unclosed_client_warns_of_itself_and_its_line(
    transport: Choice, url: str, heard: list[warnings.WarningMessage]
) -> None:
    made_at, client = line(), VoxloudClient("key-of-the-pbx", base_url=url, transport=transport)
    await client.validate_auth()
    assert not heard
    del client
    gc.collect()
    (warning,) = heard
    assert (warning.category, warning.filename, warning.lineno) == (ResourceWarning, __file__, made_at)
    assert f"unclosed VoxloudClient, made at {__file__}:{made_at}" in str(warning.message)
    assert "key-of-the-pbx" not in str(warning.message)


async def test_copies_with_other_options_do_not_double_it(url: str, heard: list[warnings.WarningMessage]) -> None:
    client = VoxloudClient("key", base_url=url)
    hasty = client.with_options(timeout=1)
    await hasty.validate_auth()
    del client
    gc.collect()
    assert not heard, "the copy may still be closed"
    del hasty
    gc.collect()
    assert [warning.category for warning in heard] == [ResourceWarning]


async def test_a_client_that_was_closed_or_never_used_does_not_warn(
    url: str, heard: list[warnings.WarningMessage]
) -> None:
    async with VoxloudClient("key", base_url=url) as client:
        await client.validate_auth()
    copy = VoxloudClient("key", base_url=url)
    await copy.validate_auth()
    await copy.with_options(timeout=1).aclose()
    VoxloudClient("key", base_url=url)
    del client, copy
    gc.collect()
    assert not heard


def test_a_client_whose_loop_ended_does_not_warn(heard: list[warnings.WarningMessage]) -> None:
    clients: list[VoxloudClient] = []

    async def main() -> None:
        async with serving(answers(reply(BODY))) as server:
            clients.append(VoxloudClient("key", base_url=server.url()))
            await clients[0].validate_auth()

    asyncio.run(main())
    clients.clear()
    gc.collect()
    assert not heard


async def test_recordings_and_transports_warn_of_themselves(url: str, heard: list[warnings.WarningMessage]) -> None:
    made_at, recordings, transport = line(), Recordings(), Httpx2Transport()
    for each in (recordings._transport, transport):
        await each.send(Request(method="GET", url=url), timeout=5)
    del each, recordings, transport
    gc.collect()
    kinds = {str(warning.message).partition(",")[0] for warning in heard}
    assert kinds == {"unclosed Recordings", "unclosed Httpx2Transport"}
    assert [warning.lineno for warning in heard] == [made_at, made_at]


def test_what_was_refused_an_argument_does_not_warn(heard: list[warnings.WarningMessage]) -> None:
    nonsense: Any = {"nonsense": 1}
    with pytest.raises(TypeError):
        AiohttpTransport(**nonsense)
    gc.collect()
    assert not heard
