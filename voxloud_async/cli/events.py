"""`voxloud events`."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import define, field
from cyclopts import App

from .files import held, opened
from .output import Output, View
from .periods import Period, read_moment, read_span
from .service import Service
from .tables import Column

if TYPE_CHECKING:
    from .._streams import Stream
    from ..models import TelephonyEvent
    from ..resources.incremental import Batch

app = App(name="events")
app.command("voxloud_async.cli.export:export", name="export", help="Write call records to a file, the oldest first.")
app.command(
    "voxloud_async.cli.recording:recording", name="recording", help="Download what was recorded of a call, or a fax."
)

EVENTS = View(
    models=("PhoneCall", "ClickToCallCall", "FaxCall"),
    columns=(
        Column("LOCAL TIME", ("timestamp",), 16),
        Column("TYPE", ("type",), 10, cut=True),
        Column("WAY", ("direction",), 8),
        Column("FROM", ("originatorNumber",), 16),
        Column("TO", ("destinationNumber",), 16),
        Column("S", ("duration",), 4),
    ),
)
_PAGE = 200
_NEW_PAGE = 1000
_SERVICE = Service()
_OUTPUT = Output()
_ALWAYS = Period()


@app.command(name="list")
async def list_events(
    *,
    period: Period = _ALWAYS,
    number: str | None = None,
    limit: int | None = None,
    service: Service = _SERVICE,
    output: Output = _OUTPUT,
) -> None:
    """List call records, the oldest first, as they arrive.

    Args:
        number: Only those of this number.
        limit: At most so many.
    """
    start, end = period.bounds()
    async with service.client() as client:
        events = client.telephony_events.query(
            number=number, date_time_from=start, date_time_to=end, page_size=_PAGE, max_items=limit
        )
        await output.stream(events, EVENTS)


@app.command
async def new(
    *,
    state: Path,
    since: str | None = None,
    number: str | None = None,
    overlap: str = "4h",
    service: Service = _SERVICE,
    output: Output = _OUTPUT,
) -> None:
    """Write the call records that no earlier run has written, the oldest first: for a job that runs again and again.

    Args:
        state: The file that remembers what was written. It is made by the first run, and each run that succeeds puts a
            new one in its place once all is written. One run at a time.
        since: Where the first run begins, in ISO 8601; by default with the oldest record. Later runs go on where the
            last one ended.
        number: Only those of this number.
        overlap: How late a record may be written after the time it bears, such as 30m, 4h or 2d: so far back each run
            looks for those that were missing.
    """
    query: dict[str, Any] = {
        "since": None if since is None else read_moment("--since", since),
        "number": number,
        "overlap": read_span(overlap, "--overlap").total_seconds(),
        "page_size": _NEW_PAGE,
    }
    async with service.client() as client:
        batches = client.telephony_events.incremental(held(state), **query)
        with opened(state) as file:
            news = _News(batches)
            async with aclosing(news.events()) as events:
                await output.stream(events, EVENTS)
            sys.stdout.flush()
            file.write(news.state.encode())


@define
class _News:
    """The records of batches, and the state after the last of them."""

    _batches: Stream[Batch]
    state: str = field(default="", init=False)

    async def events(self) -> AsyncGenerator[TelephonyEvent, None]:
        async with self._batches:
            async for batch in self._batches:
                for event in batch.items:
                    yield event
                self.state = batch.state
