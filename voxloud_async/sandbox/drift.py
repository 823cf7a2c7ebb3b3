"""Rows that come, go and change while somebody reads, so that pages shift between two requests."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from attrs import define, evolve, field, frozen
from attrs.validators import ge, optional

from .dice import Dice
from .pbx import Pbx
from .town.contacts import contact


@frozen(kw_only=True)
class Drift:
    """What happens after each page of telephony events or contacts: up to so many rows arrive, go or change.

    The seed draws how many and which. Call records arrive late, dated between the oldest and the newest, and change in
    their summary; contacts arrive at the end of creation and change in their job title. `pages` is after how many pages
    all stands still, None for never.
    """

    seed: int = 0
    arrivals: int = field(default=0, validator=ge(0))
    removals: int = field(default=0, validator=ge(0))
    changes: int = field(default=0, validator=ge(0))
    pages: int | None = field(default=None, validator=optional(ge(0)))


@define
class Movement:
    """A drift under way in a PBX."""

    _drift: Drift
    _pbx: Pbx
    _dice: Dice = field(init=False)
    _pages: int = field(default=0, init=False)
    _arrived: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self._dice = Dice(self._drift.seed, "drift")

    def of_events(self) -> None:
        """Let a pause between two pages of telephony events pass."""
        self._pause(self._remove_event, self._add_event, self._change_event)

    def of_contacts(self) -> None:
        """Let a pause between two pages of contacts pass."""
        self._pause(self._remove_contact, self._add_contact, self._change_contact)

    def _pause(self, remove: Callable[[], None], add: Callable[[], None], change: Callable[[], None]) -> None:
        drift = self._drift
        if drift.pages is not None and self._pages >= drift.pages:
            return
        self._pages += 1
        self._some(drift.removals, remove)
        self._some(drift.arrivals, add)
        self._some(drift.changes, change)

    def _some(self, most: int, happen: Callable[[], None]) -> None:
        for _ in range(self._dice.below(most + 1)):
            happen()

    def _remove_event(self) -> None:
        if ids := self._pbx.events.ids:
            self._pbx.events.remove(self._dice.choose(ids))

    def _change_event(self) -> None:
        events = self._pbx.events
        if events.ids:
            chosen = self._dice.choose(events.ids)
            events.replace(chosen, events[chosen] | {"summary": f"Changed {self._dice.digits(6)}"})

    def _add_event(self) -> None:
        events = self._pbx.events
        if events.ids:
            event_id = self._dice.choose(events.ids)
            between = events.moment(events.ids[0]), events.moment(events.ids[-1])
            late = {"timestamp": self._dice.between(*between), "callId": self._dice.hex(32)}
            events.append(events[event_id] | late)

    def _remove_contact(self) -> None:
        if self._pbx.contacts:
            del self._pbx.contacts[self._one_of(self._pbx.contacts)]

    def _change_contact(self) -> None:
        if self._pbx.contacts:
            chosen = self._one_of(self._pbx.contacts)
            title = f"Title {self._dice.digits(4)}"
            self._pbx.contacts[chosen] = evolve(self._pbx.contacts[chosen], job_title=title)

    def _add_contact(self) -> None:
        self._arrived += 1
        now = self._pbx.clock()
        made = contact(self._pbx.seed, -self._arrived, now=now)  # the seeded ones count from 0 upwards
        self._pbx.contacts[made.id] = evolve(made, created_at=now, updated_at=now)

    def _one_of(self, ids: Iterable[str]) -> str:
        return self._dice.choose(list(ids))
