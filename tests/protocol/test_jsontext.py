"""Reading JSON with orjson and with the standard library is the same."""

from __future__ import annotations

import json
import sys
from typing import Any

import orjson
import pytest
from hypothesis import given, settings, strategies as st

from voxloud_async.errors import DecodeError
from voxloud_async.models import PhoneCall, TelephonyEvent, UnknownEvent, User
from voxloud_async.protocol import jsontext
from voxloud_async.protocol.codec import decode
from voxloud_async.protocol.page import Page

BEYOND = 2**63 + 1
"""A whole number that no float holds; as such it is read where orjson makes floats of what has more than 64 bits."""

TEXTS = [
    *(b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"1e-999", b"1.7976931348623159e308", b"-0", b"-0.0"),
    *(b"9" * 20, b"9" * 300, b"9" * 310, b"9" * 4000, b"9" * 5000, b"-9223372036854775809", b"18446744073709551616"),
    *(
        b'"\\ud800"',
        b'"\\udc00\\ud800"',
        b'"\\ud83d\\ude00"',
        b'{"\\ud800": 1}',
        b'"\xed\xa0\x80"',
        b'"\xff"',
        b'"\\x"',
    ),
    *(b"\xef\xbb\xbf1", b"\xef\xbb\xbf\xef\xbb\xbf1", '{"a": 1}'.encode("utf-16"), '{"a": 1}'.encode("utf-32")),
    *(b'{"a": 1, "a": 2}', b'{"a": 1, "b": 0, "a": 2}', b"", b" ", b"\x00", b'"\x00"', b'"\t"', b"[1,]", b'{"a":1,}'),
    *(
        b"01",
        b"1.",
        b".5",
        b"+1",
        b"1_0",
        b"1e5",
        b"1E+2",
        b"tru",
        b"True",
        b"nul",
        b"[1] 2",
        b"'a'",
        b"/**/1",
        b"\x0b1",
    ),
    *(b"[" * 500 + b"]" * 500, b"[" * 2000 + b"]" * 2000, b"[" * 200_000, b'{"a":' * 5000 + b"1" + b"}" * 5000),
]


def outcome(text: bytes) -> Any:
    """What came of it, told apart as closely as JSON does: by type, and minus zero from zero."""
    try:
        return repr(decode(text, Any))
    except DecodeError as error:
        return error.reason


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: repr(text[:24]))
def test_both_read_the_same(text: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    with_orjson = outcome(text)
    monkeypatch.setattr(jsontext, "quick_loads", jsontext.loads)
    assert with_orjson == outcome(text)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
        max_leaves=6,
    )
)
@settings(max_examples=150, deadline=None)
def test_both_read_the_same_of_any_value(value: Any) -> None:
    text = json.dumps(value).encode(errors="replace")
    try:
        expected = repr(jsontext.loads(text))
    except ValueError:
        expected = "the body is no JSON"
    assert outcome(text) == expected


def test_without_orjson_the_standard_library_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    assert jsontext.backend() is orjson.loads
    monkeypatch.setitem(sys.modules, "orjson", None)
    assert jsontext.backend() is jsontext.loads


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("place", [lambda n: n, lambda n: [n], lambda n: {"deep": [0, {"er": n}]}])
def test_no_digit_of_an_unknown_field_is_lost(place: Any) -> None:
    extra = place(BEYOND)
    row = {"id": 1, "type": "PHONE_CALL", "new": extra}
    for kind in (PhoneCall, TelephonyEvent):
        assert decode(json.dumps(row).encode(), kind).extra == {"new": extra}
    page = decode(json.dumps({"content": [row, row | {"type": "SMS"}]}).encode(), Page[TelephonyEvent])
    assert [event.extra["new"] for event in page.items] == [extra, extra]


@pytest.mark.usefixtures("backend")
def test_no_digit_of_a_number_is_lost() -> None:
    event = decode(json.dumps({"id": BEYOND, "type": "PHONE_CALL", "duration": BEYOND}).encode(), TelephonyEvent)
    assert (event.id, event.duration) == (BEYOND, BEYOND)
    unknown = decode(json.dumps({"id": BEYOND, "type": "SMS"}).encode(), TelephonyEvent)
    assert (type(unknown), unknown.id) == (UnknownEvent, BEYOND)
    page = decode(json.dumps({"content": [], "totalElements": BEYOND}).encode(), Page[User])
    assert page.total == BEYOND


@pytest.mark.usefixtures("backend")
def test_a_large_number_with_a_point_stays_what_it_is() -> None:
    event = decode(b'{"id": 1, "type": "PHONE_CALL", "duration": 1e30, "new": 1e30}', TelephonyEvent)
    assert (event.duration, event.extra["new"]) == (1e30, 1e30)
