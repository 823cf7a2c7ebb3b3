"""From what is known of a call to the call itself.

Nothing says when a call is over. Each of its users gets a HANGUP, those included whom another one outran, and a
transferred call goes on with a user who rang later. So a call is over when every leg is, and a leg is over when its
user hung up, when another answered what it rang for, or when an end covers it:

- a record, or a HANGUP that names nobody, covers all that began before it;
- a HANGUP of somebody who talked covers the same, but for those who rang only after the first answer: they are the
  targets of a transfer.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from attrs import define, field

from ...models import CallEvent, CallPhase, ClickToCallCall, Direction, LastEvent, PhoneCall, PhoneKind, PhoneNumber
from .facts import Facts, LegFacts, earliest, latest
from .model import Call, CallState, Leg, Record

_SLACK = timedelta(seconds=2)
"""Records are in whole seconds, and their clock need not be that of the events."""

_UNANSWERED = (
    LastEvent.CALL_CANCELED_BY_ORIGINATOR,
    LastEvent.CALL_REJECTED,
    LastEvent.CALL_LOST_LOSE_RACE,
    LastEvent.CALL_LOST_NO_ANSWER,
    LastEvent.CALL_LOST_USER_BUSY,
)
_ANSWERED = (LastEvent.CALL_ANSWERED, LastEvent.CALL_TERMINATED, LastEvent.CALL_TRANSFERRED)
_ENDLESS = datetime.max.replace(tzinfo=UTC)


def derive(facts: Facts) -> Call:
    """The call that these facts make."""
    timeline = _Timeline(facts)
    distinct = facts.distinct()
    records = tuple(distinct.values())
    first = records[0] if records else None
    words = first or facts.words
    state = timeline.state
    began_at = earliest(*(leg.rang_first for leg in facts.legs.values())) or (first.timestamp if first else None)
    ended_at = None if timeline.is_live else latest(*(leg.hung_up for leg in facts.legs.values()))
    return Call(
        call_id=facts.call_id,
        state=state,
        direction=_direction(first, facts.words),
        originator_number=words.originator_number if words else None,
        originator_name=words.originator_name if words else None,
        destination_number=words.destination_number if words else None,
        destination_name=words.destination_name if words else None,
        legs=timeline.legs(),
        began_at=began_at,
        answered_at=timeline.first_answer,
        ended_at=ended_at,
        ring_time=_ring_time(records, began_at, timeline.first_answer or ended_at),
        talk_time=_talk_time(records, state, timeline.first_answer, ended_at),
        records=records,
        verified=bool(records) and distinct.keys() <= facts.verified,
    )


@define
class _Timeline:
    """When what ended."""

    facts: Facts
    first_answer: datetime | None = field(init=False)
    _last_answer: datetime | None = field(init=False)
    _covered_to: datetime | None = field(init=False)
    _talked_to: datetime | None = field(init=False)

    def __attrs_post_init__(self) -> None:
        legs = self.facts.legs.values()
        self.first_answer = earliest(*(leg.answered_first for leg in legs))
        self._last_answer = latest(*(leg.answered_last for leg in legs))
        nobodys = self.facts.legs.get("", LegFacts()).hung_up
        self._covered_to = latest(nobodys, *map(_end, self.facts.records.values()))
        self._talked_to = latest(*(leg.hung_up for leg in legs if leg.has_hung_up and _talks(leg)))

    @property
    def is_live(self) -> bool:
        """Whether any leg goes on."""
        return not all(map(self._is_over, self.facts.legs.values()))

    @property
    def state(self) -> CallState:
        """Where the call is."""
        answered = self.first_answer is not None or any(map(_tells_of_an_answer, self.facts.records.values()))
        if self.is_live:
            return CallState.ANSWERED if answered else CallState.RINGING
        return CallState.ENDED if answered else CallState.MISSED

    def legs(self) -> tuple[Leg, ...]:
        """The legs, the earliest first."""
        named = sorted(self.facts.legs.items(), key=lambda item: (_first(item[1]), item[0]))
        return tuple(self._leg(leg) for _, leg in named)

    def _leg(self, leg: LegFacts) -> Leg:
        is_caller = leg.started and not leg.incoming
        answered_at = leg.answered_first or (self.first_answer if is_caller else None)
        over = self._is_over(leg)
        states = (CallState.MISSED, CallState.ENDED) if over else (CallState.RINGING, CallState.ANSWERED)
        return Leg(
            extension=leg.extension,
            sip_username=leg.sip_username,
            email=leg.email,
            is_caller=is_caller,
            state=states[answered_at is not None],
            rang_at=leg.rang_first,
            answered_at=answered_at,
            ended_at=leg.hung_up,
        )

    def _is_over(self, leg: LegFacts) -> bool:
        return leg.has_hung_up or self._is_covered(leg) or self._is_outrun(leg)

    def _is_covered(self, leg: LegFacts) -> bool:
        began = leg.began
        if began is None or _reaches(self._covered_to, began):
            return True
        return _reaches(self._talked_to, began) and not self._is_target(leg)

    def _is_outrun(self, leg: LegFacts) -> bool:
        if _talks(leg) or leg.rang_last is None:
            return False
        return _reaches(self._last_answer, leg.rang_last)

    def _is_target(self, leg: LegFacts) -> bool:
        rang = leg.rang_first
        return rang is not None and self.first_answer is not None and rang > self.first_answer


def _reaches(end: datetime | None, moment: datetime) -> bool:
    return end is not None and moment <= end


def _talks(leg: LegFacts) -> bool:
    """Who calls talks as soon as anybody answers."""
    return leg.started or leg.answered_first is not None


def _first(leg: LegFacts) -> datetime:
    moment = earliest(leg.rang_first, leg.answered_first, leg.hung_up)
    assert moment is not None, "a leg has events"  # noqa: S101 - narrows: each of the four phases sets one of them
    return moment


def _end(record: Record) -> datetime:
    """No later than this had the record's part of the call ended, whichever of its ends its time is (anomaly P20)."""
    if record.timestamp is None:
        return _ENDLESS
    try:
        return record.timestamp + timedelta(seconds=record.duration or 0.0) + _SLACK
    except OverflowError:  # whoever posts may write any number
        return _ENDLESS


def _tells_of_an_answer(record: Record) -> bool:
    if isinstance(record, ClickToCallCall):
        # The text does not say whether the ringing is part of its duration (anomaly P12).
        return bool(record.duration) and record.duration != record.ring_time
    if record.last_event in _UNANSWERED:
        return False
    return record.last_event in _ANSWERED or bool(record.answerer_number or record.answerer_name)


def _direction(record: Record | None, words: CallEvent | None) -> Direction | None:
    if record is not None and record.direction is not None:
        return record.direction
    if words is None:
        return None
    within = [_is_inside(words.originator_number), _is_inside(words.destination_number)]
    if all(within):
        return Direction.INTERNAL
    if words.type == CallPhase.STARTED or within[0]:
        return Direction.OUTBOUND
    return Direction.INBOUND if words.type == CallPhase.INCOMING else None


def _is_inside(number: str | None) -> bool:
    return number is not None and PhoneNumber.parse(number).kind == PhoneKind.EXTENSION


def _ring_time(records: tuple[Record, ...], began: datetime | None, stopped: datetime | None) -> float | None:
    told = [record.ring_time for record in records if record.ring_time is not None]
    return told[0] if told else _seconds(began, stopped)


def _talk_time(
    records: tuple[Record, ...], state: CallState, answered: datetime | None, ended: datetime | None
) -> float | None:
    if state is not CallState.ENDED:
        return None
    # Whether the records of a transferred call each tell the whole or a part is not said.
    told = [record.talk_time for record in records if isinstance(record, PhoneCall)]
    return told[0] if len(told) == 1 and told[0] is not None else _seconds(answered, ended)


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else (end - start).total_seconds()
