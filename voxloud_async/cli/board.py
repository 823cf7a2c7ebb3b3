"""Calls as they change: a table that stays where it is, on a terminal, and a line for each change elsewhere."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Literal, Protocol

from attrs import define, field
from rich.cells import cell_len
from rich.columns import Columns
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ..webhooks import Call, CallBook, CallState
from ..webhooks.calls.book import Event
from ..webhooks.notices import Accepted, Notice, Stats
from .call_rows import as_clock, call_row, end_of_call, extensions, ring_seconds, talk_seconds
from .speech import printable
from .terminal import PipedConsole
from .writers import to_json

_TICK = 0.25
_BESIDE = 7
"""Lines of the terminal that are for no call: title, head, counts and the cursor."""
_NUMBER = 16
"""Cells of the longest number in E.164."""
_WIDE = 80
"""Columns of a terminal from which on there is room for more than numbers and clocks."""
_DAWN = datetime.fromtimestamp(0, UTC)
_STYLES = {
    CallState.RINGING: "yellow",
    CallState.ANSWERED: "green",
    CallState.ENDED: "dim",
    CallState.MISSED: "dim red",
}


class Board(Protocol):
    """Shows calls out of events."""

    async def follow(self, events: AsyncIterable[Event]) -> None:
        """Show what comes, until nothing more can come."""
        ...


@define
class Lines:
    """One JSON object for each change of a call."""

    _book: CallBook = field(factory=CallBook, init=False)

    async def follow(self, events: AsyncIterable[Event]) -> None:
        """Write what comes."""
        async for event in events:
            call = self._book.fold(event)
            if call is not None:
                print(to_json(call_row(call)), flush=True)  # noqa: T201 - this is the console


@define
class Tally:
    """Counts the accepted deliveries of each type; a subscriber of the receiver."""

    counts: Counter[str] = field(factory=Counter, init=False)

    def note(self, notice: Notice) -> None:
        """Count one more."""
        if isinstance(notice, Accepted):
            self.counts[notice.type] += 1


@define
class Screen:
    """A table of the calls under way and, as far as there is room, the latest of those that are over."""

    _title: str
    _tally: Tally
    _stats: Callable[[], Stats]
    _book: CallBook = field(factory=CallBook, init=False)
    _console: PipedConsole = field(factory=PipedConsole, init=False)

    async def follow(self, events: AsyncIterable[Event]) -> None:
        """Draw again and again, for the seconds go on also where nothing comes."""
        with Live(console=self._console, auto_refresh=False, redirect_stdout=False) as live:
            over = False
            while not over:
                live.update(self._drawn(datetime.now(UTC)), refresh=True)
                over = await self._take(events)
            live.update(self._drawn(datetime.now(UTC)), refresh=True)

    async def _take(self, events: AsyncIterable[Event]) -> bool:
        """Take in what comes until it is time to draw; whether nothing more can come."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_TICK):
                async for event in events:
                    self._book.fold(event)
                return True
        return False

    def _drawn(self, now: datetime) -> Group:
        is_wide = self._console.width >= _WIDE
        table = _empty_table(is_wide=is_wide)
        for call in chosen(self._book, self._console.height - _BESIDE):
            table.add_row(*_cells(call, now, is_wide=is_wide), style=_STYLES[call.state])
        return Group(Text(self._title, style="bold"), table, Columns(self._sums(), padding=(0, 3)))

    def _sums(self) -> list[Text]:
        stats = self._stats()
        sums = {
            "live": len(self._book.live()),
            **dict(sorted(self._tally.counts.items())),
            "doubled": stats.doubled,
            "refused": sum(stats.refused.values()),
            "overlooked": stats.dropped,
        }
        told = [f"calls {len(self._book)}", *(f"{name} {count}" for name, count in sums.items() if count)]
        return [Text(text, style="dim", no_wrap=True) for text in told]


def chosen(book: CallBook, room: int) -> list[Call]:
    """The calls that there is room for, those under way before those that changed last; in order of their begin."""
    by_worth = sorted(book, key=lambda call: call.is_live)
    return sorted(by_worth[-max(1, room) :], key=lambda call: (call.began_at or _DAWN, call.call_id))


def _empty_table(*, is_wide: bool) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", expand=True)
    table.add_column("STATE", width=8)
    if is_wide:
        table.add_column("WAY", width=8)
    for title in ("FROM", "TO"):
        table.add_column(title, ratio=1, min_width=_NUMBER)
    if is_wide:
        table.add_column("EXT", width=8, no_wrap=True, overflow="ellipsis")
    for title in ("RING", "TALK"):
        table.add_column(title, width=5, justify="right", no_wrap=True)
    return table


def _cells(call: Call, now: datetime, *, is_wide: bool) -> list[Text]:
    way, answered = (Text(call.direction or ""),), (Text(printable(extensions(call))),)
    return [
        Text(call.state),
        *(way if is_wide else ()),
        _end(call.originator_number, call.originator_name),
        _end(call.destination_number, call.destination_name),
        *(answered if is_wide else ()),
        Text(as_clock(ring_seconds(call, now))),
        Text(as_clock(talk_seconds(call, now))),
    ]


def _end(number: str | None, name: str | None) -> Text:
    """Return one end of a call: the name is cut to fit, the number is not."""
    is_short = cell_len(printable(number or "")) <= _NUMBER
    overflow: Literal["ellipsis", "fold"] = "ellipsis" if is_short else "fold"
    return Text(printable(end_of_call(number, name)), no_wrap=is_short, overflow=overflow)
