"""What is going to happen at the PBX, in order of time. Pure: whoever asks says what time it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from heapq import heappop, heappush
from itertools import count

from attrs import define, field, frozen

from ..records import Row


@frozen(kw_only=True)
class Happening:
    """Something that the PBX tells of: an event type of subscriptions, and the event under its wire names.

    `due` and `next_due`, in milliseconds since 1970, are the moments at which this and the next happening of the same
    call come about. A record gets its id, and its place among the telephony events, when it does.
    """

    event_type: str
    row: Row
    due: int
    next_due: int

    @property
    def is_record(self) -> bool:
        """Whether it is the record of something that has ended."""
        return not self.event_type.startswith("CALL_")


def in_a_row(steps: Iterable[tuple[int, str, Row]]) -> list[Happening]:
    """Happenings of one call out of moment, event type and event, each knowing when the next one comes."""
    ordered = sorted(steps, key=lambda step: step[0])
    moments = [due for due, _, _ in ordered]
    return [
        Happening(event_type=event_type, row=row, due=due, next_due=following)
        for (due, event_type, row), following in zip(ordered, [*moments[1:], *moments[-1:]], strict=True)
    ]


@define
class Agenda:
    """Happenings that are to come. Of one moment, those that were added first come first."""

    _coming: list[tuple[int, int, Happening]] = field(factory=list, init=False, repr=False)
    _counter: Iterator[int] = field(factory=count, init=False, repr=False)
    listener: Callable[[], object] = field(default=lambda: None, repr=False)
    """Called whenever something was added."""

    def __len__(self) -> int:
        return len(self._coming)

    @property
    def next_due(self) -> int | None:
        """The moment of the first to come, milliseconds since 1970."""
        return self._coming[0][0] if self._coming else None

    def add(self, happenings: Iterable[Happening]) -> None:
        """Let these happen."""
        for each in happenings:
            heappush(self._coming, (each.due, next(self._counter), each))
        self.listener()

    def due(self, now: int) -> Iterator[Happening]:
        """Take out, one by one, what has come about by now."""
        while self._coming and self._coming[0][0] <= now:
            yield heappop(self._coming)[-1]
