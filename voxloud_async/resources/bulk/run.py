"""A bulk run: items in, an outcome for every one of them out."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from types import TracebackType
from typing import Generic, Self, TypedDict, TypeVar

from attrs import define, field

from ...errors import UsageError, VoxloudError
from ...protocol import arguments
from ...session.caller import Caller
from .change import Change, Writer
from .journal import Journal
from .outcome import Outcome, Summary, Tally
from .pool import Pool
from .record import Done, NoRecord, Record
from .settle import FATAL, Settlement
from .source import Items, Source
from .turns import Turns

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

_CONCURRENCY = 16


class BulkOptions(TypedDict, total=False):
    """How a bulk run goes."""

    concurrency: int
    """Items under way at once, and how many are read ahead; 16 by default."""
    on_progress: Callable[[Summary], object] | None
    """Called at each outcome, before it is given."""
    journal: str | os.PathLike[str] | None
    """A file that lets a run go on after it was killed, with the same items in the same order.

    What was done is `replayed`; what may have been sent is looked for before it is sent, and where several contacts
    may be it, that is an `OutcomeUnknownError` with their ids. The file is the owner's alone and holds ids and digests,
    no field of a contact. The run raises ValueError where another one uses the file, or where it is of other items.
    """


@define(eq=False, repr=False)
class BulkRun(Generic[ItemT, ResultT]):
    """A bulk write, which goes on as its outcomes are taken: iterate it with `async for`, once.

    Outcomes come in the order in which items are done; `index` says which item each is of. An item that is not valid,
    and an error of its call, are outcomes and end nothing. What every further item would meet ends the run: no more
    items are read, the outcomes of those under way still come, and then the error is raised. That is a refused key, a
    closed client, an error of the items' own iterable, or one of the journal.

    Leaving early cancels what is under way, as `async with` sees to before it goes on: whether the items in `pending`
    were written is not known then. `stop` leaves without that.
    """

    _caller: Caller
    _writer: Writer[ItemT, ResultT]
    _source: Source[ItemT]
    _concurrency: int
    _on_progress: Callable[[Summary], object] | None
    _journal: Path | None
    _tally: Tally = field(init=False)
    _pool: Pool[ItemT, Outcome[ItemT, ResultT]] = field(init=False)
    _turns: Turns = field(factory=Turns, init=False)
    _record: Record = field(factory=NoRecord, init=False)
    _settlement: Settlement = field(init=False)
    _begun: bool = field(default=False, init=False)
    _closing: asyncio.Lock = field(factory=asyncio.Lock, init=False)

    @classmethod
    def of(
        cls, caller: Caller, writer: Writer[ItemT, ResultT], items: Items[ItemT], options: BulkOptions
    ) -> BulkRun[ItemT, ResultT]:
        """Check what a caller gives; raises ValueError or TypeError."""
        arguments.known(options, BulkOptions.__annotations__, "option")
        concurrency = arguments.number("concurrency", options.get("concurrency", _CONCURRENCY), 1)
        on_progress, journal = options.get("on_progress"), options.get("journal")
        if on_progress is not None and not callable(on_progress):
            raise TypeError(f"on_progress must be a callable or None, not {type(on_progress).__name__}")
        path = None if journal is None else Path(journal).absolute()
        return BulkRun(caller, writer, Source(items), concurrency, on_progress, path)

    def __attrs_post_init__(self) -> None:
        self._tally = Tally(self._source.total)
        self._pool = Pool(self._source, self._outcome, self._concurrency)

    def __repr__(self) -> str:
        return f"<BulkRun to {self._writer.purpose}: iterate it with `async for`, or await its collect() or finish()>"

    @property
    def summary(self) -> Summary:
        """The counts of the outcomes so far."""
        return self._tally.summary()

    @property
    def pending(self) -> dict[int, ItemT]:
        """By index the items that were read and whose outcome was not taken: at most `concurrency`."""
        return dict(self._pool.pending)

    def stop(self) -> None:
        """Read no more items. The outcomes of those under way still come, and then the run ends."""
        self._source.end()

    async def collect(self) -> list[Outcome[ItemT, ResultT]]:
        """All outcomes, in memory and in the order of the items."""
        async with self:
            return sorted([outcome async for outcome in self], key=lambda outcome: outcome.index)

    async def finish(self) -> Summary:
        """Carry everything out and count the outcomes, without keeping them."""
        async with self:
            async for _ in self:
                pass
        return self.summary

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    def __aiter__(self) -> AsyncGenerator[Outcome[ItemT, ResultT], None]:
        if self._begun:
            raise UsageError("a bulk run goes once; make another one for other items")
        self._begun = True
        # The run does not keep it: dropped, it closes itself.
        return self._outcomes()

    async def _outcomes(self) -> AsyncGenerator[Outcome[ItemT, ResultT], None]:
        try:
            await self._open()
            while (outcome := await self._pool.take()) is not None:
                self._tally.count(outcome)
                if self._on_progress is not None:
                    self._on_progress(self.summary)
                yield outcome
        finally:
            await self._close()
        if self._source.error is not None:
            raise self._source.error

    async def _open(self) -> None:
        if self._journal is not None:
            await self._open_journal(self._journal)
            await self._writer.greet()
        self._settlement = Settlement(self._caller, self._record)
        self._pool.start()

    async def _open_journal(self, path: Path) -> None:
        purpose = f"{self._writer.purpose} at {self._caller.base_url}"
        opening = asyncio.ensure_future(asyncio.to_thread(Journal.open, path, purpose))
        try:
            self._record = await asyncio.shield(opening)
        except asyncio.CancelledError:  # which a thread does not hear
            await asyncio.wait({opening})
            if opening.exception() is None:
                self._record = opening.result()
            raise

    async def _close(self) -> None:
        async with self._closing:  # a run that was dropped closes itself, perhaps while somebody closes it
            try:
                await self._pool.aclose()
            finally:
                record, self._record = self._record, NoRecord()
                await record.aclose()

    async def _outcome(self, index: int, item: ItemT) -> Outcome[ItemT, ResultT]:
        try:
            change = self._writer.prepare(item)
        except (ValueError, TypeError) as error:
            return Outcome(index=index, item=item, error=error)
        async with self._turns.of(change.key):
            before = self._record.before(index, change)
            if isinstance(before, Done):
                return Outcome(index=index, item=item, id=before.id, replayed=True)
            try:
                result = await self._settlement.carry_out(index, change, before)
            except (VoxloudError, ValueError, TypeError) as error:
                if isinstance(error, FATAL):
                    self._source.end(error)
                return Outcome(index=index, item=item, error=error)
            return self._done(index, item, change, result)

    def _done(self, index: int, item: ItemT, change: Change[ResultT], result: ResultT) -> Outcome[ItemT, ResultT]:
        identifier = change.identify(result)
        try:
            self._record.done(index, identifier)
        except OSError as error:  # the item is done all the same
            self._source.end(error)
        return Outcome(index=index, item=item, result=result, id=identifier)
