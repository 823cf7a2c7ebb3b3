"""`voxloud events export`."""

from __future__ import annotations

import gzip
import io
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Literal, cast, get_args

from attrs import define, field, frozen
from cyclopts import Parameter

from .events import EVENTS
from .files import is_special, opened
from .output import wire_columns
from .periods import Period
from .service import Service
from .speech import Advance, complain, progress
from .writers import CsvWriter, JsonWriter, NdjsonWriter, Writer

if TYPE_CHECKING:
    from ..client import VoxloudClient
    from ..paging import Progress

ExportFormat = Literal["csv", "ndjson", "json", "parquet"]

_PAGE = 1000
_SUFFIXES: dict[str, ExportFormat] = {".jsonl": "ndjson", **{f".{name}": name for name in get_args(ExportFormat)}}
_GZIP = ".gz"
_SERVICE = Service()
_ALWAYS = Period()


async def export(
    *,
    period: Period = _ALWAYS,
    number: str | None = None,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    format: ExportFormat | None = None,  # noqa: A002 - the option's name everywhere
    safe_cells: Annotated[bool, Parameter(show_default=False)] = False,
    service: Service = _SERVICE,
) -> None:
    """Write call records to a file, the oldest first.

    Args:
        number: Only those of this number.
        output: The file, which appears once it is complete; by default standard output.
            A new one can be read by its owner alone. One whose name ends with .gz is compressed.
        format: By default what the file's name ends with: .csv, .ndjson, .jsonl, .json or .parquet; else csv.
            "csv" is the service's own CSV; "parquet" needs the extra `frames`, and holds all records in memory.
        safe_cells: With csv, for spreadsheets: an apostrophe before what they would calculate, such as =1+1 or +39.
            The columns are then the documented ones.
    """
    start, end = period.bounds()
    form = Form.of(output, format, safe=safe_cells)
    query: dict[str, Any] = {"number": number, "date_time_from": start, "date_time_to": end, "page_size": _PAGE}
    async with service.client(prints=output is None) as client:
        with opened(output) as file, progress("Exporting") as advance:
            counter = Counter(advance)
            await form.write(client, file, on_progress=counter.note, **query)
    complain(f"{counter.rows:,} call records" + ("" if output is None else f" in {output}"))


@define
class Counter:
    """Counts the records read, and advances the bar."""

    _advance: Advance
    rows: int = field(default=0, init=False)

    def note(self, now: Progress) -> None:
        """Take over how far the reading is."""
        self._advance(now.rows - self.rows, now.total)
        self.rows = now.rows


@frozen
class Form:
    """How records are written."""

    name: ExportFormat
    compressed: bool
    safe: bool

    @classmethod
    def of(cls, output: Path | None, name: ExportFormat | None, *, safe: bool) -> Form:
        """The form that the options ask for; ValueError where they contradict each other or say nothing."""
        *_, before, last = ["", "", *(suffix.lower() for suffix in ([] if output is None else output.suffixes))]
        named = _SUFFIXES.get(before if last == _GZIP else last)
        if name is not None and named is not None and named != name:
            raise ValueError(f"--format {name} contradicts the name of --output, which is that of {named}")
        chosen = name or named
        if chosen is None and output is not None and not is_special(output):
            raise ValueError(
                f"--output must end with {', '.join(_SUFFIXES)}, or with one of them and .gz; or say --format"
            )
        if safe and chosen not in {None, "csv"}:
            raise ValueError("--safe-cells is for csv")
        if output is None and chosen == "parquet" and sys.stdout.isatty():
            raise ValueError("--format parquet is not text: say --output, or redirect the output")
        if chosen == "parquet":
            _require_frames()
        return cls(chosen or "csv", last == _GZIP, safe)

    async def write(self, client: VoxloudClient, file: BinaryIO, **query: Any) -> None:
        """Write the records of a query."""
        events = client.telephony_events
        with gzip.GzipFile("", "wb", fileobj=file) if self.compressed else nullcontext(file) as opened_file:
            out = cast("BinaryIO", opened_file)
            if self.name == "parquet":
                await _write_parquet(client, out, **query)
            elif self.name == "csv" and not self.safe:
                async for chunk in events.export_csv(**query):
                    out.write(chunk)
            else:
                await _write_rows(client, out, self._writer(), **query)

    def _writer(self) -> Callable[[io.TextIOWrapper], Writer]:
        if self.name == "csv":
            return lambda text: CsvWriter(text, wire_columns(EVENTS), safe=True)
        return JsonWriter if self.name == "json" else NdjsonWriter


async def _write_rows(
    client: VoxloudClient, out: BinaryIO, make: Callable[[io.TextIOWrapper], Writer], **query: Any
) -> None:
    from ..protocol.codec import unstructure  # noqa: PLC0415 - `--help` does without

    text = io.TextIOWrapper(out, "utf-8", errors="backslashreplace", newline="")
    try:
        writer = make(text)
        async for page in client.telephony_events.query(**query).pages():
            for event in page.items:
                writer.write(unstructure(event))
        writer.end()
        text.flush()
    finally:
        text.detach()  # else its end would close the file


async def _write_parquet(client: VoxloudClient, out: BinaryIO, **query: Any) -> None:
    from pyarrow import parquet  # noqa: PLC0415 - an extra

    from ..frames import EventFrame  # noqa: PLC0415 - the same

    frame = await EventFrame.read(client.telephony_events.query(**query))
    parquet.write_table(frame.to_arrow(), out)


def _require_frames() -> None:
    try:
        from .. import frames  # noqa: F401, PLC0415 - an extra
    except ImportError as error:
        raise ValueError(str(error)) from error
