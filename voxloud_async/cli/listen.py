"""`voxloud webhooks listen`."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from typing import Annotated, Literal
from urllib.parse import urlsplit

from cyclopts import Parameter

from .periods import read_span
from .service import Service

_SERVICE = Service()
_PORT = 8080
_LAST_PORT = 65535
_HERE = ("localhost", "127.0.0.1", "::1")
_PLAIN = ("dumb", "unknown")  # those on which rich draws nothing before the end


async def listen(
    *,
    url: str | None = None,
    port: int | None = None,
    host: str = "127.0.0.1",
    event: Annotated[list[str] | None, Parameter(allow_repeating=True)] = None,
    inbox: str | None = None,
    backfill: str | None = None,
    seconds: Annotated[float | None, Parameter(name="--for")] = None,
    format: Literal["table", "ndjson"] | None = None,  # noqa: A002 - the option's name everywhere
    service: Service = _SERVICE,
) -> int:
    """Subscribe, show calls as they happen, and unsubscribe at the end. With --sandbox there are calls to see.

    Args:
        url: The https address that leads to this port, such as that of a tunnel; not needed for a sandbox.
            Tokens are put behind it, told from VOXLOUD_WEBHOOK_SECRET or else from a secret of this run.
        port: Where it listens; by default 8080, without --url a free one.
        host: The address that it listens at.
        event: The event type to subscribe, by default all of calls. May be repeated.
        inbox: A SQLite file, or a URL of PostgreSQL or Redis, to keep deliveries in; by default memory.
            Not that of another receiver: what is shown here counts as handled.
        backfill: Show the records of this long before, such as 2h, as well.
        seconds: End by itself after so many seconds; else Ctrl-C does.
        format: By default a table on a terminal that can be redrawn; elsewhere NDJSON, an object for each change.
    """
    if port is not None and not 0 <= port <= _LAST_PORT:
        raise ValueError(f"--port must be from 0 to {_LAST_PORT}")
    if seconds is not None and not seconds > 0:
        raise ValueError("--for must be above 0")
    if url is None and not _is_here(service):
        raise ValueError("--url is needed: the https address that leads here (or try --sandbox)")
    if url is not None and service.sandbox:
        raise ValueError("--sandbox and --url exclude each other")
    since = None if backfill is None else datetime.now(UTC) - read_span(backfill, "--backfill")
    from .listening import Ear  # noqa: PLC0415 - `--help` does without

    ear = Ear(
        url=url,
        host=host,
        port=(0 if url is None else _PORT) if port is None else port,
        events=event,
        inbox=inbox,
        since=since,
        seconds=seconds,
        as_table=_redraws() if format is None else format == "table",
    )
    return await ear.listen(service)


def _redraws() -> bool:
    """Whether standard output is a terminal on which a table can be drawn again in its place."""
    return sys.stdout.isatty() and os.environ.get("TERM", "").lower() not in _PLAIN


def _is_here(service: Service) -> bool:
    """Whether the service is a sandbox, which can post to this machine without further ado."""
    base_url = service.base_url or os.environ.get("VOXLOUD_BASE_URL", "")
    return service.sandbox or urlsplit(base_url).hostname in _HERE
