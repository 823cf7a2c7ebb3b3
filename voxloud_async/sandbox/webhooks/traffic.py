"""A day at the office: calls of every kind, one after the other, by a seed."""

from __future__ import annotations

import math
from collections.abc import Iterator

from attrs import field, frozen
from attrs.validators import ge, gt, optional

from ..dice import Dice
from ..pbx import Pbx
from ..records import PlacedCall, Row, User
from ..town.details import complete
from ..town.outlines import Callers, Outline, inside
from .click_to_calls import connected_call
from .phone_calls import Plan, phone_call
from .story import StagedCall

_FINE = 1_000_000
_LARGEST_GROUP = 4


@frozen(kw_only=True)
class Traffic:
    """Calls that come by themselves: faxes, click-to-calls, and mostly phone calls, in, out and within.

    `calls_per_second` is how many come on average, at moments left to chance. `ring` and `talk` are the bounds of how
    long one rings and is talked on, in seconds of the call. `calls` ends it after so many.
    """

    calls_per_second: float = field(default=1.0, validator=gt(0.0))
    seed: int = 0
    calls: int | None = field(default=None, validator=optional(ge(0)))
    ring: tuple[int, int] = (1, 8)
    talk: tuple[int, int] = (2, 30)

    def __attrs_post_init__(self) -> None:
        for name, (low, high) in {"ring": self.ring, "talk": self.talk}.items():
            if not 0 <= low <= high:
                raise ValueError(f"{name} must be two numbers of seconds, the least and the most")


def calls_of(traffic: Traffic, pbx: Pbx, start: int) -> Iterator[StagedCall]:
    """The calls of this traffic, in order of the moments they begin at; `start` is milliseconds since 1970."""
    at = float(start)
    number = 0
    while traffic.calls is None or number < traffic.calls:
        dice = Dice(traffic.seed, "traffic", number)
        at += -math.log(1 - dice.below(_FINE) / _FINE) / traffic.calls_per_second * 1000
        yield _Scene(traffic, pbx, dice, round(at)).call()
        number += 1


@frozen
class _Scene:
    """One call of the traffic."""

    traffic: Traffic
    pbx: Pbx
    dice: Dice
    at: int

    def call(self) -> StagedCall:
        outline = Callers(self.pbx.directory, tuple(self.pbx.contacts.values())).any_call(self.dice)
        if outline.kind == "FAX_CALL":
            return self._fax(outline)
        return self._click_to_call(outline) if outline.kind == "CLICK_TO_CALL" else self._phone_call(outline)

    def _phone_call(self, outline: Outline) -> StagedCall:
        dice, answered = self.dice, self.dice.chance(75)
        users, target = self._users(outline.direction), dice.choose(self.pbx.directory.users)
        if outline.direction == "INTERNAL":
            outline = Outline(
                kind=outline.kind,
                direction=outline.direction,
                originator=inside(users[0]),
                destination=inside(users[-1]),
            )
        elif outline.direction == "OUTBOUND":
            users = tuple(each for each in self.pbx.directory.users if inside(each) == outline.originator)
        plan = Plan(
            call_id=dice.hex(32),
            outline=outline,
            users=users,
            ring=dice.between(*self.traffic.ring) * 1000,
            talk=dice.between(*self.traffic.talk) * 1000 if answered else None,
            transfer_to=target if answered and target not in users and dice.chance(15) else None,
            voicemail=not answered and outline.direction == "INBOUND" and dice.chance(40),
        )
        return phone_call(plan, at=self.at, town=self.pbx.directory, quirks=self.pbx.quirks)

    def _users(self, direction: str) -> tuple[User, ...]:
        """Two for an internal call, else one, or those of a ring group."""
        everybody = list(self.pbx.directory.users)
        wanted = 2 if direction == "INTERNAL" else 1
        if direction == "INBOUND" and self.dice.chance(40):
            wanted = self.dice.between(2, _LARGEST_GROUP)
        chosen = [everybody.pop(self.dice.below(len(everybody))) for _ in range(min(wanted, len(everybody)))]
        return tuple(chosen)

    def _fax(self, outline: Outline) -> StagedCall:
        row = self._record(outline, self.dice.uuid())
        length = row["duration"] * 1000
        return StagedCall(call_id=row["callId"], at=self.at, length=length, steps=(), records=(row,))

    def _click_to_call(self, outline: Outline) -> StagedCall:
        names = (outline.originator.name, outline.destination.name)
        user = next(each for each in self.pbx.directory.users if each.name in names)
        row = self._record(outline, f"{self.dice.hex(32)}-clicktocall")
        ring = self.dice.between(*self.traffic.ring)
        row |= {"ringTime": ring, "duration": ring + self.dice.between(*self.traffic.talk)}
        call = PlacedCall(
            click_to_call_id="",
            call_id=row["callId"],
            extension=str(user.extension),
            contact=outline.destination.number,
            outbound_number=outline.originator.number,
            dial_first="contact" if row["clickToCallType"] == "CONTACT" else "extension",
            at=self.at,
        )
        return connected_call(call, row, town=self.pbx.directory, quirks=self.pbx.quirks)

    def _record(self, outline: Outline, call_id: str) -> Row:
        row = outline.row(self.pbx.directory, at=self.at, call_id=call_id)
        complete(row, outline, self.pbx.directory, self.dice, answered=True)
        return row
