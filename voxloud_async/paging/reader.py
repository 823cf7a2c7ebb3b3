"""One read as its reader holds it. Let go of, it ends what it has under way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from ..protocol.page import Page
from .walk import Walk

R_co = TypeVar("R_co", covariant=True)

_NOTHING: Any = object()


class Reader(AsyncIterator[R_co], Generic[R_co]):
    """Iterates over a list once, for one task at a time.

    `async with` or `aclose` cancels the fetches under way before control returns. Where neither is used they are
    cancelled when the last reference goes, which a left loop drops by itself.
    """

    def __init__(self, walk: Walk[Any], take: Callable[[Walk[Any], Page[Any]], Iterable[R_co]]) -> None:
        self._walk = walk
        self._take = take
        self._held: Iterator[R_co] = iter(())
        self._is_read = False
        self._is_over = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> R_co:
        while (item := next(self._held, _NOTHING)) is _NOTHING:
            if not await self._has_more():
                raise StopAsyncIteration
        return item

    async def aclose(self) -> None:
        """End the read; may be called twice. RuntimeError while another task reads."""
        self._must_be_alone()
        self._is_over, self._held = True, iter(())
        await self._walk.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __del__(self) -> None:
        self._walk.abandon()

    async def _has_more(self) -> bool:
        self._must_be_alone()
        page, self._is_read = None, True
        try:
            if not self._is_over:
                page = await self._walk.step()
        finally:
            self._is_read = False
            if page is None:  # the end, an error or a cancellation
                self._is_over = True
                await self._walk.aclose()
        self._held = iter(() if page is None else self._take(self._walk, page))
        return page is not None

    def _must_be_alone(self) -> None:
        if self._is_read:
            raise RuntimeError("the list is being read by another task; each iteration of it is a read of its own")
