from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from voxloud_async.models import DialFirst, Direction, EventType, LastEvent, OpenEnum

if TYPE_CHECKING:
    from collections.abc import Callable

UNKNOWN = "CALL_DREAMT"


def test_a_known_value_is_its_member() -> None:
    assert EventType("PHONE_CALL") is EventType.PHONE_CALL
    assert EventType.PHONE_CALL == "PHONE_CALL"
    assert EventType.PHONE_CALL.is_known


@pytest.mark.parametrize(
    ("enum", "spelling", "member"),
    [
        (Direction, "outbound", Direction.OUTBOUND),
        (Direction, "Inbound", Direction.INBOUND),
        (DialFirst, "CONTACT", DialFirst.CONTACT),
    ],
)
def test_p14_a_known_value_is_found_whatever_its_case(enum: type[OpenEnum], spelling: str, member: OpenEnum) -> None:
    assert enum(spelling) is member


def test_p13_an_unknown_value_survives_as_itself() -> None:
    event = LastEvent(UNKNOWN)
    assert event == UNKNOWN
    assert str(event) == UNKNOWN
    assert event.value == UNKNOWN
    assert hash(event) == hash(UNKNOWN)
    assert isinstance(event, LastEvent)
    assert not event.is_known


def test_an_unknown_value_is_kept_nowhere() -> None:
    before = dict(LastEvent._value2member_map_)
    assert LastEvent(UNKNOWN) is not LastEvent(UNKNOWN)
    assert before == LastEvent._value2member_map_
    assert UNKNOWN not in LastEvent.__members__


@pytest.mark.parametrize("event", [LastEvent.CALL_ANSWERED, LastEvent(UNKNOWN)])
def test_it_copies_and_pickles(event: LastEvent, pickled: Callable[..., Any]) -> None:
    for twin in (copy.copy(event), copy.deepcopy(event), *(pickled(event, n) for n in range(6))):
        assert twin == event
        assert type(twin) is LastEvent


def test_a_known_value_stays_one_object_when_pickled(pickled: Callable[..., Any]) -> None:
    assert pickled(LastEvent.CALL_ANSWERED) is LastEvent.CALL_ANSWERED


@pytest.mark.parametrize("value", [7, None, b"PHONE_CALL"])
def test_only_strings_are_values(value: object) -> None:
    with pytest.raises(ValueError, match="not a valid"):
        EventType(value)  # type: ignore[arg-type]
