"""Equal values hash alike, or cannot be hashed: whatever class a user may put into a set or a dict."""

from __future__ import annotations

import attrs
import pytest

from voxloud_async import models
from voxloud_async.models import DialFirst, Direction, EventType, Extra, OpenEnum, PhoneKind, PhoneNumber
from voxloud_async.wire.message import Headers, PrivateBytes, SecretText

ENUMS = [one for one in vars(models).values() if isinstance(one, type) and issubclass(one, OpenEnum) and len(one)]

EQUAL = {
    "known word": (Direction.INBOUND, "INBOUND"),
    "known word in another case": (Direction("inbound"), Direction.INBOUND),
    "unknown word": (Direction("SIDEWAYS"), "SIDEWAYS"),
    "two unknown words": (EventType("NEW"), EventType("NEW")),
    "word in lower case": (DialFirst("CONTACT"), "contact"),
    "kind of a number": (PhoneKind.E164, "e164"),
    "number": (PhoneNumber.parse("+390312345678"), PhoneNumber.parse("+390312345678")),
    "secret": (SecretText("key"), "key"),
    "bytes": (PrivateBytes(b"body"), b"body"),
}


@pytest.mark.parametrize(("one", "other"), EQUAL.values(), ids=EQUAL)
def test_equal_values_hash_alike(one: object, other: object) -> None:
    assert one == other
    assert other == one
    assert hash(one) == hash(other)


@pytest.mark.parametrize("kind", ENUMS, ids=lambda kind: kind.__name__)
def test_every_word_of_an_open_enum_hashes_as_its_text(kind: type[OpenEnum]) -> None:
    assert all(hash(member) == hash(member.value) for member in kind)
    assert kind("never seen") != kind("NEVER SEEN")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Extra({"a": 1}), {"a": 1}),
        (Headers([("A", "1")]), Headers([("a", "1")])),
    ],
)
def test_what_equals_a_dict_cannot_be_hashed(one: object, other: object) -> None:
    assert one == other
    with pytest.raises(TypeError, match="unhashable"):
        hash(one)


def test_objects_that_differ_in_unknown_fields_alone_differ_and_can_be_hashed() -> None:
    one, other = (models.Contact(id="7", extra=Extra({"new": value})) for value in ([1], [2]))
    assert one != other
    assert {one, other} == {attrs.evolve(one), other}
