"""W7 under traffic: a small version of what `python -m benchmarks.webhooks.crash` runs with 20,000 deliveries."""

from __future__ import annotations

import asyncio

import pytest

from benchmarks.webhooks import shapes
from benchmarks.webhooks.crash import run

pytestmark = pytest.mark.acceptance


async def test_w3_two_processes_with_different_handlers_lose_nothing_in_any_shape() -> None:
    async with asyncio.timeout(240):
        result = await shapes.run(3000, seed=1, kills=2)
    assert result.is_good, result
    assert result.unread_fields > 500
    assert result.dead > 300 < result.handled


async def test_w7_killed_at_all_five_points_under_traffic_nothing_is_lost() -> None:
    async with asyncio.timeout(240):
        result = await run(600, concurrency=1, seed=1)
    assert result.is_good, result
    assert (result.lost, result.kills) == (0, 5)
    assert result.extra_runs <= 5
    assert result.deliveries >= 600
    assert result.doubled > 0
    assert result.back_filled > 0
