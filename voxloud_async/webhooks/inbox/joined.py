"""Calls that come while one batch is under way go into the next, together."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

A = TypeVar("A")
R = TypeVar("R")

MOST_JOINED = 200
"""Calls in one batch at the most."""


class Joined(Generic[A, R]):
    """Calls `work` with the arguments of all waiting calls, one batch at a time; it answers each in turn.

    An exception among the answers is one call's, one that `work` raises is everybody's. A call that is cancelled before
    its batch begins is left out.
    """

    def __init__(self, work: Callable[[Sequence[A]], Awaitable[Sequence[R | Exception]]]) -> None:
        self._work = work
        self._waiting: deque[tuple[A, asyncio.Future[R]]] = deque()
        self._running: asyncio.Task[None] | None = None

    async def __call__(self, argument: A) -> R:
        """Answer one call."""
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((argument, answer))
        if self._running is None:
            self._running = asyncio.ensure_future(self._run())
        return await answer

    async def _run(self) -> None:
        try:
            while self._waiting:
                count = min(MOST_JOINED, len(self._waiting))
                batch = [self._waiting.popleft() for _ in range(count)]
                await self._answer([each for each in batch if not each[1].cancelled()])
        finally:
            self._running = None

    async def _answer(self, batch: Sequence[tuple[A, asyncio.Future[R]]]) -> None:
        if not batch:
            return
        try:
            answers = await self._work([argument for argument, _ in batch])
        except Exception as error:  # noqa: BLE001 - it is the callers'
            answers = [error] * len(batch)
        for (_, waiting), answer in zip(batch, answers, strict=True):
            if waiting.cancelled():
                continue
            if isinstance(answer, Exception):
                waiting.set_exception(answer)
            else:
                waiting.set_result(answer)
