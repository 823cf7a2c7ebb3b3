"""One run of an import: rows go out side by side, and each comes to be counted as one thing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from attrs import define, field

from ..contact_files import ContactFile, ContactRow, RejectedRow
from ..errors import (
    ApiError,
    AuthenticationError,
    PermissionDeniedError,
    RateLimitedError,
    RequestNotSentError,
    VoxloudError,
)
from ..resources.bulk.outcome import Outcome
from ..resources.contact_fields import FIELDS
from ..resources.contacts import Contacts
from .failure import DONE, NOT_ALL, UNKNOWN, judge, what
from .speech import complain

# What one row met, all the others would meet.
_HOPELESS = (AuthenticationError, PermissionDeniedError, RateLimitedError, RequestNotSentError)


@define
class Tally:
    """What became of the rows.

    `valid` could be sent, `replayed` were created by an earlier run with the same journal, `untried` were left when
    the run was given up. Blank rows are not counted.
    """

    rows: int = 0
    valid: int = 0
    created: int = 0
    replayed: int = 0
    refused: int = 0
    unknown: int = 0
    untried: int = 0


@define
class ImportRun:
    """The rows on their way; `advance` is called with each."""

    _file: ContactFile
    tally: Tally = field(factory=Tally, init=False)
    advance: Callable[[float], object] = field(default=lambda _: None, init=False)
    _under_way: dict[int, ContactRow] = field(factory=dict, init=False)
    _rows: Iterator[ContactRow | RejectedRow] = field(init=False)
    _hopeless: VoxloudError | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self._rows = iter(self._file)

    @property
    def exit_code(self) -> int:
        """What the process says of it."""
        if self._hopeless is not None:
            return judge(self._hopeless)[0]
        if self.tally.unknown:
            return UNKNOWN
        return NOT_ALL if self.tally.refused else DONE

    def check(self) -> None:
        """Check every row and send none."""
        for _ in self._read():
            pass

    async def send(self, contacts: Contacts, concurrency: int, journal: Path | None) -> None:
        """Send every row that can be sent, so many at once."""
        try:
            async with contacts.create_many(self._items(), concurrency=concurrency, journal=journal) as run:
                async for outcome in run:
                    self._told(outcome)
                    if self._hopeless is not None:
                        run.stop()
        except asyncio.CancelledError:
            for row in self._under_way.values():
                self._unknown(row.line, "interrupted")
            raise
        except _HOPELESS as error:
            self._hopeless = error
        if self._hopeless is not None:
            complain(judge(self._hopeless)[1])
            unread = sum(1 for _ in self._rows)
            self.tally.rows += unread
            self.tally.untried += unread

    def _read(self) -> Iterator[ContactRow | RejectedRow]:
        for row in self._rows:
            self.tally.rows += 1
            self.advance(1)
            if isinstance(row, ContactRow):
                self.tally.valid += 1
            else:
                self._refused(str(row))
            yield row

    def _items(self) -> Iterator[Any]:
        for index, row in enumerate(self._read()):
            if isinstance(row, ContactRow):
                self._under_way[index] = row
            # A faulty row goes along as nothing: mended, it has the same number in the journal.
            yield row.fields if isinstance(row, ContactRow) else None

    def _told(self, outcome: Outcome[Any, Any]) -> None:
        row = self._under_way.pop(outcome.index, None)
        if row is None:  # it was told when it was read
            return
        if outcome.error is None:
            self.tally.created += not outcome.replayed
            self.tally.replayed += outcome.replayed
        elif isinstance(outcome.error, _HOPELESS):
            self._hopeless = outcome.error
            self.tally.untried += 1
        elif outcome.unknown:
            self._unknown(row.line, _reason(outcome.error.__cause__ or outcome.error))
        else:
            self._refused(f"line {row.line}: {_blamed(outcome.error)}: {_reason(outcome.error)}")

    def _refused(self, line: str) -> None:
        self.tally.refused += 1
        complain(line)

    def _unknown(self, line: int, reason: str) -> None:
        self.tally.unknown += 1
        complain(f"line {line}: -: it may have been created or not: {reason}")


def _reason(error: BaseException) -> str:
    return what(error) if isinstance(error, VoxloudError) else str(error)


def _blamed(error: Exception) -> str:
    """The field that the service's message names, if it names one."""
    message = error.message if isinstance(error, ApiError) else ""
    return next((name for name in FIELDS if name in message), "-")
