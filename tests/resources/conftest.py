"""A small sandbox on a real socket, and a client of it."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest
from attrs import frozen

from voxloud_async import VoxloudClient
from voxloud_async.sandbox import Quirks, Sandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Serve = Callable[..., Awaitable["Served"]]


@frozen
class Served:
    sandbox: Sandbox
    client: VoxloudClient


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start a sandbox with these quirks and options."""
    async with AsyncExitStack() as stack:

        async def start(quirks: Quirks | None = None, **options: Any) -> Served:
            size: dict[str, Any] = {"contacts": 23, "users": 3, "groups": 2, "events": 130, "keep_bodies": True}
            sandbox = await stack.enter_async_context(Sandbox(quirks=quirks or Quirks(), **(size | options)))
            client = VoxloudClient(sandbox.api_key, base_url=sandbox.url, rate=None)
            return Served(sandbox, await stack.enter_async_context(client))

        yield start


@pytest.fixture
async def served(serve: Serve) -> Served:
    return await serve()


@pytest.fixture
def client(served: Served) -> VoxloudClient:
    return served.client


@pytest.fixture
def sandbox(served: Served) -> Sandbox:
    return served.sandbox
