"""Both transports, and the proof that a test left nothing behind."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from tests.wire.raw_server import until
from voxloud_async.wire.aiohttp import AiohttpTransport

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from voxloud_async.wire.httpx2 import Httpx2Transport
    from voxloud_async.wire.transport import Transport

    MakeTransport = type[AiohttpTransport | Httpx2Transport]


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
    """A transport that must not have a connection, a task or a socket left over at the end."""
    sockets = _sockets()
    made = make_transport()
    yield made
    await until(lambda: busy(made) == 0)
    await made.aclose()
    await until(lambda: asyncio.all_tasks() == {asyncio.current_task()})
    await until(lambda: _sockets() <= sockets)


def busy(transport: Any) -> int:
    """How many connections are handed out or waited for."""
    library = transport._library._resource if transport._library._generator else None
    if library is None:
        return 0
    return sum(_busy(pool) for pool in (library._kept, library._fresh))


def _busy(pool: Any) -> int:
    if hasattr(pool, "_acquired"):
        return len(pool._acquired) + len(pool._waiters)
    return len(pool._pool._requests)


def _sockets() -> int:
    """How many this process has open; files and pipes come and go with what else it does, as measuring its coverage."""
    own = Path("/proc/self/fd")
    return sum(_is_socket(each) for each in own.iterdir()) if own.is_dir() else 0


def _is_socket(descriptor: Path) -> bool:
    try:
        return descriptor.readlink().name.startswith("socket:")
    except FileNotFoundError:  # it was closed meanwhile, such as that of the folder itself
        return False


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
