"""What became of the items of a bulk run."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from attrs import evolve, field, frozen

from ...errors import (
    ApiError,
    BadRequestError,
    DeadlineExceededError,
    NotFoundError,
    ServerError,
    UsageError,
    VoxloudError,
)

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


def _kind(error: Exception | None) -> str:
    # Some errors show the text they stumbled over, which is personal.
    return "None" if error is None else type(error).__name__


@frozen(kw_only=True)
class Outcome(Generic[ItemT, ResultT]):
    """What became of one item; `index` counts items from 0 in the order in which they were given.

    Where `error` is None nothing is left to do: `id` is that of the object, `result` what the service answered. There
    is no `result`, and nothing was sent, where the journal has the item as done (`replayed`), or where an earlier run
    sent a later change of the same object (`superseded`), which this one would overwrite.
    """

    index: int
    item: ItemT = field(repr=False)
    result: ResultT | None = field(default=None, repr=False)
    error: Exception | None = field(default=None, repr=_kind)
    id: str | None = None
    replayed: bool = False
    superseded: bool = False
    unknown: bool = False
    """Whether it may be done or not: this run or an earlier one sent it, and no response said what became of it."""

    @property
    def ok(self) -> bool:
        """Whether nothing is left to do."""
        return self.error is None


@frozen(kw_only=True)
class Summary:
    """Counts of outcomes: those `replayed` and `superseded` are among `done`.

    `total` is how many items there are, None where they have no length.
    """

    done: int = 0
    failed: int = 0
    unknown: int = 0
    replayed: int = 0
    superseded: int = 0
    total: int | None = None

    @property
    def outcomes(self) -> int:
        """How many there are so far."""
        return self.done + self.failed + self.unknown

    def plus(self, outcome: Outcome[Any, Any]) -> Summary:
        """Return the counts with one more outcome."""
        return evolve(
            self,
            done=self.done + outcome.ok,
            unknown=self.unknown + outcome.unknown,
            failed=self.failed + (not outcome.ok and not outcome.unknown),
            replayed=self.replayed + outcome.replayed,
            superseded=self.superseded + outcome.superseded,
        )


def had_no_effect(error: VoxloudError, *, sent_before: bool = False) -> bool:
    """Return True if a change that ended so was not carried out; if it was sent before, it may have been by then."""
    cause = error.__cause__ if isinstance(error, DeadlineExceededError) else error
    if isinstance(cause, BadRequestError | NotFoundError):
        return True
    if sent_before:
        return False
    if cause is None or isinstance(cause, UsageError):
        return True
    if not isinstance(cause, VoxloudError):
        return False
    return cause.sent is False or (isinstance(cause, ApiError) and not isinstance(cause, ServerError))
