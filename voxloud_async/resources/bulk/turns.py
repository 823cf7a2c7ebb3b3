"""Turns: what concerns the same thing goes one after the other, in the order in which it came."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from attrs import define, field


@define
class _Turn:
    lock: asyncio.Lock = field(factory=asyncio.Lock)
    users: int = 0


@define(eq=False)
class Turns:
    """A lock for every key in use, and for no other."""

    _turns: dict[str, _Turn] = field(factory=dict, init=False)

    @asynccontextmanager
    async def of(self, key: str) -> AsyncIterator[None]:
        """Wait for the turn of a key."""
        turn = self._turns.setdefault(key, _Turn())
        turn.users += 1
        try:
            async with turn.lock:
                yield
        finally:
            turn.users -= 1
            if not turn.users:
                del self._turns[key]
