"""How a call goes, in steps: what is told when, and its records."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import define, field, frozen

from ..quirks import Quirks
from ..records import Row, User
from ..town.directory import Directory
from .agenda import Happening, in_a_row
from .people import subject


@frozen(kw_only=True)
class StagedCall:
    """A call, or a fax, that is to happen: `steps` are milliseconds from its start, event type and event.

    `at` is its start in milliseconds since 1970, and `length` the milliseconds until it ends.
    """

    call_id: str
    at: int
    length: int
    steps: tuple[tuple[int, str, Row], ...] = field(repr=False)
    records: tuple[Row, ...] = field(repr=False)

    def happenings(self, *, pace: float, record_delay: int) -> list[Happening]:
        """The happenings of it, when each of its seconds takes `pace` seconds; `record_delay` is milliseconds."""
        live = [(self.at + round(after * pace), event_type, row) for after, event_type, row in self.steps]
        end = self.at + round(self.length * pace) + record_delay
        return in_a_row([*live, *((end, record["type"], record) for record in self.records)])


@define
class Story:
    """Collects the steps of one call."""

    town: Directory
    quirks: Quirks
    at: int
    ends: Row
    """Names and numbers of both ends, and the call identifier."""
    steps: list[tuple[int, str, Row]] = field(factory=list, init=False)

    def tell(self, phase: str, after: int, user: User, **changes: str) -> None:
        """Something happens to a user; `after` is milliseconds from the start."""
        row = {"timestamp": self.at + after, **self.ends, **changes, "type": phase, **subject(user, self.town)}
        self.steps.append((after, f"CALL_{phase}", row))

    def hang_up(self, after: int, users: Iterable[User]) -> None:
        """The end, told for each user, or for the first alone (P9)."""
        told = list(users) if self.quirks.hangup == "each_user" else list(users)[:1]
        for user in told:
            self.tell("HANGUP", after, user)

    def staged(self, length: int, records: Iterable[Row]) -> StagedCall:
        """The whole."""
        return StagedCall(
            call_id=self.ends["callId"],
            at=self.at,
            length=length,
            steps=tuple(self.steps),
            records=tuple(records),
        )
