"""Carries out the items of a bulk run: each is sent, found to have been sent, or left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

from attrs import define, field

from ..._tracebacks import without_traceback
from ...errors import (
    AuthenticationError,
    ClientClosedError,
    OutcomeUnknownError,
    RequestNotSentError,
    UsageError,
    VoxloudError,
)
from ...session.caller import Caller
from ..created import Context, Creation, Lost, Search, Traits, create
from .change import Change, KeyedLocks, Repeatable, Writer
from .inventory import Inventory
from .journal import Journal, Marks
from .outcome import Outcome, had_no_effect

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

_FATAL = (AuthenticationError, ClientClosedError, UsageError)
"""What one item met, every other would meet."""


@define(eq=False)
class Execution(Generic[ItemT, ResultT]):
    """The writes of one run. `end` is called with an error that ends the run once the items under way are done."""

    _caller: Caller
    _writer: Writer[ItemT]
    _path: Path | None
    _total: int | None
    _end: Callable[[BaseException], object]
    _journal: Journal | None = field(default=None, init=False)
    _inventory: Inventory | None = field(default=None, init=False)
    _locks: KeyedLocks = field(init=False)
    _lost: dict[str, dict[int, Lost]] = field(factory=dict, init=False)
    """By key and number the creates of which it is not known whether they happened."""

    def __attrs_post_init__(self) -> None:
        self._locks = KeyedLocks(self._caller)

    async def open(self) -> None:
        """Open the journal, if there is one."""
        if self._path is None:
            return
        journal = await self._open_journal(self._path)
        if journal.begun:
            await self._locks.settled()  # what the run before this one sent may still be on its way
        if self._writer.catalogue is not None:
            self._lost = journal.all_lost()
            wanted = partial(_is_lost, journal, self._lost.keys())
            newest = journal.newest if journal.begun else None
            self._inventory = Inventory(self._writer.catalogue, self._total, wanted, newest)

    async def aclose(self) -> None:
        """Close the journal."""
        journal, self._journal = self._journal, None
        if journal is not None:
            await journal.aclose()

    async def outcome(self, index: int, item: ItemT) -> Outcome[ItemT, ResultT]:
        """Carry an item out; raises what ends the run, such as a journal of other items, or one that cannot be written.

        Where what exists cannot be read, its error ends the run, too.
        """
        try:
            change = self._writer.prepare(item)
            entry = Entry(index, change, self._journal)
        except (ValueError, TypeError) as error:
            return Outcome(index=index, item=item, error=without_traceback(error))
        async with self._locks.of(change.key):
            return self._known(item, change, entry) or await self._written(item, change, entry)

    def _known(self, item: ItemT, change: Change, entry: Entry) -> Outcome[ItemT, ResultT] | None:
        """The outcome of an item that earlier runs have done, or done without."""
        identifier = entry.replayed()
        if identifier is not None:
            return Outcome(index=entry.index, item=item, id=identifier, replayed=True)
        if isinstance(change, Repeatable) and entry.is_superseded():
            return Outcome(index=entry.index, item=item, id=change.key, superseded=True)
        return None

    async def _written(self, item: ItemT, change: Change, entry: Entry) -> Outcome[ItemT, ResultT]:
        if self._inventory is not None:
            await self._inventory.read()
        try:
            result, identifier = await self._write(change, entry)
        except (VoxloudError, ValueError, TypeError) as error:
            if isinstance(error, _FATAL):
                self._end(error)
            unknown = isinstance(error, VoxloudError) and not had_no_effect(error, sent_before=entry.is_begun)
            return Outcome(index=entry.index, item=item, error=without_traceback(error), unknown=unknown)
        try:
            entry.done(identifier)
        except OSError as error:  # the item is done all the same
            self._end(error)
        return Outcome(index=entry.index, item=item, result=result, id=identifier)

    async def _write(self, change: Change, entry: Entry) -> tuple[Any, str]:
        """Carry a change out; returns the result and the id of its object."""
        if isinstance(change, Repeatable):
            return await self._repeat(change, entry), change.key
        result = await self._left_behind(change, entry) if entry.is_begun else None
        if result is None:
            result = await self._create(change, entry)
        return result, result.id

    async def _repeat(self, change: Repeatable[ResultT], entry: Entry) -> ResultT:
        was_begun = entry.is_begun
        if not was_begun:
            await entry.begin()
        try:
            return await change.send(was_begun)
        except VoxloudError as error:
            if had_no_effect(error, sent_before=was_begun or error.attempts > 1):
                entry.void()
            else:
                self._locks.settle(change.key)
            raise

    async def _create(self, creation: Creation[Any], entry: Entry) -> Any:
        await entry.begin(await self._before(creation))
        lost = entry.lost(creation)
        try:
            return await create(creation, self._caller, self._context(entry, lost))
        except OutcomeUnknownError:
            self._lost.setdefault(entry.key, {})[entry.index] = lost
            raise
        except VoxloudError as error:
            if had_no_effect(error, sent_before=False):
                entry.void()
            raise

    async def _before(self, creation: Creation[Any]) -> Collection[str]:
        """The ids of its key that exist before a create is sent, for the journal."""
        try:
            return () if self._inventory is None else await self._inventory.before(creation)
        except _FATAL:
            raise
        except VoxloudError as cause:
            raise RequestNotSentError("what exists could not be read before the create") from cause

    async def _left_behind(self, creation: Creation[Any], entry: Entry) -> Any:
        """What an earlier run has made of an item, or None where it has made nothing."""
        assert self._inventory is not None  # noqa: S101 - an item that was begun is in a journal
        context = self._context(entry, self._lost[entry.key][entry.index])
        now = self._caller.now()
        search = Search(creation, context, now, now)
        error = OutcomeUnknownError()
        error.resolve_with(search.look)
        try:
            found, error.candidates = search.decide(await self._inventory.left_behind(creation))
        except _FATAL:
            raise
        except VoxloudError as cause:
            raise error from cause
        if error.candidates:
            raise error
        del self._lost[entry.key][entry.index]
        if found is None:
            entry.void()
        return found

    def _context(self, entry: Entry, lost: Lost) -> Context:
        def rivals() -> dict[int, Lost]:
            return {index: each for index, each in self._lost.get(entry.key, {}).items() if index != entry.index}

        return Context(
            ids=self._caller.created_ids, lost=lost, rivals=rivals, taken=entry.ids_of_key, mark=entry.digests
        )

    async def _open_journal(self, path: Path) -> Journal:
        purpose = f"{self._writer.purpose} at {self._caller.base_url}"
        opening = asyncio.ensure_future(asyncio.to_thread(Journal.open, path, purpose))
        try:
            self._journal = journal = await asyncio.shield(opening)
        except asyncio.CancelledError:  # the thread goes on
            await asyncio.wait({opening})
            if opening.exception() is None:
                self._journal = opening.result()
            raise
        return journal


class Entry:
    """One item in the journal of its run, or in none; see `Journal`."""

    def __init__(self, index: int, change: Change, journal: Journal | None) -> None:
        self.index = index
        self._journal = journal
        self._marks = Marks("", change.key) if journal is None else journal.marks(change)
        self.key = self._marks.key

    @property
    def is_begun(self) -> bool:
        """Whether it may have been sent by an earlier run."""
        return self._journal is not None and self.index in self._journal.begun

    def replayed(self) -> str | None:
        """Return the id of its object if it is done; ValueError where another item was in its place."""
        return None if self._journal is None else self._journal.done_before(self.index, self._marks)

    def is_superseded(self) -> bool:
        """Return True if an earlier run sent a later item of the same key; then it will never be sent."""
        if self._journal is None or not self._journal.is_superseded(self.index, self._marks):
            return False
        if self.is_begun:
            self.void()
        return True

    async def begin(self, before: Collection[str] = ()) -> None:
        """Record that it is about to be sent, and which ids of its key exist before."""
        if self._journal is not None:
            await self._journal.begin(self.index, self._marks, before)

    def done(self, identifier: str) -> None:
        """Record that it is done."""
        if self._journal is not None:
            self._journal.done(self.index, identifier)

    def void(self) -> None:
        """Record that nothing came of it."""
        if self._journal is not None:
            self._journal.void(self.index)

    def lost(self, creation: Creation[Any]) -> Lost:
        """Return a create that was begun, in case that its response is lost."""
        return Lost(creation.traits) if self._journal is None else self._journal.lost(self.index)

    def ids_of_key(self) -> Collection[str]:
        """Return the ids that are results of other items of its key."""
        return () if self._journal is None else self._journal.ids_of(self.key)

    def digests(self, traits: Traits) -> Traits:
        """Return traits in the form in which lost creates have them."""
        return traits if self._journal is None else self._journal.traits(traits)


def _is_lost(journal: Journal, lost: Collection[str], key: object) -> bool:
    return journal.digest(key) in lost
