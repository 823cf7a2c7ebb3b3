"""Which calls are under way, so that closing a client ends them instead of leaving them hanging."""

from __future__ import annotations

import asyncio
from types import TracebackType

from ..errors import ClientClosedError


class Lifetime:
    """Open until closed once; knows the calls under way."""

    def __init__(self) -> None:
        self.closed = False
        self._under_way: set[UnderWay] = set()

    def call(self) -> UnderWay:
        """A scope for one call; raises ClientClosedError where the client is closed."""
        self.require_open()
        return UnderWay(self._under_way)

    def require_open(self) -> None:
        """Raise ClientClosedError where the client is closed."""
        if self.closed:
            raise ClientClosedError("the client is closed")

    async def close(self) -> None:
        """Refuse new calls, end those of the running loop with ClientClosedError and wait until they have let go."""
        self.closed = True
        loop = asyncio.get_running_loop()
        ending = [scope.end() for scope in self._under_way if scope.task.get_loop() is loop]
        for gone in ending:
            await gone.wait()


class UnderWay:
    """One call. Ended from outside, its cancellation turns into ClientClosedError, as in `asyncio.timeout`."""

    __slots__ = ("_cancelling", "_left", "_registry", "task")

    task: asyncio.Task[object]

    def __init__(self, registry: set[UnderWay]) -> None:
        self._registry = registry
        self._left: asyncio.Event | None = None

    def end(self) -> asyncio.Event:
        """Cancel the call; the event tells when it is gone."""
        if self._left is None:
            self._left = asyncio.Event()
            self.task.cancel()
        return self._left

    def __enter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - coroutines run in tasks
        self.task = task
        self._cancelling = task.cancelling()
        self._registry.add(self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._registry.discard(self)
        if self._left is None:
            return
        self._left.set()
        if self.task.uncancel() <= self._cancelling and isinstance(error, asyncio.CancelledError):
            raise ClientClosedError("the client was closed during the call") from None
