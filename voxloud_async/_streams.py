"""The one kind of object that every method returns which gives its items one after another."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import Any, Generic, Literal, Self, TypeVar

from ._tracebacks import OWN, without_frames, without_traceback
from .errors import UsageError

T_co = TypeVar("T_co", covariant=True)

_NOTHING: Any = object()


def cancel(task: asyncio.Future[Any]) -> None:
    """Cancel a task from any thread, also where its event loop has ended."""
    loop = task.get_loop()
    try:
        is_here = loop is asyncio.get_running_loop()
    except RuntimeError:
        is_here = False
    if is_here:
        task.cancel()
    elif not loop.is_closed():
        loop.call_soon_threadsafe(task.cancel)


class Stream(AsyncIterator[T_co], Generic[T_co]):
    """Items to iterate over once with `async for`, by one task at a time.

    A stream may be left at any point. `async with` and `aclose()` have cancelled the requests under way when they
    return; without them that happens when the last reference to the stream goes.

    A timeout or a cancellation around `anext` loses nothing: the next `anext` continues at the same place. After an
    error it tries again there, or raises the error again where another attempt cannot help. A stream that was closed
    early raises `UsageError`; only one that was read to its end ends.
    """

    _items: Iterator[T_co] = iter(())
    _state: Literal["open", "ended", "closed"] = "open"
    _is_read = False

    @without_frames
    def __aiter__(self) -> Self:
        """Return the stream itself.

        Raises:
            UsageError: the stream was read to its end or closed.
        """
        if self._state != "open":
            raise UsageError("a stream is read once: make another one")
        return self

    async def __anext__(self) -> T_co:
        try:
            while (item := next(self._items, _NOTHING)) is _NOTHING:
                if not await self._continue():
                    raise StopAsyncIteration
        except OWN as error:  # here rather than in a decorator, which would cost each item a call
            without_traceback(error)
            raise
        return item

    async def __aenter__(self) -> Self:
        return self

    @without_frames
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    @without_frames
    async def aclose(self) -> None:
        """Stop what is under way and wait until it has stopped; may be called twice.

        Raises:
            UsageError: another task is reading the stream.
        """
        self._require_one_task()
        self._items = iter(())
        if self._state == "open":
            self._state = "closed"
        await self._release()

    @abstractmethod
    async def _advance(self) -> bool:
        """Put further items into `_items`; return False at the end. May be cancelled and called again."""

    @abstractmethod
    async def _release(self) -> None:
        """Stop what is under way. May be called twice."""

    async def _continue(self) -> bool:
        self._require_one_task()
        if self._state == "closed":
            raise UsageError("this stream was closed before its end: make another one")
        if self._state == "ended":
            return False
        self._is_read = True
        try:
            if await self._advance():
                return True
        except StopAsyncIteration as error:  # of a caller's function: it would look like the end
            raise RuntimeError("a stream met StopAsyncIteration") from error
        finally:
            self._is_read = False
        self._state = "ended"
        await self._release()
        return False

    def _require_one_task(self) -> None:
        if self._is_read:
            raise UsageError("this stream is being read by another task: make one stream for each")
