"""The items of a bulk run: read one by one, when there is room for one, and numbered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping, Sized
from typing import Generic, TypeVar

from attrs import define, field

T = TypeVar("T")

Items = Iterable[T] | AsyncIterable[T]

_END = object()


@define(eq=False)
class Source(Generic[T]):
    """Reads on until its end, an error of the items themselves, or `end`; `error` is why it ended early."""

    _items: Items[T]
    ended: bool = field(default=False, init=False)
    error: BaseException | None = field(default=None, init=False)
    _iterator: Iterator[T] | AsyncIterator[T] | None = field(default=None, init=False)
    _count: int = field(default=0, init=False)
    _turn: asyncio.Lock = field(factory=asyncio.Lock, init=False)
    _pull: asyncio.Future[object] | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        items = self._items
        # Letters of an id and names of fields can be iterated, too.
        if isinstance(items, str | bytes | Mapping) or not isinstance(items, Iterable | AsyncIterable):
            raise TypeError(f"items must be an iterable or async iterable of items, not {type(items).__name__}")

    @property
    def total(self) -> int | None:
        """How many there are, where they know."""
        return len(self._items) if isinstance(self._items, Sized) else None

    async def read(self) -> tuple[int, T] | None:
        """The next item and its number, or None at the end."""
        async with self._turn:
            item = _END if self.ended else await self._next()
            if item is _END:
                self.ended = True
                return None
            self._count += 1
            return self._count - 1, item  # type: ignore[return-value]

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

    async def _next(self) -> object:
        try:
            if self._iterator is None:
                self._iterator = aiter(self._items) if isinstance(self._items, AsyncIterable) else iter(self._items)
            if isinstance(self._iterator, AsyncIterator):
                return await self._pulled(self._iterator)
            return next(self._iterator, _END)
        except Exception as error:  # noqa: BLE001 - whatever the caller's own code raises is raised to them
            self.error = error
            return _END

    async def _pulled(self, iterator: AsyncIterator[T]) -> object:
        """The next item of a source that may have to be given up while one waits for it."""
        self._pull = pull = asyncio.ensure_future(_one_of(iterator))
        await asyncio.wait({pull})
        self._pull = None
        if not pull.cancelled():
            return pull.result()
        if not self.ended:
            self.error = asyncio.CancelledError()
        return _END


async def _one_of(iterator: AsyncIterator[T]) -> object:
    return await anext(iterator, _END)
