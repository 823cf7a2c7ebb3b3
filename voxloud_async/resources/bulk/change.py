"""One item of a bulk run, checked and ready to be sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, Protocol, TypeVar

from attrs import frozen

ItemT_contra = TypeVar("ItemT_contra", contravariant=True)
ResultT = TypeVar("ResultT")

Look = Callable[[Callable[[], float]], Awaitable[Sequence[ResultT]]]
"""Looks for what creates of this key have made since a moment of the service's clock, asked for after the answer."""


@frozen(kw_only=True)
class Change(Generic[ResultT]):
    """What to send, and how to tell it again.

    Changes of one `key` go one after the other. `content` is all that it says, as JSON knows it. `send` is told whether
    it may have been sent before. Without `look` it may be sent any number of times; with it, `same` tells the result of
    this change from those of others, unless it is not `recognisable`.
    """

    key: str
    content: object
    send: Callable[[bool], Awaitable[ResultT]]
    identify: Callable[[ResultT], str]
    look: Look[ResultT] | None = None
    same: Callable[[ResultT], bool] = lambda _: True
    recognisable: Callable[[], bool] = lambda: True


class Writer(Protocol[ItemT_contra, ResultT]):
    """A kind of bulk run."""

    @property
    def purpose(self) -> str:
        """What it does, in words that a journal keeps."""
        ...

    async def greet(self) -> None:
        """Whatever must be known before a journal begins."""
        ...

    def prepare(self, item: ItemT_contra, /) -> Change[ResultT]:
        """Check an item; raises ValueError or TypeError."""
        ...
