"""An event loop in which nothing is waited for: when every task waits, its time jumps to the next timer."""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")

LEAST_STEP = 1e-6
"""Seconds: a timer set for a moment that rounding puts just ahead would else be set again for ever."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """`time()` starts at 1,000 seconds and passes in jumps."""

    def __init__(self) -> None:
        self._virtual_now = 1000.0
        super().__init__(_Selector(self))

    def time(self) -> float:
        return self._virtual_now

    def idle(self, seconds: float | None) -> None:
        """Every task waits, the first timer for so many seconds; None: there is no timer."""
        if seconds is None:
            raise RuntimeError("every task waits for what cannot come")
        if seconds > 0.0:
            self._virtual_now += max(seconds, LEAST_STEP)


class _Selector(selectors.DefaultSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        self._loop.idle(timeout)
        return super().select(0)


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run` in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
