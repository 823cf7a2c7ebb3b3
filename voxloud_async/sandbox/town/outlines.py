"""Who called whom: enough of a record to match a number, and cheap to make."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from ..dice import Dice
from ..records import Contact, User
from .directory import Directory
from .names import FIRST_NAMES, LAST_NAMES
from .numbers import as_recorded, outside

_FAXES, _CLICK_TO_CALLS = 6, 8
_INBOUND, _OUTBOUND = 55, 30


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
        other = ANONYMOUS if dice.chance(20) else _stranger(dice)
        if dice.chance(70):
            return Outline(kind="FAX_CALL", direction="INBOUND", originator=other, destination=machine)
        return Outline(kind="FAX_CALL", direction="OUTBOUND", originator=machine, destination=other)

    def _click_to_call(self, dice: Dice) -> Outline:
        number = dice.choose(self.town.dids).number.removeprefix("+")
        return Outline(
            kind="CLICK_TO_CALL",
            direction="OUTBOUND",
            originator=Party(dice.choose(self.town.users).name, number),
            destination=_nameless(outside(dice).removeprefix("+")),
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
