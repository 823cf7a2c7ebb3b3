"""One run of an import: rows go out side by side, and each comes to be counted as one thing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

from attrs import define, field

from ..errors import (
    ApiError,
    AuthenticationError,
    DeadlineExceededError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RateLimitedError,
    RequestNotSentError,
    VoxloudError,
)
from ..resources.contacts import Contacts
from .failure import DONE, NOT_ALL, UNKNOWN, judge
from .import_rows import FIELDS, NO_SUCH_FIELD, Fault, Row
from .speech import complain

# What one row met, all the others would meet.
_HOPELESS = (AuthenticationError, PermissionDeniedError, RateLimitedError, RequestNotSentError)


@define
class Tally:
    """What became of the rows. `valid` could be sent, `untried` were left when a run was given up."""

    rows: int = 0
    valid: int = 0
    created: int = 0
    refused: int = 0
    unknown: int = 0
    untried: int = 0


@define
class ImportRun:
    """The rows on their way; `advance` is called with each."""

    _rows: Iterator[Row | Fault]
    tally: Tally = field(factory=Tally, init=False)
    advance: Callable[[float], object] = field(default=lambda _: None, init=False)
    _strange: set[str] = field(factory=set, init=False)
    _hopeless: VoxloudError | None = field(default=None, init=False)

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
        for _ in self._sendable():
            pass

    async def send(self, contacts: Contacts, concurrency: int) -> None:
        """Send every row that can be sent, so many at once."""
        rows = self._sendable()
        try:
            async with asyncio.TaskGroup() as tasks:
                for _ in range(concurrency):
                    tasks.create_task(self._work(rows, contacts))
        except ExceptionGroup as group:  # the file broke off, or nobody listens any more
            raise group.exceptions[0] from None
        if self._hopeless is not None:
            complain(judge(self._hopeless)[1])
            unread = sum(1 for _ in self._rows)
            self.tally.rows += unread
            self.tally.untried += unread

    async def _work(self, rows: Iterator[Row], contacts: Contacts) -> None:
        while self._hopeless is None and (row := next(rows, None)) is not None:
            await self._create(row, contacts)

    def _sendable(self) -> Iterator[Row]:
        for row in self._rows:
            self.tally.rows += 1
            self.advance(1)
            if isinstance(row, Row):
                self.tally.valid += 1
                yield row
            else:
                self._faulty(row)

    async def _create(self, row: Row, contacts: Contacts) -> None:
        try:
            await contacts.create(**row.fields)
        except _HOPELESS as error:
            self._hopeless = error
            self.tally.untried += 1
        except (ApiError, DeadlineExceededError) as error:
            self._refused(row.line, _blamed(error), str(error.args[0]))
        except OutcomeUnknownError as error:
            self._unknown(row.line, str(error.__cause__ or error))
        except asyncio.CancelledError:
            self._unknown(row.line, "interrupted")
            raise
        else:
            self.tally.created += 1

    def _faulty(self, row: Fault) -> None:
        if row.reason != NO_SUCH_FIELD:
            self._refused(row.line, row.field, row.reason)
        elif row.field in self._strange:
            self.tally.refused += 1
        else:
            self._strange.add(row.field)
            self._refused(row.line, row.field, f"{row.reason} (said once; every row that has it is refused)")

    def _refused(self, line: int, name: str, reason: str) -> None:
        self.tally.refused += 1
        complain(f"line {line}: {name}: {reason}")

    def _unknown(self, line: int, reason: str) -> None:
        self.tally.unknown += 1
        complain(f"line {line}: -: it may have been created or not: {reason}")


def _blamed(error: VoxloudError) -> str:
    """The field that the service's message names, if it names one."""
    message = error.message if isinstance(error, ApiError) else ""
    return next((name for name in FIELDS if name in message), "-")
