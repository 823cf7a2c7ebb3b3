"""An event loop whose time jumps to the next timer as soon as nothing is left to do."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_LEAST_STEP = 1e-6  # timers that are re-armed for "now" would otherwise spin for ever


class _Jump(selectors.SelectSelector):
    """A selector that moves the time of its loop on instead of waiting."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("every task waits for something that cannot come")
        if timeout > 0.0:
            self.now += max(timeout, _LEAST_STEP)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs as fast as the machine allows; `time()` is virtual seconds."""

    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)

    def time(self) -> float:
        return self._jump.now


def run(main: Coroutine[Any, Any, T]) -> T:
    """Like `asyncio.run`, in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
