"""`voxloud contacts import`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated, Any

from attrs import asdict
from cyclopts import Parameter

from ..contact_files import ContactFile, FileFormat
from ..errors import InvalidArgumentError
from .import_run import ImportRun
from .output import Output
from .service import Service
from .speech import complain, progress
from .streams import ClosedStream, require_stdout

_CONCURRENCY = 16
_NAMED = 10  # of the columns that are ignored
_SERVICE = Service()
_OUTPUT = Output()


async def import_contacts(
    file: Path,
    /,
    *,
    input_format: FileFormat | None = None,
    map_: Annotated[list[str] | None, Parameter(name="--map", allow_repeating=True)] = None,
    region: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    concurrency: int = _CONCURRENCY,
    journal: Path | None = None,
    dry_run: Annotated[bool, Parameter(show_default=False)] = False,
    service: Service = _SERVICE,
    output: Output = _OUTPUT,
) -> int:
    """Create a contact for each row of a file, such as an export of an address book, a CRM or of this console.

    A row that cannot be sent, or that the service refuses, is reported with its line, column, reason and remedy, and
    the others are sent. The result counts them; the exit code is 0 where all were created, 7 where it is not known of
    some whether they were, else 1.

    Args:
        file: CSV, NDJSON or JSON; "-" is standard input.
            Columns are recognised by the names of fields, and by those of Google Contacts, Outlook and four CRMs.
            Several phones or emails stand in one cell, with ";" between them. An empty cell is a field left out.
        input_format: By default what the file's name says: .csv, .tsv, .ndjson, .jsonl or .json.
        map_: COLUMN=FIELD: what another column holds, "name" for a full name, nothing to ignore it. May be repeated.
        region: The country of the national numbers in the file, such as IT. Without it they are rejected.
        encoding: By default found: UTF-8, UTF-16 or cp1252.
        delimiter: What separates two cells of CSV, "tab" included; by default found.
        concurrency: Rows sent at once.
        journal: Remember in this file what was created; it holds no field of a contact.
            The same command, given again after it was interrupted or killed, goes on and creates nothing twice.
        dry_run: Check every row and send nothing.
    """
    if concurrency < 1:
        raise ValueError("--concurrency must be at least 1")
    async with AsyncExitStack() as stack:
        rows = stack.enter_context(
            _opened(
                file,
                format=input_format,
                columns=read_map(map_ or ()),
                region=region,
                encoding=encoding,
                delimiter="\t" if delimiter == "tab" else delimiter,
            )
        )
        if encoding is None and rows.encoding == "cp1252":
            complain("the file is not UTF-8: it is read as cp1252 (--encoding names another)")
        client = None if dry_run else await stack.enter_async_context(service.client())
        require_stdout()
        named = _name_ignored(rows)
        run = ImportRun(rows)
        try:
            with progress("Importing") as run.advance:
                if client is None:
                    run.check()
                else:
                    await run.send(client.contacts, concurrency, journal)
        finally:
            output.values(asdict(run.tally) | {"blank": rows.blank_rows})
    _name_ignored(rows, named)  # those of JSON are known by now
    if dry_run:
        complain(
            "nothing was sent; only the service knows whether it takes these rows: its own checks, and contacts that "
            "exist"
        )
    return run.exit_code


def read_map(texts: Sequence[str]) -> dict[str, str]:
    """Read columns and fields from texts such as "Telefono=primary_phone"; raises ValueError for any other text."""
    pairs = [text.rpartition("=") for text in texts]
    if not all(column and equals for column, equals, _ in pairs):
        raise ValueError("--map must be COLUMN=FIELD, such as Telefono=primary_phone")
    return {column: target for column, _, target in pairs}


def _opened(file: Path, **options: Any) -> ContactFile:
    if str(file) == "-" and isinstance(sys.stdin, ClosedStream):
        raise ValueError("standard input is closed: give it a file, or a pipe")
    try:
        return ContactFile(sys.stdin.buffer if str(file) == "-" else file, **options)
    except FileNotFoundError:
        raise ValueError(f"there is no file {file}") from None
    except ImportError as error:
        raise ValueError(str(error)) from error
    except InvalidArgumentError as error:
        if error.argument != "format":  # --format is that of the result
            raise
        raise ValueError(f"--input-format {error.reason}") from None


def _name_ignored(rows: ContactFile, named: int = 0) -> int:
    """Name the columns that are ignored, beyond those that were named before; their number in all."""
    ignored = rows.ignored[named:]
    if ignored:
        names = ", ".join(ignored[:_NAMED])
        more = f" and {len(ignored) - _NAMED} more" if len(ignored) > _NAMED else ""
        complain(f"columns that are no field of a contact, ignored: {names}{more} (--map COLUMN=FIELD takes one)")
    return len(rows.ignored)
