"""Downloads from a bucket on loopback, by both transports, in time that passes by being waited for."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest

from tests.recordings.bucket import Bucket, serving_bucket
from voxloud_async.recordings import Recordings
from voxloud_async.testing import FakeClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    Make = Callable[..., Recordings]


@pytest.fixture(params=["aiohttp", "httpx2"])
def transport(request: pytest.FixtureRequest) -> Any:
    if request.param == "httpx2":
        pytest.importorskip("httpx2", reason="the extra [httpx2] is not installed")
    return request.param


@pytest.fixture
async def bucket() -> AsyncIterator[Bucket]:
    async with serving_bucket(Bucket()) as made:
        yield made


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def make(transport: Any, clock: FakeClock) -> AsyncIterator[Make]:
    """Make downloads with these options, which are closed in the end."""
    async with AsyncExitStack() as stack:

        def made(**options: Any) -> Recordings:
            settings = {"hosts": ["127.0.0.1"], "transport": transport, "clock": clock, "chance": lambda: 1.0}
            recordings = Recordings(**(settings | options))
            stack.push_async_callback(recordings.aclose)
            return recordings

        yield made


@pytest.fixture
def recordings(make: Make) -> Recordings:
    return make()
