"""A bulk run: items in, an outcome for every one of them out."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypedDict, TypeVar

from ..._streams import Stream
from ..._tracebacks import without_frames
from ...errors import ArgumentTypeError, UsageError
from ...protocol import arguments
from ...session.caller import Caller
from .change import Writer
from .execution import Execution
from .outcome import Outcome, Summary
from .pool import Items, Pool, Source

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
    """A file that lets a run continue after it was killed, with the same items in the same order.

    What was done is `replayed`; a create that may have been sent is looked for before it is sent again, and where it is
    not sure whether an object is its result, that is an `OutcomeUnknownError` with the ids; a change that an earlier
    run followed by a later one of the same object is `superseded`. The file is readable by its owner alone and holds
    ids and digests, no field of a contact. The run raises ValueError where another run uses the file, or where it is of
    other items.
    """


@without_frames
class BulkRun(Stream[Outcome[ItemT, ResultT]], Generic[ItemT, ResultT]):
    """A bulk write: a stream of outcomes.

    It begins with the first outcome asked for, and reads no more items ahead than are under way. Outcomes come in the
    order in which items are done; `index` says which item each is of. An item that is not valid, and an error of its
    call, are outcomes and end nothing. What every further item would meet ends the run: no more items are read, the
    outcomes of those under way still come, and then the error is raised. That is a refused key, a closed client, an
    error of the items' own iterable, or one of the journal.

    A timeout or a cancellation around `anext` loses nothing: the work continues, and the next `anext` returns the next
    outcome. `aclose`, the end of `async with`, and the last reference that goes cancel what is under way: whether the
    items in `pending` were written is not known then. `stop` ends a run without that.
    """

    def __init__(
        self,
        source: Source[ItemT],
        purpose: str,
        pool: Pool[ItemT, Outcome[ItemT, ResultT]],
        on_progress: Callable[[Summary], object] | None,
    ) -> None:
        self._source, self._purpose, self._pool, self._on_progress = source, purpose, pool, on_progress
        self._summary = Summary(total=source.total)

    @classmethod
    def of(
        cls, caller: Caller, writer: Writer[ItemT], items: Items[ItemT], options: BulkOptions
    ) -> BulkRun[ItemT, ResultT]:
        """Check what a caller gives; raises ValueError or TypeError."""
        arguments.known(options, BulkOptions.__annotations__, "option")
        concurrency = arguments.number("concurrency", options.get("concurrency", _CONCURRENCY), 1)
        on_progress, journal = options.get("on_progress"), options.get("journal")
        if on_progress is not None and not callable(on_progress):
            raise ArgumentTypeError("on_progress", f"must be a callable or None, not {type(on_progress).__name__}")
        path = None if journal is None else Path(journal).absolute()
        source = Source(items)
        execution: Execution[ItemT, ResultT] = Execution(caller, writer, path, source.total, source.end)
        # The pool does not hold the run: one that is dropped ends it.
        pool = Pool(source, concurrency, execution.open, execution.outcome, execution.aclose)
        return BulkRun(source, writer.purpose, pool, on_progress)

    def __repr__(self) -> str:
        return f"<BulkRun to {self._purpose}: iterate it with `async for`, or await its collect() or finish()>"

    @property
    def summary(self) -> Summary:
        """The counts of the outcomes so far."""
        return self._summary

    @property
    def pending(self) -> dict[int, ItemT]:
        """By index the items that were read and whose outcome was not taken: at most `concurrency`."""
        return dict(self._pool.pending)

    def stop(self) -> None:
        """Read no more items. The outcomes of those under way still come, and then the run ends."""
        self._source.end()

    async def collect(self) -> list[Outcome[ItemT, ResultT]]:
        """Return all outcomes, in memory and in the order of the items."""
        if self._pool.is_begun:
            raise UsageError("some outcomes of this run were taken; collect() is for a run that has not begun")
        async with self:
            return sorted([outcome async for outcome in self], key=lambda outcome: outcome.index)

    async def finish(self) -> Summary:
        """Carry everything out and count the outcomes, without keeping them."""
        async with self:
            async for _ in self:
                pass
        return self.summary

    async def _advance(self) -> bool:
        outcome = await self._pool.take()
        if outcome is None:
            return False
        self._items = iter([outcome])  # kept where `on_progress` raises
        self._summary = self._summary.plus(outcome)
        if self._on_progress is not None:
            self._on_progress(self._summary)
        return True

    async def _release(self) -> None:
        await self._pool.aclose()

    def __del__(self) -> None:
        self._pool.abandon()
