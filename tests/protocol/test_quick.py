"""The quick way from a text to objects and the detailed way give the same, or both refuse."""

from __future__ import annotations

import inspect
import json
import linecache
import pickle
import sys
import traceback
from typing import Any

import attrs
import pytest
from hypothesis import given, settings, strategies as st

from tests.protocol.samples import INDEX, model, rows
from tests.protocol.test_codec_properties import JSON, KINDS, wire_object
from voxloud_async.errors import DecodeError
from voxloud_async.models import (
    Contact,
    Direction,
    Model,
    OutboundCli,
    PhoneCall,
    TelephonyEvent,
    UnknownEvent,
    User,
    WebhookSubscription,
)
from voxloud_async.protocol.codec import codec, converter, decode, structure
from voxloud_async.protocol.codec.compiled import Words
from voxloud_async.protocol.codec.quick import quick_converter
from voxloud_async.protocol.page import Page

CALL = {"id": 1, "type": "PHONE_CALL"}

COMPILED = [kind for kind in KINDS if kind.__name__ != "CallEvent"]


def facts(value: Any) -> Any:
    """All there is to know of an object, down to the types of its values."""
    if isinstance(value, Model):
        members = {field.name: facts(getattr(value, field.name)) for field in attrs.fields(type(value))}
        return type(value), members, hash(value)
    if isinstance(value, tuple | frozenset):
        return type(value), [facts(item) for item in (value if isinstance(value, tuple) else sorted(value))]
    return type(value), value, repr(value)


def outcome(read: Any) -> Any:
    try:
        return facts(read())
    except DecodeError as error:
        return error.path, error.reason


def texts(kind: Any) -> st.SearchStrategy[bytes]:
    """Rows that fit, rows with any value in the place of one, and rows that lack one."""
    fitting, place = wire_object(kind), st.integers(0, 99)
    broken = st.builds(lambda row, at, value: row | {_one(row, at): value}, fitting, place, JSON)
    lacking = st.builds(lambda row, at: {name: row[name] for name in row if name != _one(row, at)}, fitting, place)
    return (fitting | broken | lacking).map(lambda row: json.dumps(row).encode())


def _one(row: dict[str, Any], at: int) -> str:
    return [*row][at % len(row)] if row else "id"


@pytest.mark.parametrize("kind", [*KINDS, TelephonyEvent], ids=lambda kind: getattr(kind, "__name__", "event"))
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_quick_and_detailed_are_the_same(kind: Any, data: st.DataObject) -> None:
    text = data.draw(texts(PhoneCall if kind is TelephonyEvent else kind))
    detailed = outcome(lambda: structure(json.loads(text), kind))
    for _ in range(6):  # from the fifth on by a function of its shape
        assert outcome(lambda: decode(text, kind)) == detailed


@given(st.lists(texts(PhoneCall) | texts(Contact), max_size=3), st.sampled_from([TelephonyEvent, Contact]))
@settings(max_examples=40, deadline=None)
def test_quick_and_detailed_pages_are_the_same(items: list[bytes], kind: Any) -> None:
    text = b'{"content": [' + b",".join(items) + b'], "last": true}'
    quick = outcome(lambda: decode(text, Page[kind]).items)
    assert quick == outcome(lambda: structure(json.loads(text), Page[kind]).items)


@pytest.mark.parametrize("kind", COMPILED, ids=lambda kind: kind.__name__)
@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_what_was_read_quickly_is_like_any_other(kind: Any, data: st.DataObject) -> None:
    made = decode(json.dumps(data.draw(wire_object(kind))).encode(), kind)
    assert type(made) is kind
    assert not hasattr(made, "__dict__")
    again = pickle.loads(pickle.dumps(made))  # noqa: S301 - its own
    assert facts(again) == facts(made)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        made.extra = {}
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        del made.nulls
    assert attrs.evolve(made) == made


@pytest.fixture
def _quick_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(text: bytes, kind: Any) -> Any:
        raise AssertionError((text, kind))

    monkeypatch.setattr(codec, "_decode_in_detail", refuse)


@pytest.mark.usefixtures("_quick_alone")
@pytest.mark.parametrize("entry", [entry for entry in INDEX if entry.get("model")], ids=lambda entry: entry["file"])
def test_every_sample_is_read_quickly(entry: dict[str, Any]) -> None:
    for row in rows(entry):
        for shape in (row, row | {"new": {"deep": [1, 2.5]}}, row | dict.fromkeys(["label", "summary"])):
            text = json.dumps(shape).encode()
            assert facts(decode(text, model(entry["model"]))) == facts(structure(shape, model(entry["model"])))


@pytest.mark.usefixtures("_quick_alone")
def test_what_nobody_documented_is_read_quickly() -> None:
    rows = [
        CALL,
        {"id": 2, "type": "SMS", "text": "hi"},
        {"id": 3, "sender": "39"},
        {"type": "PHONE_CALL", "data": CALL},
    ]
    page = decode(json.dumps({"content": [*rows[:3]]}).encode(), Page[TelephonyEvent])
    assert [type(event).__name__ for event in page.items] == ["PhoneCall", "UnknownEvent", "Fax"]
    assert page.items[1].extra == {"text": "hi"}
    assert isinstance(page.items[1], UnknownEvent)


def test_a_row_of_as_many_fields_as_are_documented_may_have_others() -> None:
    documented = {field.metadata["wire"]: None for field in attrs.fields(Contact) if "wire" in field.metadata}
    row = documented | {"id": "1", "new": 5}
    del row["website"]
    assert len(row) == len(documented)
    contact = decode(json.dumps(row).encode(), Contact)
    assert (contact.website, contact.extra) == (None, {"new": 5})
    assert contact.nulls == row.keys() - {"id", "new"}


def test_an_alias_is_read_unless_the_name_itself_is_there() -> None:
    old = decode(b'{"id": "1", "type": "FAX_CALL"}', WebhookSubscription)
    assert (old.event_type, old.extra) == ("FAX_CALL", {})
    both = decode(b'{"id": "1", "type": "FAX_CALL", "event_type": "PHONE_CALL"}', WebhookSubscription)
    assert (both.event_type, both.extra) == ("PHONE_CALL", {"type": "FAX_CALL"})
    null = decode(b'{"id": "1", "type": null}', WebhookSubscription)
    assert (null.event_type, null.nulls) == (None, {"event_type"})


def test_unknown_fields_take_no_more_room_than_they_need() -> None:
    row = {field.metadata["wire"]: None for field in attrs.fields(PhoneCall) if "wire" in field.metadata}
    event = decode(json.dumps(row | CALL | {"new": 1}).encode(), PhoneCall)
    assert sys.getsizeof(event.extra._fields) == sys.getsizeof({"new": 1})


def test_unknown_words_of_an_enum_are_kept_up_to_a_bound() -> None:
    words = Words(Direction)
    for number in range(2000):
        assert words[f"WAY{number}"] == f"WAY{number}"
    assert words["x" * 100_000] == "x" * 100_000
    assert words["inbound"] is Direction.INBOUND
    assert len(words) == 256
    assert all(len(word) <= 64 for word in words)


def shape_functions(kind: Any) -> Any:
    """A hook, and the functions that it has made for shapes."""
    hook = quick_converter(converter()).get_structure_hook(kind)
    return hook, inspect.getclosurevars(hook).nonlocals["functions"]


def test_shapes_that_come_back_get_a_function_up_to_a_bound() -> None:
    hook, functions = shape_functions(Contact)
    for sighting in range(1, 6):
        assert hook({"id": "1"}, None) == Contact(id="1")
        assert len(functions) == (sighting >= 4)
    for number in range(300):
        for _ in range(5):
            assert hook({"id": "1", f"new{number}": number}, None).extra == {f"new{number}": number}
    assert len(functions) == 64


def test_a_shape_of_another_time_or_of_many_fields_gets_none() -> None:
    hook, functions = shape_functions(Contact)
    for number in range(300):
        hook({"id": "1", f"new{number}": number}, None)
    wide = {"id": "1"} | {f"new{number}": number for number in range(100)}
    for _ in range(9):
        hook(dict(wide), None)
        with pytest.raises(KeyError):
            hook({"first_name": "Ada"}, None)
    assert functions == {}


@pytest.mark.parametrize("row", [[], "", ["outbound_did"], "ab", ["a", "b"], 5, None, [{}]])
def test_what_looks_like_a_shape_is_none(row: Any) -> None:
    for shape in ({}, {"outbound_did": None}, {"a": 1, "b": 2}):
        for _ in range(6):
            decode(json.dumps(shape).encode(), OutboundCli)
    with pytest.raises(DecodeError, match="expected an object"):
        decode(json.dumps(row).encode(), OutboundCli)


def test_a_traceback_shows_the_line_that_was_written() -> None:
    hook = quick_converter(converter()).get_structure_hook(User)
    with pytest.raises(TypeError) as caught:
        hook({"id": 5}, None)
    frame = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert (frame.filename, frame.line) == ("<structure User>", "raise TypeError")
    assert linecache.getline("<structure User>", 1) == "def read(row):\n"
