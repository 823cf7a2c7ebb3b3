"""Users as live events name them. No endpoint shows their address or SIP name (U2)."""

from __future__ import annotations

import unicodedata

from ..dice import Dice
from ..records import Row, User
from ..town.directory import Directory


def subject(user: User, town: Directory) -> Row:
    """The fields of the "user subject of the event" (L519)."""
    return {
        "userEmail": f"{_plain(user.first_name)}.{_plain(user.last_name)}@{town.email.partition('@')[2]}",
        "userExtension": user.extension,
        "sipUsername": f"sip_{Dice('sip', user.id).hex(7)}",
    }


def user_of(extension: int, town: Directory) -> User:
    """The user with this extension; ValueError when there is none."""
    for user in town.users:
        if user.extension == extension:
            return user
    raise ValueError(f"no user has the extension {extension}")


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return "".join(letter for letter in letters if letter.isalnum())
