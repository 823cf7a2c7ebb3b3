"""A service that exists in virtual time only: hidden limits, maintenance, latency."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Sequence

from attrs import define, field

from voxloud_async.sandbox import Limit
from voxloud_async.testing import answer
from voxloud_async.wire.message import Request, Response

ACCOUNT = {"name": "Acme", "email": "office@example.com"}

Span = tuple[float, float]

WORK: Span = (0.020, 0.080)
"""Seconds that a request takes once it is there."""


@define(slots=False, kw_only=True)
class Service:
    """A transport that is the service. It notes the time of whatever reaches it."""

    limit: Limit
    seed: int = 0
    retry_after: bool = False
    maintenance: Sequence[Span] = ()
    one_way: Span = (0.015, 0.030)
    work: Span = WORK
    accepted: list[float] = field(factory=list)
    refused: list[float] = field(factory=list)
    unavailable: list[float] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._meter = self.limit.meter()

    @property
    def attempts(self) -> int:
        return len(self.accepted) + len(self.refused) + len(self.unavailable)

    async def send(self, request: Request, *, timeout: float) -> Response:  # noqa: ARG002, ASYNC109 - the contract
        await asyncio.sleep(self._random.uniform(*self.one_way))
        response = await self._answer()
        await asyncio.sleep(self._random.uniform(*self.one_way))
        return response

    async def aclose(self) -> None:
        pass

    async def _answer(self) -> Response:
        now = asyncio.get_running_loop().time()
        for start, length in self.maintenance:
            if start <= now < start + length:
                self.unavailable.append(now)
                return answer(None, status=503, headers=self._hint(start + length - now))
        wait = self._meter.wait(now)
        if wait > 0.0:
            self.refused.append(now)
            return answer(None, status=429, headers=self._hint(wait))
        self._meter.take(now)
        self.accepted.append(now)
        await asyncio.sleep(self._random.uniform(*self.work))
        self._meter.release()
        return answer(ACCOUNT)

    def _hint(self, wait: float) -> dict[str, str]:
        return {"Retry-After": str(math.ceil(wait))} if self.retry_after else {}
