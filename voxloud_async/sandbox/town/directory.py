"""Who works here: users, groups and the numbers of the PBX."""

from __future__ import annotations

from collections.abc import Callable

from attrs import field, frozen

from ..dice import Dice
from ..records import Did, Group, User
from .names import DID_LABELS, FIRST_NAMES, GROUP_NAMES, LAST_NAMES
from .numbers import did

FIRST_EXTENSION = 101
FIRST_GROUP_EXTENSION = 801


@frozen(kw_only=True)
class Directory:
    """The inside of a PBX; `account_id` and `pbx_id` both name it (P4). `media_url` tells where its recordings lie."""

    company: str
    email: str
    account_id: str
    pbx_id: int
    dids: tuple[Did, ...]
    users: tuple[User, ...]
    groups: tuple[Group, ...]
    media_url: Callable[[], str] = field(repr=False, eq=False)


def directory(seed: int, *, users: int, groups: int, media_url: Callable[[], str]) -> Directory:
    """A PBX with so many users and groups."""
    dice = Dice(seed, "directory")
    dids = tuple(Did(did(dice), label) for label in DID_LABELS)
    return Directory(
        company="Officine Meridiana srl",
        email="administrator@meridiana.example",
        account_id=dice.hex(32),
        pbx_id=dice.between(100, 999),
        dids=dids,
        users=tuple(_user(seed, index, dids, last=index > 0 and index == users - 1) for index in range(users)),
        groups=tuple(_group(index) for index in range(groups)),
        media_url=media_url,
    )


def _user(seed: int, index: int, dids: tuple[Did, ...], *, last: bool) -> User:
    dice = Dice(seed, "user", index)
    # The newcomer has no number yet: `outbound_did` may be missing and `available_dids` empty (U5).
    available = () if last else tuple(each for each in dids if dice.chance(50)) or dids[:1]
    return User(
        id=dice.uuid(),
        first_name=dice.choose(FIRST_NAMES),
        last_name=dice.choose(LAST_NAMES),
        extension=FIRST_EXTENSION + index,
        dids=available,
        outbound=dice.choose(available) if available else None,
    )


def _group(index: int) -> Group:
    round_, place = divmod(index, len(GROUP_NAMES))
    name = GROUP_NAMES[place] if round_ == 0 else f"{GROUP_NAMES[place]} {round_ + 1}"
    return Group(name, FIRST_GROUP_EXTENSION + index)
