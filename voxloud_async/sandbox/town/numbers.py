"""Phone numbers: how they are made, and the spellings a PBX records them in."""

from __future__ import annotations

from ..dice import Dice

_LANDLINES = ("+3906555", "+3902555", "+39011555", "+39051555", "+39055555")
_MOBILES = ("+39320", "+39333", "+39347", "+39389")
_ABROAD = ("+4930901", "+3319900", "+34910", "+442079", "+41445")


def did(dice: Dice) -> str:
    """A landline of the PBX, e164."""
    return dice.choose(_LANDLINES) + dice.digits(4)


def outside(dice: Dice) -> str:
    """Somebody's number, e164: a mobile, a landline, now and then from abroad."""
    kind = dice.below(10)
    if kind < 5:  # noqa: PLR2004 - half of all numbers
        return dice.choose(_MOBILES) + dice.digits(7)
    return dice.choose(_LANDLINES if kind < 9 else _ABROAD) + dice.digits(6)  # noqa: PLR2004 - one in ten


def as_recorded(number: str, dice: Dice) -> str:
    """An e164 number as a carrier hands it over: whole, without its plus, or national (P6)."""
    spelling = dice.below(4)
    if spelling == 0 and number.startswith("+390"):
        return number.removeprefix("+39")
    return number.removeprefix("+") if spelling == 1 else number
