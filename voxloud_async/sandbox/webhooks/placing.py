"""A phone call as somebody wants it, with the rest left to the seed."""

from __future__ import annotations

from collections.abc import Sequence

from ..dice import Dice
from ..pbx import Pbx
from ..records import User
from ..town.directory import Directory
from ..town.numbers import outside
from ..town.outlines import Outline, Party, inside
from .people import user_of
from .phone_calls import Direction, Plan

_WANTED = {"INBOUND": 1, "OUTBOUND": 1, "INTERNAL": 2}


def plan(
    pbx: Pbx,
    direction: Direction,
    *,
    number: str | None,
    extensions: Sequence[int],
    ring: float,
    talk: float | None,
    transfer_to: int | None,
    voicemail: bool,
) -> Plan:
    """The plan of a call. Raises ValueError for what cannot be."""
    if direction not in _WANTED:
        raise ValueError(f"direction must be one of {', '.join(_WANTED)}")
    if ring < 0 or (talk is not None and talk < 0):
        raise ValueError("ring and talk must be >= 0")
    if talk is None and transfer_to is not None:
        raise ValueError("transfer_to needs a call that is answered")
    if voicemail and (talk is not None or direction != "INBOUND"):
        raise ValueError("voicemail needs an inbound call that is not answered")
    town, dice = pbx.directory, pbx.new_id()
    users = tuple(user_of(each, town) for each in extensions) or _anybody(town, _WANTED[direction])
    if (direction == "OUTBOUND" and len(users) != 1) or len(users) < _WANTED[direction]:
        raise ValueError(f"{direction} takes {_WANTED[direction]} of extensions")
    return Plan(
        call_id=dice.hex(32),
        outline=_outline(town, direction, users, number or outside(dice), dice),
        users=users,
        ring=round(ring * 1000),
        talk=None if talk is None else round(talk * 1000),
        transfer_to=None if transfer_to is None else user_of(transfer_to, town),
        voicemail=voicemail,
    )


def _anybody(town: Directory, count: int) -> tuple[User, ...]:
    return town.users[:count]


def _outline(town: Directory, direction: Direction, users: tuple[User, ...], number: str, dice: Dice) -> Outline:
    other = Party(number, number)
    if direction == "INBOUND":
        office = dice.choose(town.dids).number
        ends = other, Party(office, office)
    else:
        ends = inside(users[0]), other if direction == "OUTBOUND" else inside(users[1])
    return Outline(kind="PHONE_CALL", direction=direction, originator=ends[0], destination=ends[1])
