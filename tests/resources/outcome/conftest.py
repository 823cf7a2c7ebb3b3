"""An empty sandbox on a real socket, and a client of it over either transport."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest

from tests.resources.outcome.losing import Served
from voxloud_async import VoxloudClient
from voxloud_async.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.resources.outcome.losing import Start


@pytest.fixture(params=["aiohttp", "httpx2"])
def transport(request: pytest.FixtureRequest) -> str:
    if request.param == "httpx2":
        pytest.importorskip("httpx2", reason="the extra [httpx2] is not installed")
    return str(request.param)


@pytest.fixture
async def start(transport: Any) -> AsyncIterator[Start]:
    """Start an empty sandbox with these options, and a client of it."""
    async with AsyncExitStack() as stack:

        async def started(**options: Any) -> Served:
            size: dict[str, Any] = {"contacts": 0, "users": 3, "groups": 1, "events": 20}
            sandbox = await stack.enter_async_context(Sandbox(**size | options))
            client = VoxloudClient(sandbox.api_key, base_url=sandbox.url, rate=None, transport=transport)
            return Served(await stack.enter_async_context(client), sandbox)

        yield started
