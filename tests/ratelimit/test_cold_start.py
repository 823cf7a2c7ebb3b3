"""A new client whose key is used up by others: it goes on soon after the limit gives way, however many calls wait."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest
from attrs import define, field

from benchmarks.storm.service import ACCOUNT
from tests.virtual_time import run_virtual
from voxloud_async import VoxloudClient
from voxloud_async._clock import LoopClock
from voxloud_async.testing import answer

if TYPE_CHECKING:
    from voxloud_async.wire.message import Request, Response


@define
class UsedUp:
    """A transport that refuses until a time, with the same Retry-After every time."""

    until: float
    retry_after: str | None = None
    answered: list[float] = field(factory=list)
    refused: int = 0

    async def send(self, request: Request, *, timeout: float) -> Response:  # noqa: ARG002, ASYNC109 - the contract
        now = asyncio.get_running_loop().time()
        await asyncio.sleep(0.05)
        if now < self.until:
            self.refused += 1
            return answer(status=429, headers={"Retry-After": self.retry_after} if self.retry_after else {})
        self.answered.append(now)
        return answer(ACCOUNT)

    async def aclose(self) -> None:
        pass


def first_answer(seconds: float, callers: int, retry_after: str | None = None) -> tuple[float, UsedUp]:
    """Seconds from the end of the limit to the first request that passes."""

    async def main() -> tuple[float, UsedUp]:
        service = UsedUp(asyncio.get_running_loop().time() + seconds, retry_after)
        chance = random.Random(3).random
        client = VoxloudClient("key", transport=service, clock=LoopClock(), chance=chance)
        await asyncio.gather(*(client.validate_auth() for _ in range(callers)))
        return service.answered[0] - service.until, service

    return run_virtual(main())


@pytest.mark.parametrize("callers", [1, 2, 20])
@pytest.mark.parametrize("seconds", [0.2, 0.5, 2.0, 10.0, 30.0])
def test_l2_the_first_answer_comes_soon_after_the_limit_is_free(seconds: float, callers: int) -> None:
    waited, service = first_answer(seconds, callers)
    assert waited <= max(1.5, 0.5 * seconds if seconds < 10.0 else 1.5)
    assert service.refused <= 10 + callers


@pytest.mark.parametrize(("retry_after", "seconds"), [("2", 2.0), ("2.5", 3.0), ("0", 1.0)])
def test_l2_a_retry_after_is_honoured_as_it_is(retry_after: str, seconds: float) -> None:
    waited, service = first_answer(0.5, 2, retry_after)
    assert waited <= seconds - 0.5 + 0.2
    assert service.refused <= 6
