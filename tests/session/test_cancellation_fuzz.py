"""Thousands of seeded storms in which callers are cancelled at any moment: whatever is taken comes back."""

from __future__ import annotations

import asyncio
import random

import pytest

from tests.session.harness import DELETE, OK, READ, RING, Reply, Wire, idle, rig
from tests.virtual_time import run_virtual
from voxloud_async.errors import RequestNotSentError, ResponseLostError, VoxloudError
from voxloud_async.testing import answer

pytestmark = pytest.mark.acceptance

SEEDS = 3000
BATCH = 250

REPLIES: list[Reply] = [
    OK,
    OK,
    answer(status=429),
    answer(status=429, headers={"Retry-After": "1"}),
    answer(status=503),
    answer(status=500),
    ResponseLostError("reset"),
    RequestNotSentError("refused"),
]


async def storm(seed: int) -> None:
    chance = random.Random(seed)
    wire = Wire(*chance.choices(REPLIES, k=20), OK, seconds=chance.choice([0.0, 0.01, 0.3]))
    made = rig(wire, rate=chance.choice([None, 5.0]), concurrency=chance.choice([1, 3, 64]), chance=chance.random)
    calls = [
        asyncio.create_task(made.call(chance.choice([READ, DELETE, RING]), max_wait=chance.choice([None, 2.0])))
        for _ in range(chance.randint(1, 8))
    ]
    for call in calls:
        if chance.random() < 0.75:
            asyncio.get_running_loop().call_later(chance.uniform(0.0, 3.0), call.cancel)
    ends = await asyncio.gather(*calls, return_exceptions=True)
    assert all(
        not isinstance(end, BaseException) or isinstance(end, VoxloudError | asyncio.CancelledError) for end in ends
    )
    assert idle(made.limiter)
    assert wire.in_flight == 0
    wire.play(OK)
    assert await made.call(READ) == "ok"
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_t16_nothing_leaks_whoever_is_cancelled(first: int) -> None:
    for seed in range(first, first + BATCH):
        run_virtual(storm(seed))
