"""The call that a `connect` sets up: two legs, one to the extension and one to the contact, in the order asked for."""

from __future__ import annotations

from ..quirks import Quirks
from ..records import PlacedCall, Row, User
from ..town.directory import Directory
from .story import StagedCall, Story

_LONGEST_SECOND_RING = 3_000


def connected_call(call: PlacedCall, record: Row, *, town: Directory, quirks: Quirks) -> StagedCall:
    """The call with this record, which says how long it rang and lasted."""
    call_id = call.call_id if quirks.live_call_id == "suffixed" else call.call_id.removesuffix("-clicktocall")
    story = Story(town, quirks, call.at, _ends(record, call_id))
    first, length = record["ringTime"] * 1000, record["duration"] * 1000
    second = first + min(_LONGEST_SECOND_RING, (length - first) // 2)
    users = _users(call.extension, town)
    if call.dial_first == "extension":
        _ring_extension(story, users, rings=0, answers=first)
        _ring_contact(story, users[0], rings=first, answers=second)
    else:
        _ring_contact(story, users[0], rings=0, answers=first)
        _ring_extension(story, users, rings=first, answers=second)
    story.hang_up(length, users[:1])
    return story.staged(length, [record])


def _ring_extension(story: Story, users: tuple[User, ...], *, rings: int, answers: int) -> None:
    for user in users:
        story.tell("INCOMING", rings, user)
    story.tell("ANSWERED", answers, users[0])
    if story.quirks.hangup == "each_user":
        story.hang_up(answers, users[1:])


def _ring_contact(story: Story, user: User, *, rings: int, answers: int) -> None:
    story.tell("STARTED", rings, user)
    story.tell("ANSWERED", answers, user)


def _users(extension: str, town: Directory) -> tuple[User, ...]:
    """The user with this extension; those of a group, as which the first three users serve here."""
    return tuple(user for user in town.users if str(user.extension) == extension) or town.users[:3]


def _ends(record: Row, call_id: str) -> Row:
    names = ("originatorName", "originatorNumber", "destinationName", "destinationNumber")
    return {"callId": call_id} | {name: record[name] for name in names}
