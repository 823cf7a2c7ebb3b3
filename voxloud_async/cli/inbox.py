"""`voxloud webhooks dead-letters`, `replay` and `discard`: what an inbox has given up."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from .failure import DONE, NOT_ALL
from .output import Output, View
from .speech import complain
from .streams import require_stdout
from .tables import Column

if TYPE_CHECKING:
    from ..webhooks.inbox import DeadLetter, Inbox

_LETTERS = View(
    names=("key", "died", "received", "origin", "runs", "error", "body"),
    columns=(
        Column("DIED", ("died",), 16),
        Column("RUNS", ("runs",), 4),
        Column("ERROR", ("error",)),
        Column("TYPE", ("body.type",), 13),
        Column("KEY", ("key",), 64),
    ),
)
_OUTPUT = Output()

All = Annotated[bool, Parameter(name="--all", show_default=False)]
Where = Annotated[str, Parameter(env_var="VOXLOUD_INBOX")]


async def dead_letters(*, inbox: Where, limit: int = 100, output: Output = _OUTPUT) -> None:
    """List the deliveries that were given up, the latest first.

    Args:
        inbox: A SQLite file, or a URL of PostgreSQL or Redis; one with a password rather stands in the variable.
        limit: How many at the most.
    """
    async with opened(inbox) as found:
        output.rows([_row(letter) for letter in await found.dead_letters(limit)], _LETTERS)


async def replay(*keys: str, inbox: Where, all_: All = False, output: Output = _OUTPUT) -> int:
    """Let deliveries that were given up be handled again; a receiver on the inbox does that.

    Args:
        keys: Their keys.
        inbox: A SQLite file, or a URL of PostgreSQL or Redis; one with a password rather stands in the variable.
        all_: All of them.
    """
    async with _named(inbox, keys, all_=all_) as (found, wanted):
        count = await found.replay(wanted)
    return _told("replayed", count, len(wanted), output)


async def discard(*keys: str, inbox: Where, all_: All = False, output: Output = _OUTPUT) -> int:
    """Drop deliveries that were given up, for good; should they come again, they are known and not stored.

    Args:
        keys: Their keys.
        inbox: A SQLite file, or a URL of PostgreSQL or Redis; one with a password rather stands in the variable.
        all_: All of them.
    """
    async with _named(inbox, keys, all_=all_) as (found, wanted):
        count = await found.discard(wanted)
    return _told("discarded", count, len(wanted), output)


@asynccontextmanager
async def opened(where: str, *, new: bool = False) -> AsyncIterator[Inbox]:
    """An inbox, which is there already unless `new`; its faults as those of files, which a command ends with."""
    from ..webhooks.inbox import InboxError, open_inbox  # noqa: PLC0415 - `--help` does without
    from ..webhooks.inbox.opening import file_of  # noqa: PLC0415 - the same

    file = file_of(where)
    if not new and file is not None and not file.exists():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(file))
    try:
        inbox = open_inbox(where)
    except ImportError as error:
        raise ValueError(str(error)) from error
    try:
        yield inbox
    except InboxError as error:
        raise OSError(str(error)) from error
    finally:
        await inbox.aclose()


@asynccontextmanager
async def _named(where: str, keys: Sequence[str], *, all_: bool) -> AsyncIterator[tuple[Inbox, list[str]]]:
    """An inbox, and the keys of those of its dead letters that are meant."""
    if bool(keys) is all_:
        raise ValueError("name the keys of dead letters, or say --all")
    require_stdout()
    async with opened(where) as found:
        yield found, await _dead(found) if all_ else list(dict.fromkeys(keys))


def _told(what: str, count: int, wanted: int, output: Output) -> int:
    output.values({what: count})
    if count < wanted:
        complain(f"{wanted - count} of {wanted} are no dead letters")
        return NOT_ALL
    return DONE


async def _dead(inbox: Inbox) -> list[str]:
    count = (await inbox.counts()).dead
    return [letter.delivery.key for letter in await inbox.dead_letters(max(1, count))]


def _row(letter: DeadLetter) -> dict[str, Any]:
    return {
        "key": letter.delivery.key,
        "died": _moment(letter.died),
        "received": _moment(letter.delivery.received),
        "origin": letter.delivery.origin,
        "runs": letter.runs,
        "error": letter.error,
        "body": _read(letter.delivery.body),
    }


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _read(body: bytes) -> object:
    """JSON as what it says, anything else as text."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body.decode(errors="replace")
