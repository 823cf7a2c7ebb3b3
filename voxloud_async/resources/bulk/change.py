"""What a bulk run writes: creates, and changes that may be repeated; and one lock for each object."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Generic, Protocol, TypeVar

from attrs import define, field, frozen

from ...session.caller import Caller
from ..created import Creation

ItemT_contra = TypeVar("ItemT_contra", contravariant=True)
ResultT = TypeVar("ResultT")

SETTLED = 5.0
"""Seconds after which a request whose response was lost has taken effect, and can be found, or never will."""


@frozen(kw_only=True)
class Repeatable(Generic[ResultT]):
    """A change of the object `key`, which may be sent any number of times.

    `content` is all that it says, as JSON values. `send` takes whether it may have been sent before.
    """

    key: str
    content: object
    send: Callable[[bool], Awaitable[ResultT]]


Change = Creation[Any] | Repeatable[Any]


class Catalogue(Protocol):
    """The objects among which the results of creates are."""

    def existing(self) -> AsyncIterable[Any]:
        """Read all objects, by a list that may lag behind."""
        ...

    async def has(self, identifier: str) -> bool:
        """Return True if an object exists, listed or not."""
        ...

    def key_of(self, thing: Any) -> str:
        """Return the key of the creates whose result an object may be."""
        ...


class Writer(Protocol[ItemT_contra]):
    """A kind of bulk run."""

    @property
    def purpose(self) -> str:
        """What it does, in words that a journal keeps."""
        ...

    @property
    def catalogue(self) -> Catalogue | None:
        """What exists, for creates; None where changes may be repeated."""
        ...

    def prepare(self, item: ItemT_contra, /) -> Change:
        """Check an item; raises ValueError or TypeError."""
        ...


@define
class _Entry:
    lock: asyncio.Lock = field(factory=asyncio.Lock)
    users: int = 0
    quiet_until: float = 0.0


@define(eq=False)
class KeyedLocks:
    """A lock for every key in use: changes of one object go one after the other, in the order in which they came."""

    _caller: Caller
    _entries: dict[str, _Entry] = field(factory=dict, init=False)

    @asynccontextmanager
    async def of(self, key: str) -> AsyncIterator[None]:
        """Hold the lock of a key; waits until what was sent before has settled."""
        entry = self._entries.setdefault(key, _Entry())
        entry.users += 1
        try:
            async with entry.lock:
                wait = entry.quiet_until - self._caller.now()
                if wait > 0.0:
                    await self._caller.sleep(wait)
                yield
        finally:
            entry.users -= 1
            self._release(key, entry)

    async def settled(self) -> None:
        """Wait until all that was sent before now has settled."""
        await self._caller.sleep(SETTLED)

    def settle(self, key: str) -> None:
        """Let the next change of a key that is held wait: one whose response was lost could still overtake it."""
        now = self._caller.now()
        for other, entry in [*self._entries.items()]:
            if entry.quiet_until <= now:
                self._release(other, entry)
        self._entries[key].quiet_until = now + SETTLED

    def _release(self, key: str, entry: _Entry) -> None:
        if not entry.users and entry.quiet_until <= self._caller.now():
            self._entries.pop(key, None)
