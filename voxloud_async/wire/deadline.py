"""The time limits of the exchanges of one event loop, which share a single timer.

A timer for each, as `asyncio.timeout` sets it, costs a tenth of a short exchange.
"""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType


class Deadlines:
    """The deadlines under way in the running loop, and a timer for the earliest that there was when it was set."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self.under_way: set[Deadline] = set()
        self.next = math.inf

    def after(self, seconds: float) -> Deadline:
        """A deadline for what runs inside `with`: it raises TimeoutError there as `asyncio.timeout` does."""
        return Deadline(self, self._loop.time() + seconds)

    def ring_at(self, when: float) -> None:
        """Set the timer; where nothing is due when it rings, it is set anew."""
        if self._timer is not None:
            self._timer.cancel()
        self.next = when
        self._timer = self._loop.call_at(when, self._ring)

    def close(self) -> None:
        """Take the timer out of the loop, unless somebody still counts on it."""
        if self._timer is not None and not self.under_way:
            self._timer.cancel()
            self._timer, self.next = None, math.inf

    def _ring(self) -> None:
        self._timer, self.next = None, math.inf
        now = self._loop.time()
        for deadline in [each for each in self.under_way if each.when <= now]:
            self.under_way.discard(deadline)
            deadline.expire()
        if self.under_way:
            self.ring_at(min(each.when for each in self.under_way))


class Deadline:
    """One of them. Where it passes, the cancellation that ends its block turns into TimeoutError."""

    __slots__ = ("_all", "_cancelling", "_task", "expired", "when")

    _task: asyncio.Task[object]

    def __init__(self, every: Deadlines, when: float) -> None:
        self._all = every
        self.when = when
        self.expired = False

    def expire(self) -> None:
        """End the block."""
        self.expired = True
        self._task.cancel()

    def __enter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - coroutines run in tasks
        self._task = task
        self._cancelling = task.cancelling()
        self._all.under_way.add(self)
        if self.when < self._all.next:
            self._all.ring_at(self.when)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._all.under_way.discard(self)
        if self.expired and self._task.uncancel() <= self._cancelling and isinstance(error, asyncio.CancelledError):
            raise TimeoutError from error
