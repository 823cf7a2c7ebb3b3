"""A whole seeded PBX: how large, and then all of it."""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from ..event_log import EventLog
from ..pbx import Pbx
from ..quirks import Quirks
from .calls import CallRecords
from .contacts import contact
from .directory import directory
from .timetable import Timetable

_DAY = 86_400_000


@frozen(kw_only=True)
class Population:
    """How much of everything there is at the start, and the moment of the start (milliseconds since 1970)."""

    seed: int
    contacts: int
    users: int
    groups: int
    events: int
    days: int
    now: int

    def settle(
        self,
        *,
        clock: Callable[[], int],
        media_url: Callable[[], str],
        quirks: Quirks,
        pace: float,
    ) -> Pbx:
        """The PBX with its people and their calls of the last `days`."""
        town = directory(self.seed, users=self.users, groups=self.groups, media_url=media_url)
        people = [contact(self.seed, index, now=self.now) for index in range(self.contacts)]
        people.sort(key=lambda each: each.created_at)
        timetable = Timetable(self.now - self.days * _DAY, self.now)
        calls = CallRecords(self.seed, town, people, timetable, count=self.events)
        return Pbx(
            directory=town,
            contacts={each.id: each for each in people},
            events=EventLog(calls),
            clock=clock,
            seed=self.seed,
            quirks=quirks,
            pace=pace,
        )
