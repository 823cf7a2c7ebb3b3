"""The rest of a call record: how it ended, how long it took, what was recorded and said."""

from __future__ import annotations

from ..dice import Dice
from ..records import Contact, Row
from .directory import Directory
from .names import CRMS, LABELS, RULE_NAMES
from .outlines import ANONYMOUS, Outline, inside
from .recordings import recording, voicemail
from .talk import summary, transcription

_NOT_ANSWERED = ("CALL_CANCELED_BY_ORIGINATOR", "CALL_LOST_NO_ANSWER", "CALL_LOST_USER_BUSY", "CALL_REJECTED")
_RARELY = ("CALL_REQUEST", "CALL_STARTED", "CALL_LOST_LOSE_RACE")


def complete(row: Row, outline: Outline, town: Directory, dice: Dice, *, answered: bool) -> None:
    """Add to a row what its kind of call has (T16: the fields vary)."""
    if outline.kind == "FAX_CALL":
        row.update(duration=dice.between(15, 240), archived=dice.chance(5))
        return
    if outline.kind == "CLICK_TO_CALL":
        _complete_click_to_call(row, town, dice)
    else:
        _complete_phone_call(row, town, dice, answered=answered)
    _tag(row, dice)
    if outline.contact is not None:
        row.update(_crm_fields(outline.contact))


def end_rarely(row: Row, dice: Dice) -> None:
    """Give one phone call in 25 a last event that is documented, but that no call ends with in the normal course."""
    if row["type"] == "PHONE_CALL" and dice.chance(4):
        row["lastEvent"] = "CALL_ANSWERED" if "answererName" in row else dice.choose(_RARELY)


def _complete_click_to_call(row: Row, town: Directory, dice: Dice) -> None:
    ring_time = dice.between(1, 20)
    row.update(
        duration=ring_time + _talk_seconds(dice),
        ringTime=ring_time,
        queueCallId=row["callId"],
        clickToCallType=dice.choose(("EXTENSION", "CONTACT")),
        archived=dice.chance(5),
        recorded=False,
    )
    _record(row, town, dice)


def _complete_phone_call(row: Row, town: Directory, dice: Dice, *, answered: bool) -> None:
    ring_time = dice.between(1, 45)
    row.update(
        lastEvent="CALL_TERMINATED" if answered else dice.choose(_NOT_ANSWERED),
        duration=ring_time + (_talk_seconds(dice) if answered else 0),
        archived=dice.chance(5),
        recorded=False,
        voicemail=False,
    )
    if answered:
        _answer(row, town, dice, ring_time)
        _record(row, town, dice)
    elif row["direction"] == "INBOUND" and dice.chance(25):
        row.update(voicemail=True, voicemail_url=voicemail(row["callId"], town))


def _answer(row: Row, town: Directory, dice: Dice, ring_time: int) -> None:
    name, number = row["destinationName"], row["destinationNumber"]
    if row["direction"] == "INBOUND":
        user = inside(dice.choose(town.users))
        name, number = user.name, user.number
    row.update(
        answererName=name,
        answererNumber=number,
        maskCallerNumber=row["originatorNumber"] == ANONYMOUS.number,
        ringTime=ring_time,
    )


def _record(row: Row, town: Directory, dice: Dice) -> None:
    if not dice.chance(40):
        return
    row.update(recorded=True, recordingUrl=recording(row["callId"], town))
    if dice.chance(50):
        row.update(transcription=transcription(dice), summary=summary(dice), sentiment_score=dice.below(101))


def _tag(row: Row, dice: Dice) -> None:
    if dice.chance(15):
        row["labels"] = [dice.choose(LABELS)]
    if (row["direction"] == "INBOUND" or row["type"] == "CLICK_TO_CALL") and dice.chance(60):
        first = dice.below(len(RULE_NAMES) - 1)
        row["ruleNames"] = list(RULE_NAMES[first : first + dice.between(1, 2)])


def _crm_fields(contact: Contact) -> Row:
    if contact.crm_contact_url is None:
        return {}
    logos = {name: logo for name, _, logo in CRMS}
    return {
        "contactCrm": contact.crm_name,
        "contactCrmUrl": contact.crm_contact_url,
        "crmLogo": logos[str(contact.crm_name)],
    }


def _talk_seconds(dice: Dice) -> int:
    minutes = dice.below(dice.between(1, 12))
    return minutes * 60 + dice.between(3, 59)
