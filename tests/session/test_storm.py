"""Many calls against a limit nobody told of, over real sockets, with the client's defaults."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.session.fast_time import FastClock
from voxloud_async import VoxloudClient
from voxloud_async.sandbox import FixedWindow, Sandbox, TokenBucket, Weather

CALLS = 200


@pytest.mark.parametrize("transport", ["aiohttp", "httpx2"])
@pytest.mark.parametrize(
    "weather",
    [
        Weather(limits=(FixedWindow(20),)),
        Weather(limits=(TokenBucket(20, 20),), retry_after="seconds"),
        Weather(limits=(FixedWindow(20),), maintenance=((2.0, 3.0),), cut_before=0.01, error_after=0.01),
    ],
    ids=["a window", "a bucket with Retry-After", "a maintenance and faults besides"],
)
async def test_g10_a_storm_of_reads_comes_through(weather: Weather, transport: Any) -> None:
    if transport == "httpx2":
        pytest.importorskip("httpx2", reason="the extra [httpx2] is not installed")
    clock = FastClock(speed=10.0)  # faster, and a busy machine would pace the calls by itself
    async with (
        Sandbox(contacts=0, users=3, events=0, weather=weather, clock=clock.now) as sandbox,
        VoxloudClient(sandbox.api_key, base_url=sandbox.url, transport=transport, clock=clock) as client,
    ):
        lists = await asyncio.gather(*(client.users.list() for _ in range(CALLS)))
        assert [len(users) for users in lists] == [3] * CALLS
        assert sandbox.count(status=200) == CALLS
        refused = sandbox.count(status=429)
        # others pay 450 to 780 (docs/benchmarks/storm.md); in fast time a busy machine's answers are ten times as late
        assert 0 < refused < CALLS
