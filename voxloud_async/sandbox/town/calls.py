"""Call records by place in time, each made from nothing but the seed and its place: a million cost no memory.

The shapes are those of the API text: rows of a query (L697-727), the phone call table (L542), click-to-call (L654).
"""

from __future__ import annotations

from collections.abc import Sequence

from ..dice import Dice
from ..records import Contact, Row
from .details import complete, end_rarely
from .directory import Directory
from .outlines import Callers, Outline, inside
from .timetable import Timetable

FIRST_ID = 8_000

_BLOCK, _TRANSFERRED_CALL = 16, 6
"""In each block of rows one call is transferred: its second leg follows at once, at the same moment (T3, T10)."""


class CallRecords:
    """The seeded rows in order of time, by place from 0; the id of a row is its place plus `FIRST_ID`."""

    def __init__(
        self, seed: int, town: Directory, contacts: Sequence[Contact], timetable: Timetable, *, count: int
    ) -> None:
        self._seed = seed
        self._town = town
        self._callers = Callers(town, contacts)
        self._timetable = timetable
        self._count = count
        self._mask = Dice(seed, "call ids").below(1 << 32)

    def __len__(self) -> int:
        return self._count

    def moment(self, place: int) -> int:
        """When it happened, milliseconds; never before the row ahead of it."""
        call = _first_leg(place)
        within = Dice(self._seed, "moment", call).below(1000) / 1000
        return self._timetable.moment((call + within) / self._count)

    def outline(self, place: int) -> Outline:
        """Who called whom."""
        call = _first_leg(place)
        dice = Dice(self._seed, "outline", call)
        return self._callers.inbound(dice) if _is_transferred(call) else self._callers.any_call(dice)

    def row(self, place: int) -> Row:
        """The whole record."""
        call = _first_leg(place)
        outline = self.outline(call)
        dice = Dice(self._seed, "row", call)
        row = outline.row(self._town, at=self.moment(call), call_id=self._call_id(call, outline.kind))
        row["id"] = FIRST_ID + call
        complete(row, outline, self._town, dice, answered=_is_transferred(call) or dice.chance(72))
        end_rarely(row, dice)
        return row if call == place else self._second_leg(row, place)

    def places_of(self, call_id: str) -> list[int]:
        """Where the rows of a call are."""
        try:
            call = int(call_id[:8], 16) ^ self._mask
        except ValueError:
            return []
        if not 0 <= call < self._count or self._call_id(call, self.outline(call).kind) != call_id:
            return []
        return [place for place in (call, call + 1) if _first_leg(place) == call and place < self._count]

    def _call_id(self, call: int, kind: str) -> str:
        # The first eight digits hold the place, so that a record is found by its callId without a search.
        digits = f"{call ^ self._mask:08x}{Dice(self._seed, 'call id', call).hex(24)}"
        if kind == "FAX_CALL":
            return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
        return f"{digits}-clicktocall" if kind == "CLICK_TO_CALL" else digits

    def _second_leg(self, first_leg: Row, place: int) -> Row:
        user = inside(Dice(self._seed, "transfer", place).choose(self._town.users))
        return first_leg | {
            "id": FIRST_ID + place,
            "lastEvent": "CALL_TRANSFERRED",
            "answererName": user.name,
            "answererNumber": user.number,
        }


def _first_leg(place: int) -> int:
    return place - (place % _BLOCK == _TRANSFERRED_CALL + 1)


def _is_transferred(call: int) -> bool:
    return call % _BLOCK == _TRANSFERRED_CALL
