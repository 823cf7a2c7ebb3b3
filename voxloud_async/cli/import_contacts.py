"""`voxloud contacts import`."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, AsyncExitStack, nullcontext
from pathlib import Path
from typing import Annotated, BinaryIO

from attrs import asdict
from cyclopts import Parameter

from .import_rows import InputFormat, format_of, read_rows
from .import_run import ImportRun
from .output import Output
from .service import Service
from .speech import progress
from .streams import ClosedStream

_CONCURRENCY = 16
_SERVICE = Service()
_OUTPUT = Output()


async def import_contacts(
    file: Annotated[Path, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    input_format: InputFormat | None = None,
    delimiter: str = ",",
    concurrency: int = _CONCURRENCY,
    journal: Path | None = None,
    dry_run: Annotated[bool, Parameter(show_default=False)] = False,
    service: Service = _SERVICE,
    output: Output = _OUTPUT,
) -> int:
    """Create a contact for each row of a CSV or NDJSON file.

    A row that cannot be sent, or that the service refuses, is told with its line, field and reason, and the others go
    on. The result counts them; the exit code is 0 where all were created, 7 where it is not known of some whether they
    were, else 1.

    Args:
        file: UTF-8, with or without byte order mark; "-" is standard input.
            CSV begins with a line of field names; several phones or emails stand in one cell, with ";" between them.
            An empty cell is a field left out. NDJSON has one object a line.
        input_format: By default what the file's name says: .csv, .ndjson or .jsonl.
        delimiter: What separates two cells of CSV.
        concurrency: Rows sent at once.
        journal: Remember in this file what was created; it holds no field of a contact.
            The same command, given again after it was interrupted or killed, goes on and creates nothing twice.
        dry_run: Check every row and send nothing.
    """
    _check(file, concurrency, delimiter)
    chosen = input_format or format_of(file)
    async with AsyncExitStack() as stack:
        rows = read_rows(stack.enter_context(_opened(file)), chosen, delimiter=delimiter)
        client = None if dry_run else await stack.enter_async_context(service.client())
        run = ImportRun(rows)
        try:
            with progress("Importing") as run.advance:
                if client is None:
                    run.check()
                else:
                    await run.send(client.contacts, concurrency, journal)
        finally:
            output.values(asdict(run.tally))
    return run.exit_code


def _check(file: Path, concurrency: int, delimiter: str) -> None:
    name = str(file)
    if name.startswith("-") and name != "-":
        raise ValueError(f"unknown option {name.partition('=')[0]} (see voxloud contacts import --help)")
    if concurrency < 1:
        raise ValueError("--concurrency must be at least 1")
    if len(delimiter) != 1:
        raise ValueError("--delimiter must be one character")


def _opened(file: Path) -> AbstractContextManager[BinaryIO]:
    if str(file) == "-":
        if isinstance(sys.stdin, ClosedStream):
            raise ValueError("standard input is closed: give it a file, or a pipe")
        return nullcontext(sys.stdin.buffer)
    try:
        return file.open("rb")
    except FileNotFoundError:
        raise ValueError(f"there is no file {file}") from None
