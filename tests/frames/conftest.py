"""Pages of a small sandbox, as bytes and as models."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from voxloud_async import VoxloudClient
from voxloud_async.sandbox import Quirks, Sandbox

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Pages = Callable[..., Awaitable[list[bytes]]]


@pytest.fixture
def event_pages() -> Pages:
    """The first pages of a sandbox's telephony events, as they come."""

    async def fetch(quirks: Quirks | None = None, count: int = 3) -> list[bytes]:
        async with (
            Sandbox(quirks=quirks or Quirks(), contacts=5, events=150, users=3, groups=2) as sandbox,
            VoxloudClient(sandbox.api_key, base_url=sandbox.url, rate=None) as client,
        ):
            first = sandbox.quirks.first_page
            return [
                await _page(client, {"page": str(number), "size": "50", "sort": "timestamp,asc"})
                for number in range(first, first + count)
            ]

    return fetch


async def _page(client: VoxloudClient, query: dict[str, str]) -> bytes:
    answer: Any = await client.request("POST", "/api/v1/telephony-events", query=query, body={})
    return json.dumps(answer).encode()
