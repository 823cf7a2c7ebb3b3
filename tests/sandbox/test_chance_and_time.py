from __future__ import annotations

from datetime import UTC, datetime

import pytest

from voxloud_async.sandbox.dice import Dice
from voxloud_async.sandbox.times import basic_time, milliseconds, read_iso, rome_time, spelled


def test_dice_fall_the_same_for_the_same_words() -> None:
    one, same, other = Dice(1, "a"), Dice(1, "a"), Dice(1, "b")
    throws = [one.below(6) for _ in range(1000)]
    assert throws == [same.below(6) for _ in range(1000)] != [other.below(6) for _ in range(1000)]
    assert all(130 < throws.count(face) < 210 for face in range(6))


def test_the_throws_never_change() -> None:
    dice = Dice(7, "fixed")
    assert [dice.below(100) for _ in range(5)] == [55, 12, 85, 63, 66]
    assert dice.uuid() == "dba66ef0-6e78-d318-4be4-c141a38ce320"


def test_what_dice_give() -> None:
    dice = Dice("all")
    assert {dice.between(3, 5) for _ in range(100)} == {3, 4, 5}
    assert {dice.chance(50) for _ in range(100)} == {True, False}
    assert not any(dice.chance(0) for _ in range(100))
    assert all(dice.chance(100) for _ in range(100))
    assert {dice.choose("abc") for _ in range(100)} == {"a", "b", "c"}
    assert {len(dice.digits(4)) for _ in range(100)} == {4}
    assert [len(dice.hex(count)) for count in (1, 8, 33)] == [1, 8, 33]
    assert [len(part) for part in dice.uuid().split("-")] == [8, 4, 4, 4, 12]


@pytest.mark.parametrize(
    ("utc", "rome"),
    [
        ("2022-12-27T13:42:37+00:00", "2022-12-27T14:42:37+01:00"),
        ("2026-03-29T00:59:59+00:00", "2026-03-29T01:59:59+01:00"),
        ("2026-03-29T01:00:00+00:00", "2026-03-29T03:00:00+02:00"),
        ("2026-10-25T00:59:59+00:00", "2026-10-25T02:59:59+02:00"),
        ("2026-10-25T01:00:00+00:00", "2026-10-25T02:00:00+01:00"),
        ("2024-03-31T01:00:00+00:00", "2024-03-31T03:00:00+02:00"),
    ],
)
def test_c18_the_time_in_rome(utc: str, rome: str) -> None:
    assert rome_time(milliseconds(datetime.fromisoformat(utc))) == rome


def test_p5_the_spellings() -> None:
    ms = milliseconds(datetime(2018, 5, 15, 15, 47, 3, 45_000, tzinfo=UTC))
    assert basic_time(ms) == spelled(ms, "iso_basic") == "2018-05-15T15:47:03.045+0000"
    assert spelled(ms, "iso_rome") == "2018-05-15T17:47:03+02:00"
    assert spelled(ms, "epoch_ms") == ms


@pytest.mark.parametrize(
    "text",
    [
        "2018-03-11T07:00:00.000Z",
        "2018-03-11T07:00:00z",
        "2018-03-11t07:00Z",
        "2018-03-11T08:00:00.000+01:00",
        "2018-03-11T08:00:00.000000+0100",
        "2018-03-11T02:00:00-05:00",
    ],
)
def test_iso_with_a_timezone_is_read(text: str) -> None:
    assert read_iso(text) == 1520751600000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2018-03-11",
        "2018-03-11T07:00:00",
        "2018-03-11 07:00:00Z",
        "20180311T070000Z",
        "2018-02-30T07:00:00Z",
        "1520751600000",
    ],
)
def test_anything_else_is_not(text: str) -> None:
    assert read_iso(text) is None
