"""What exists before a run sends anything: only what is not there yet can be the result of one of its creates."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable
from typing import Any

from attrs import define, field

from ...errors import BadRequestError, ConflictError, DecodeError, VoxloudError
from ..created import Creation
from .change import Catalogue

PAGE = 100
"""Objects in a response."""

_MOST_PAGES = 1000  # of a run that does not know how many items it has


@define(eq=False)
class Inventory:
    """The ids of what exists, by key, read once when they are first needed.

    Where there are more pages of it than items, or it cannot be read, each key is looked up before its item is sent.
    Objects of the `wanted` keys, of creates that may have happened, are kept whole; they are all there only if the list
    has caught up with `newest`, the last object that an earlier run made.
    """

    _catalogue: Catalogue
    _items: int | None
    _wanted: Callable[[str], bool]
    _newest: str | None
    _ids: dict[str, list[str]] | None = field(factory=dict, init=False)
    _things: dict[str, list[Any]] = field(factory=dict, init=False)
    _lags: bool = field(default=False, init=False)
    _is_read: bool = field(default=False, init=False)
    _error: VoxloudError | None = field(default=None, init=False)
    _lock: asyncio.Lock = field(factory=asyncio.Lock, init=False)

    async def read(self) -> None:
        """Read the catalogue, unless that is done; raises the error of that."""
        async with self._lock:
            if not self._is_read:
                await self._read()
        if self._error is not None:
            raise self._error

    async def _read(self) -> None:
        try:
            self._ids = await self._by_key()
        except (BadRequestError, ConflictError, DecodeError):  # a search by number may succeed all the same
            self._ids = None
        except VoxloudError as error:
            self._error = error
        self._is_read = True

    async def before(self, creation: Creation[Any]) -> Collection[str]:
        """Return the ids of the key of a create that exist before it is sent."""
        if self._ids is None:
            return [each.id for each in await creation.look(None)]
        return self._ids.get(creation.key, ())

    async def left_behind(self, creation: Creation[Any]) -> Iterable[Any]:
        """Return the objects of a key that was wanted; raises ConflictError where the list lags behind."""
        if self._ids is None:
            return await creation.look(None)
        if self._lags:
            raise ConflictError("the list lacks an object that exists")
        return self._things.get(creation.key, ())

    async def _by_key(self) -> dict[str, list[str]] | None:
        most = PAGE * (_MOST_PAGES if self._items is None else self._items)
        ids: dict[str, list[str]] = {}
        missing = self._newest
        async for thing in self._catalogue.existing():
            if most == 0:
                return None
            most -= 1
            key = self._catalogue.key_of(thing)
            ids.setdefault(key, []).append(thing.id)
            missing = None if thing.id == missing else missing
            if self._wanted(key):
                self._things.setdefault(key, []).append(thing)
        self._lags = missing is not None and await self._catalogue.has(missing)
        return ids
