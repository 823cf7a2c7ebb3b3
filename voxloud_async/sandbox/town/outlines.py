"""Who called whom: enough of a record to match a number, and cheap to make."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from ..dice import Dice
from ..records import Contact, Row, User
from .directory import Directory
from .names import FIRST_NAMES, LAST_NAMES
from .numbers import as_recorded, outside

_FAXES, _CLICK_TO_CALLS = 6, 8
_INBOUND, _OUTBOUND = 55, 30
_CLICK_TO_CALLS_INSIDE, _CLICK_TO_CALLS_INBOUND = 4, 6


@frozen
class Party:
    """One end of a call, as recorded."""

    name: str
    number: str


ANONYMOUS = Party("anonymous", "anonymous")


@frozen(kw_only=True)
class Outline:
    """A call without its details; `contact` is the other end, where it is known."""

    kind: str
    direction: str
    originator: Party
    destination: Party
    contact: Contact | None = None

    @property
    def ends(self) -> Row:
        """The fields that name the two ends."""
        return {
            "originatorName": self.originator.name,
            "originatorNumber": self.originator.number,
            "destinationName": self.destination.name,
            "destinationNumber": self.destination.number,
        }

    def row(self, town: Directory, *, at: int, call_id: str) -> Row:
        """The beginning of its record, which is the same for all kinds; `at` is milliseconds since 1970."""
        head = {"type": self.kind, "accountId": town.account_id, "direction": self.direction, "timestamp": at}
        return head | self.ends | {"callId": call_id}


def inside(user: User) -> Party:
    """A user as an end of a call: the number is the extension."""
    return Party(user.name, str(user.extension))


@frozen
class Callers:
    """Everybody who may call or be called."""

    town: Directory
    contacts: Sequence[Contact]

    def any_call(self, dice: Dice) -> Outline:
        """A fax, a click-to-call or, mostly, a phone call."""
        kind = dice.below(100)
        if kind < _FAXES:
            return self._fax(dice)
        if kind < _FAXES + _CLICK_TO_CALLS:
            return self._click_to_call(dice)
        return self._phone_call(dice)

    def inbound(self, dice: Dice) -> Outline:
        """A phone call from outside to one of the PBX's numbers."""
        contact, party = (None, ANONYMOUS) if dice.chance(8) else self._outsider(dice)
        number = dice.choose(self.town.dids).number.removeprefix("+")
        return Outline(
            kind="PHONE_CALL",
            direction="INBOUND",
            originator=party,
            destination=Party(number, number),
            contact=contact,
        )

    def _phone_call(self, dice: Dice) -> Outline:
        which = dice.below(100)
        if which < _INBOUND:
            return self.inbound(dice)
        caller = inside(dice.choose(self.town.users))
        if which < _INBOUND + _OUTBOUND:
            contact, callee = self._outsider(dice)
            direction = "OUTBOUND"
        else:
            contact, callee = None, inside(dice.choose(self.town.users))
            direction = "INTERNAL"
        return Outline(kind="PHONE_CALL", direction=direction, originator=caller, destination=callee, contact=contact)

    def _fax(self, dice: Dice) -> Outline:
        number = dice.choose(self.town.dids).number.removeprefix("+")
        machine = Party(f"{number}-fax-caller-id-name", number)
        if dice.chance(70):
            other = ANONYMOUS if dice.chance(5) else _stranger(dice)
            return Outline(kind="FAX_CALL", direction="INBOUND", originator=other, destination=machine)
        return Outline(kind="FAX_CALL", direction="OUTBOUND", originator=machine, destination=_stranger(dice))

    def _click_to_call(self, dice: Dice) -> Outline:
        number = dice.choose(self.town.dids).number.removeprefix("+")
        user = Party(dice.choose(self.town.users).name, number)
        which = dice.below(100)
        if which < _CLICK_TO_CALLS_INSIDE:
            callee = inside(dice.choose(self.town.users))
            return Outline(kind="CLICK_TO_CALL", direction="INTERNAL", originator=user, destination=callee)
        contact = dice.choose(self.contacts) if self.contacts and dice.chance(60) else None
        other = _nameless((outside(dice) if contact is None else contact.primary_phone).removeprefix("+"))
        direction, ends = "OUTBOUND", (user, other)
        if which < _CLICK_TO_CALLS_INSIDE + _CLICK_TO_CALLS_INBOUND:
            direction, ends = "INBOUND", (other, user)
        return Outline(
            kind="CLICK_TO_CALL", direction=direction, originator=ends[0], destination=ends[1], contact=contact
        )

    def _outsider(self, dice: Dice) -> tuple[Contact | None, Party]:
        if self.contacts and dice.chance(60):
            contact = dice.choose(self.contacts)
            return contact, Party(contact.name, as_recorded(contact.primary_phone, dice))
        return None, _stranger(dice)


def _stranger(dice: Dice) -> Party:
    number = as_recorded(outside(dice), dice)
    if dice.chance(50):
        return _nameless(number)
    return Party(f"{dice.choose(FIRST_NAMES)} {dice.choose(LAST_NAMES)}", number)


def _nameless(number: str) -> Party:
    return Party(number, number)
