"""Phone calls from their start to their records: inbound, outbound and internal, answered, missed and transferred."""

from __future__ import annotations

from typing import Literal

from attrs import frozen

from ..dice import Dice
from ..quirks import Quirks
from ..records import Row, User
from ..town.details import complete
from ..town.directory import Directory
from ..town.outlines import Outline, Party, inside
from ..town.recordings import voicemail
from .story import StagedCall, Story

Direction = Literal["INBOUND", "OUTBOUND", "INTERNAL"]


@frozen(kw_only=True)
class Plan:
    """A phone call that is to be made. Times are milliseconds.

    `users` are those whose phones ring, the first of whom answers; of an outbound call its caller, of an internal one
    the caller and then those who ring. `talk` is None for a call that nobody answers. `transfer_to` takes over in the
    middle of the talk.
    """

    call_id: str
    outline: Outline
    users: tuple[User, ...]
    ring: int
    talk: int | None
    transfer_to: User | None = None
    voicemail: bool = False

    @property
    def length(self) -> int:
        """Milliseconds from the start to the end."""
        return self.ring + (self.talk or 0)


def phone_call(plan: Plan, *, at: int, town: Directory, quirks: Quirks) -> StagedCall:
    """The call that begins at `at`, milliseconds since 1970."""
    story = Story(town, quirks, at, _ends(plan))
    caller, called = _parts(plan)
    if caller is not None:
        story.tell("STARTED", 0, caller)
    if caller is None or quirks.internal_incoming == "present":
        for user in called:
            story.tell("INCOMING", 0, user, destinationName=user.name)
    if plan.talk is None:
        story.hang_up(plan.length, (*called, *_someone(caller)))
    else:
        _answered(story, plan)
    return story.staged(plan.length, _records(plan, at, town))


def _answered(story: Story, plan: Plan) -> None:
    caller, called = _parts(plan)
    answerer = called[0] if called else plan.users[0]
    story.tell("ANSWERED", plan.ring, answerer)
    if story.quirks.hangup == "each_user":
        story.hang_up(plan.ring, called[1:])  # another phone was faster
    talking = dict.fromkeys((answerer, *_someone(caller)))
    if plan.transfer_to is not None:
        _transfer(story, plan, answerer, plan.transfer_to)
        talking = {plan.transfer_to: None} | talking
        del talking[answerer]
    story.hang_up(plan.length, talking)


def _transfer(story: Story, plan: Plan, answerer: User, target: User) -> None:
    """Half-way, whoever answered hands the call on and is out of it."""
    quarter = max(1, (plan.talk or 0) // 4)
    story.tell("INCOMING", plan.ring + 2 * quarter, target, destinationName=target.name)
    if story.quirks.hangup == "each_user":
        story.tell("HANGUP", plan.ring + 2 * quarter, answerer)
    story.tell("ANSWERED", plan.ring + 3 * quarter, target)


def _parts(plan: Plan) -> tuple[User | None, tuple[User, ...]]:
    """Who called, as far as it is a user, and the users who were called."""
    if plan.outline.direction == "INBOUND":
        return None, plan.users
    return plan.users[0], plan.users[1:]


def _someone(user: User | None) -> tuple[User, ...]:
    return () if user is None else (user,)


def _ends(plan: Plan) -> Row:
    return {"callId": plan.call_id} | plan.outline.ends


def _records(plan: Plan, at: int, town: Directory) -> list[Row]:
    """One record, and a second one where the call was transferred, as the seeded ones are."""
    row = plan.outline.row(town, at=at, call_id=plan.call_id)
    answered = plan.talk is not None
    complete(row, plan.outline, town, Dice("record", plan.call_id), answered=answered)
    row["duration"] = plan.length // 1000
    if not answered:
        row["voicemail"] = plan.voicemail
        row.pop("voicemail_url", None)
        if plan.voicemail:
            row["voicemail_url"] = voicemail(plan.call_id, town)
        return [row]
    row |= {"ringTime": plan.ring // 1000, **_answerer(_first_answerer(plan))}
    if plan.transfer_to is None:
        return [row]
    return [row, row | {"lastEvent": "CALL_TRANSFERRED", **_answerer(inside(plan.transfer_to))}]


def _first_answerer(plan: Plan) -> Party:
    called = _parts(plan)[1]
    return inside(called[0]) if called else plan.outline.destination


def _answerer(party: Party) -> Row:
    return {"answererName": party.name, "answererNumber": party.number}
