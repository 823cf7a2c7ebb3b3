"""What became of the items of a bulk run."""

from __future__ import annotations

from typing import Generic, TypeVar

from attrs import define, field, frozen

from ...errors import ClientClosedError, OutcomeUnknownError, ResponseLostError

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


def _kind(error: Exception | None) -> str:
    # Some errors show the text they stumbled over, which is personal.
    return "None" if error is None else type(error).__name__


@frozen(kw_only=True)
class Outcome(Generic[ItemT, ResultT]):
    """What became of one item; `index` counts items from 0 in the order in which they were given.

    Where `error` is None it is done: `id` is that of the object, `result` what the service answered. `replayed` says
    that the journal knew it already: nothing was sent, and there is no `result`.
    """

    index: int
    item: ItemT = field(repr=False)
    result: ResultT | None = field(default=None, repr=False)
    error: Exception | None = field(default=None, repr=_kind)
    id: str | None = None
    replayed: bool = False

    @property
    def ok(self) -> bool:
        """Whether it is done."""
        return self.error is None

    @property
    def unknown(self) -> bool:
        """Whether it may be done or not: its answer was lost."""
        if isinstance(self.error, ClientClosedError):
            return self.error.sent is not False
        return isinstance(self.error, OutcomeUnknownError | ResponseLostError)


@frozen(kw_only=True)
class Summary:
    """Counts of outcomes: `replayed` are among those `done`, `total` is None where the items have no length."""

    done: int = 0
    failed: int = 0
    unknown: int = 0
    replayed: int = 0
    total: int | None = None

    @property
    def outcomes(self) -> int:
        """How many there are so far."""
        return self.done + self.failed + self.unknown


@define
class Tally:
    """Counts while outcomes come."""

    total: int | None
    done: int = 0
    failed: int = 0
    unknown: int = 0
    replayed: int = 0

    def count(self, outcome: Outcome[ItemT, ResultT]) -> None:
        """Count one more."""
        self.done += outcome.ok
        self.unknown += outcome.unknown
        self.failed += not (outcome.ok or outcome.unknown)
        self.replayed += outcome.replayed

    def summary(self) -> Summary:
        """The counts so far."""
        return Summary(
            done=self.done, failed=self.failed, unknown=self.unknown, replayed=self.replayed, total=self.total
        )
