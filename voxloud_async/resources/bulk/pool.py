"""Workers that turn the items of a run into outcomes, no faster than the outcomes are taken."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sized
from typing import Any, Generic, TypeVar

from attrs import define, field, frozen

from ..._streams import cancel
from ...errors import ArgumentTypeError

T = TypeVar("T")
ItemT = TypeVar("ItemT")

Items = Iterable[T] | AsyncIterable[T]

_END: Any = object()


@frozen
class _Raised:
    error: BaseException


@define(eq=False)
class Source(Generic[T]):
    """Reads items one by one, and numbers them, until their end, an error of their own, or `end`.

    `error` is why it ended early; it may be any exception, also one that is no `Exception`.
    """

    _items: Items[T]
    ended: bool = field(default=False, init=False)
    error: BaseException | None = field(default=None, init=False)
    _iterator: Iterator[T] | AsyncIterator[T] | None = field(default=None, init=False)
    _count: int = field(default=0, init=False)
    _lock: asyncio.Lock = field(factory=asyncio.Lock, init=False)
    _pull: asyncio.Future[object] | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        items = self._items
        # Letters of an id and names of fields can be iterated, too.
        if isinstance(items, str | bytes | Mapping) or not isinstance(items, Iterable | AsyncIterable):
            reason = f"must be an iterable or async iterable of items, not {type(items).__name__}"
            raise ArgumentTypeError("items", reason)

    @property
    def total(self) -> int | None:
        """How many items there are, where they have a length."""
        return len(self._items) if isinstance(self._items, Sized) else None

    async def read(self) -> tuple[int, T] | None:
        """Return the next item and its number, or None at the end."""
        async with self._lock:
            item = _END if self.ended else await self._next()
            if isinstance(item, _Raised):
                self.end(item.error)
                return None
            if item is _END:
                self.ended = True
                return None
            self._count += 1
            return self._count - 1, item

    def end(self, error: BaseException | None = None) -> None:
        """Read no more."""
        self.ended, self.error = True, self.error or error
        if self._pull is not None:
            self._pull.cancel()

    async def aclose(self) -> None:
        """End, and wait until nothing reads any more."""
        self.end()
        if self._pull is not None:
            await asyncio.wait({self._pull})

    async def _next(self) -> Any:
        try:
            if self._iterator is None:
                self._iterator = aiter(self._items) if isinstance(self._items, AsyncIterable) else iter(self._items)
            if not isinstance(self._iterator, AsyncIterator):
                return next(self._iterator, _END)
        except BaseException as error:  # noqa: BLE001 - raised where the outcomes are taken, and never in this task
            return _Raised(error)
        return await self._pulled(self._iterator)

    async def _pulled(self, iterator: AsyncIterator[T]) -> Any:
        """The next item of a source that may have to be given up while it is awaited."""
        self._pull = pull = asyncio.ensure_future(_one_of(iterator))
        await asyncio.wait({pull})
        self._pull = None
        if not pull.cancelled():
            return pull.result()
        return _END if self.ended else _Raised(asyncio.CancelledError())


async def _one_of(iterator: AsyncIterator[T]) -> object:
    try:
        return await anext(iterator, _END)
    except asyncio.CancelledError:
        raise
    except BaseException as error:  # noqa: BLE001 - the same
        return _Raised(error)


@define(eq=False)
class Pool(Generic[ItemT, T]):
    """At most `size` items are read whose outcome has not been taken; those are `pending`.

    One task of its own opens what the outcomes need, runs the workers and closes again. So a `take` that is cancelled
    cancels nothing of it, and loses nothing.
    """

    _source: Source[ItemT]
    _size: int
    _open: Callable[[], Awaitable[None]]
    _make: Callable[[int, ItemT], Awaitable[T]]
    _close: Callable[[], Awaitable[None]]
    pending: dict[int, ItemT] = field(factory=dict, init=False)
    _ready: deque[tuple[int, T]] = field(factory=deque, init=False)
    _news: asyncio.Event = field(factory=asyncio.Event, init=False)
    _room: asyncio.Semaphore = field(init=False)
    _driver: asyncio.Task[None] | None = field(default=None, init=False)
    _is_working: bool = field(default=True, init=False)
    _is_closed: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self._room = asyncio.Semaphore(self._size)

    @property
    def is_begun(self) -> bool:
        """Whether anything was taken or waited for."""
        return self._driver is not None

    async def take(self) -> T | None:
        """Return the next outcome, or None when there will be no more; raises the error that ended the run."""
        if self._driver is None:
            self._driver = asyncio.create_task(self._drive())
            news = self._news
            self._driver.add_done_callback(lambda _: news.set())
        while not self._ready:
            if self._driver.done():
                if self._source.error is not None:
                    raise self._source.error
                return None
            self._news.clear()
            await self._news.wait()
        index, made = self._ready.popleft()
        del self.pending[index]
        self._room.release()
        return made

    async def aclose(self) -> None:
        """Cancel what is under way and wait until it is gone."""
        self.abandon()
        if self._driver is not None:
            await asyncio.wait({self._driver})

    def abandon(self) -> None:
        """Cancel what is under way; may be called from any thread, whether or not the event loop still runs."""
        driver = self._driver
        if self._is_closed or not self._is_working:  # it ends by itself
            return
        self._is_closed = True
        if driver is not None:
            cancel(driver)

    async def _drive(self) -> None:
        try:
            await self._open()
            await self._work_all()
        except Exception as error:  # noqa: BLE001 - raised where the outcomes are taken
            self._source.end(error)
        except BaseException as error:
            self._source.end(error)
            raise
        finally:
            self._is_working = False
            await self._closed()

    async def _closed(self) -> None:
        try:
            await self._close()
        except Exception as error:  # noqa: BLE001 - the same
            self._source.end(error)

    async def _work_all(self) -> None:
        workers = [asyncio.create_task(self._work()) for _ in range(self._size)]
        try:
            await asyncio.wait(workers)
        finally:
            for worker in workers:
                worker.cancel()
            await self._source.aclose()
            await asyncio.wait(workers)

    async def _work(self) -> None:
        while True:
            # Each worker keeps the room of its last item, so that the last outcome taken ends the last worker.
            await self._room.acquire()
            entry = await self._source.read()
            if entry is None:
                return
            index, item = entry
            self.pending[index] = item
            try:
                made = await self._make(index, item)
            except Exception as error:  # noqa: BLE001 - the same
                self._source.end(error)  # at once: nothing more shall be read meanwhile
                return
            except BaseException as error:
                self._source.end(error)
                raise
            self._ready.append((index, made))
            self._news.set()
