"""An event loop whose time jumps to the next timer as soon as nothing is left to do."""

from __future__ import annotations

import asyncio
import heapq
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_LEAST_STEP = 1e-6  # timers that are re-armed for "now" would otherwise spin forever


class _NoWait(selectors.DefaultSelector):  # type: ignore[misc, valid-type]
    """A selector that advances the loop's time instead of waiting."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> Any:
        self.loop.advance(timeout)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs as fast as the machine allows; `time()` is virtual seconds."""

    def __init__(self) -> None:
        selector = _NoWait()
        selector.loop = self
        self._virtual = 0.0
        super().__init__(selector)

    def time(self) -> float:
        return self._virtual

    def advance(self, timeout: float | None) -> None:
        if timeout is None:
            raise RuntimeError("every task waits for something that cannot come")
        if timeout > 0:
            self._virtual += max(timeout, _LEAST_STEP)


def run(main: Coroutine[Any, Any, T]) -> T:
    """Like `asyncio.run`, in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
