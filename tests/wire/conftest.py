"""Both transports, and the proof that a test left nothing behind."""

from __future__ import annotations

import asyncio
import os
import ssl
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from voxloud_async.wire.aiohttp import AiohttpTransport
from voxloud_async.wire.transport import Transport

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    MakeTransport = Callable[..., Transport]


@pytest.fixture(params=["aiohttp", "httpx2"])
def make_transport(request: pytest.FixtureRequest) -> MakeTransport:
    """The class of a transport; each test that asks for it holds for both."""
    if request.param == "aiohttp":
        return AiohttpTransport
    pytest.importorskip("httpx2", reason="the extra [httpx2] is not installed")
    from voxloud_async.wire.httpx2 import Httpx2Transport  # noqa: PLC0415 - an extra

    return Httpx2Transport


@pytest.fixture
async def transport(make_transport: MakeTransport) -> AsyncIterator[Transport]:
    """A transport that must not have a connection, a task or a file descriptor left over at the end."""
    descriptors = _descriptors()
    made = make_transport()
    yield made
    await _settled(lambda: busy(made) == 0)
    await made.aclose()
    await _settled(lambda: asyncio.all_tasks() == {asyncio.current_task()})
    await _settled(lambda: _descriptors() <= descriptors)


def busy(transport: Any) -> int:
    """How many connections are handed out or waited for."""
    library = transport._library._resource if transport._library._generator else None
    if library is None:
        return 0
    return sum(_busy(pool) for pool in (library._kept, library._fresh))


def _busy(pool: Any) -> int:
    if hasattr(pool, "connector"):
        return len(pool.connector._acquired) + len(pool.connector._waiters)
    return len(pool._pool._requests)


async def _settled(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)


def _descriptors() -> int:
    return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0


class Tls:
    """An authority of our own, with the settings of a server it vouches for and of a client that trusts it."""

    def __init__(self) -> None:
        authority = trustme.CA()
        self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(self.server)
        self.client = ssl.create_default_context()
        authority.configure_trust(self.client)


@pytest.fixture(scope="session")
def tls() -> Tls:
    return Tls()
