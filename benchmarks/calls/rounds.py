"""A round of calls in an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from .contenders import Get


def a_round(runner: asyncio.Runner, get: Get, calls: int, at_once: int) -> Callable[[], None]:
    """So many calls, so many of them under way at once."""

    async def caller() -> None:
        for _ in range(calls // at_once):
            await get()

    async def every() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(caller())

    return lambda: runner.run(every())
