"""What does not fit is a DecodeError that names its place and shows no value."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from tests.protocol.samples import fault
from voxloud_async.errors import DecodeError
from voxloud_async.models import (
    Account,
    ClickToCall,
    Contact,
    Fax,
    OutboundCli,
    PhoneCall,
    TelephonyEvent,
    UnknownEvent,
    User,
    WebhookSubscription,
)
from voxloud_async.protocol import jsontext
from voxloud_async.protocol.codec import decode, structure, unstructure
from voxloud_async.protocol.page import Matches, Page

pytestmark = pytest.mark.usefixtures("backend")

CALL = {"id": 1, "type": "PHONE_CALL"}
NO_NUMBER = "expected a number, got a string"
NO_STRING = "expected a string, got a number"
USER = {"id": "u", "first_name": "Ada", "last_name": "Conti"}


@pytest.mark.parametrize(
    ("kind", "value", "path", "reason"),
    [
        (TelephonyEvent, CALL | {"duration": "5"}, "duration", NO_NUMBER),
        (TelephonyEvent, CALL | {"duration": True}, "duration", "expected a number, got a boolean"),
        (TelephonyEvent, CALL | {"id": "8395"}, "id", NO_NUMBER),
        (TelephonyEvent, CALL | {"id": False}, "id", "expected a number, got a boolean"),
        (TelephonyEvent, CALL | {"id": 5.5}, "id", "expected a whole number"),
        (TelephonyEvent, CALL | {"callId": 5}, "callId", NO_STRING),
        (TelephonyEvent, CALL | {"recorded": 0}, "recorded", "expected a boolean, got a number"),
        (TelephonyEvent, CALL | {"recorded": "true"}, "recorded", "expected a boolean, got a string"),
        (TelephonyEvent, CALL | {"labels": "vip"}, "labels", "expected a list, got a string"),
        (TelephonyEvent, CALL | {"labels": {}}, "labels", "expected a list, got an object"),
        (TelephonyEvent, CALL | {"labels": ["a", None]}, "labels[1]", "expected a string, got null"),
        (TelephonyEvent, CALL | {"direction": 1}, "direction", NO_STRING),
        (TelephonyEvent, CALL | {"timestamp": "2018-05-15T15:47:03"}, "timestamp", "a time without a zone"),
        (TelephonyEvent, CALL | {"timestamp": "yesterday"}, "timestamp", "not a time in ISO 8601"),
        (TelephonyEvent, CALL | {"timestamp": 10**18}, "timestamp", "a time out of range"),
        (TelephonyEvent, CALL | {"timestamp": -(10**300)}, "timestamp", "a time out of range"),
        (TelephonyEvent, CALL | {"timestamp": "9" * 20}, "timestamp", "a time out of range"),
        (TelephonyEvent, CALL | {"timestamp": "9" * 5000}, "timestamp", "not a time in ISO 8601"),
        (TelephonyEvent, CALL | {"timestamp": True}, "timestamp", "expected a time, got a boolean"),
        (TelephonyEvent, CALL | {"timestamp": [1]}, "timestamp", "expected a time, got a list"),
        (TelephonyEvent, [], "", "expected an object, got a list"),
        (TelephonyEvent, None, "", "expected an object, got null"),
        (Contact, "x", "", "expected an object, got a string"),
        (Contact, {"id": 5}, "id", NO_STRING),
        (Contact, {}, "id", "missing"),
        (Account, {"name": "Rossi"}, "email", "missing"),
        (User, USER | {"extension_number": 1.5}, "extension_number", "expected an extension, got a number"),
        (User, USER | {"extension_number": True}, "extension_number", "expected an extension, got a boolean"),
        (User, USER | {"outbound_cli": []}, "outbound_cli", "expected an object, got a list"),
        (Page[Contact], {"data": [{"id": "1", "phones": ["+39", 7]}]}, "data[0].phones[1]", NO_STRING),
        (Page[Contact], {"data": []} | {"has_next": "no"}, "has_next", "expected a boolean, got a string"),
        (Page[Contact], {"has_next": False}, "data", "missing"),
        (Page[Contact], {"data": None}, "data", "expected a list, got null"),
        (Page[Contact], {}, "data", "missing"),
        (Page[Contact], "rows", "", "expected a list, got a string"),
        (Page[Contact], [{"id": "1"}, 5], "[1]", "expected an object, got a number"),
        (
            Page[TelephonyEvent],
            {"content": [CALL, CALL, CALL, CALL | {"duration": "5"}]},
            "content[3].duration",
            NO_NUMBER,
        ),
        (Page[TelephonyEvent], {"content": [], "totalElements": "8"}, "totalElements", NO_NUMBER),
        (Page[TelephonyEvent], {"content": [], "last": 1}, "last", "expected a boolean, got a number"),
        (Page[TelephonyEvent], {"totalElements": 8}, "content", "missing"),
        (
            Page[User],
            [USER, USER, USER | {"outbound_cli": {"available_dids": [{"number": 39}]}}],
            "[2].outbound_cli.available_dids[0].number",
            NO_STRING,
        ),
        (
            Page[User],
            [USER | {"outbound_cli": {"outbound_did": {}}}],
            "[0].outbound_cli.outbound_did.number",
            "missing",
        ),
        (Matches[TelephonyEvent], [CALL, CALL | {"id": "x"}], "[1].id", NO_NUMBER),
        (Matches[TelephonyEvent], {"content": [CALL | {"id": "x"}]}, "content[0].id", NO_NUMBER),
        (Matches[TelephonyEvent], CALL | {"id": "x"}, "id", NO_NUMBER),
        (TelephonyEvent, {"type": "PHONE_CALL", "data": {"duration": "x"}}, "data.duration", NO_NUMBER),
        (Matches[TelephonyEvent], "x", "", "expected an object, got a string"),
        (WebhookSubscription, {"id": "1", "type": 5}, "event_type", NO_STRING),
        (ClickToCall, {"id": "1", "extension": []}, "extension", "expected an extension, got a list"),
        (list[int], [1, "2"], "[1]", NO_NUMBER),
    ],
)
def test_a_fault_has_its_place_and_its_reason(kind: Any, value: Any, path: str, reason: str) -> None:
    error = fault(json.dumps(value), kind)
    assert (error.path, error.reason) == (path, reason)
    assert str(error) == (f"{path}: {reason}" if path else reason)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "the body is empty"),
        (b" \r\n", "the body is empty"),
        (b"<!DOCTYPE html><title>Sign in</title>", "the body is HTML, not JSON"),
        (b"\n<HTML>", "the body is HTML, not JSON"),
        (b'<?xml version="1.0"?>', "the body is HTML, not JSON"),
        (b"{", "the body is no JSON"),
        (b'{"id": NaN}', "the body is no JSON"),
        (b'{"id": -Infinity}', "the body is no JSON"),
        (b'{"id": 1e999}', "the body is no JSON"),
        (b'{"id": ' + b"9" * 5000 + b"}", "the body is no JSON"),
        (b"[" * 200_000, "the body is no JSON"),
        (b"[" * 200_000 + b"]" * 200_000, "the body is no JSON"),
        (b'{"id": "\xff"}', "the body is no JSON"),
        ('{"id": "perché"}'.encode("latin-1"), "the body is no JSON"),
        (b'{"id": "\xed\xa0\x80"}', "the body is no JSON"),
        ('{"id": "1"}'.encode("utf-16"), "the body is no JSON"),
        (b"gzip\x1f\x8b", "the body is no JSON"),
        (bytes(2_000_000), "the body is no JSON"),
        (b" " * 2_000_000, "the body is empty"),
        (b"\xef\xbb\xbf" + b" " * 300 + b"]", "the body is no JSON"),
        (b"null", "expected an object, got null"),
        (b"[]", "expected an object, got a list"),
        (b'"OK"', "expected an object, got a string"),
        (b"3.5", "expected an object, got a number"),
    ],
    ids=lambda value: value[:24] if isinstance(value, bytes) else None,
)
def test_a_body_that_is_no_object(body: bytes, reason: str) -> None:
    error = fault(body, Contact)
    assert (error.reason, error.path, error.body) == (reason, "", body)


def test_a_mark_before_the_json_is_no_fault() -> None:
    assert decode(b'\xef\xbb\xbf{"id": "1"}', Contact).id == "1"


def test_no_value_of_a_body_shows_in_its_error() -> None:
    secret = "Rossi-4711"
    for kind, value in (
        (TelephonyEvent, CALL | {"duration": secret}),
        (TelephonyEvent, CALL | {"timestamp": secret}),
        (TelephonyEvent, CALL | {"timestamp": f"2018-05-15T15:47:03{secret}"}),
        (TelephonyEvent, CALL | {"labels": {secret: secret}}),
        (Page[Contact], {"data": secret}),
        (Page[Contact], {secret: []}),
        (User, USER | {"outbound_cli": {"available_dids": [{"number": [secret]}]}}),
    ):
        error = fault(json.dumps(value), kind)
        assert secret not in f"{error!s} {error!r} {error.path} {error.args}"
        assert error.__context__ is None
    broken = fault(f'{{"id": "{secret}"', Contact)
    assert secret not in f"{broken!s} {broken!r}"
    assert broken.body is not None


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_fits_no_whole_number_and_no_time(value: float) -> None:
    for name in ("id", "timestamp"):
        with pytest.raises(DecodeError) as caught:
            structure(CALL | {name: value}, TelephonyEvent)
        assert caught.value.path == name


def test_whole_numbers_may_be_written_with_a_point() -> None:
    event = decode(b'{"id": 5.0, "type": "PHONE_CALL", "duration": 1.5}', TelephonyEvent)
    assert (event.id, type(event.id), event.duration) == (5, int, 1.5)


ROME_IN_WINTER = timezone(timedelta(hours=1))
QUARTER_TO_FIVE = datetime(2018, 5, 15, 15, 47, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("spelled", "meant"),
    [
        ("2018-05-15T15:47:03.000+0000", QUARTER_TO_FIVE),
        ("2018-05-15T15:47:03Z", QUARTER_TO_FIVE),
        ("2018-05-15T16:47:03+01:00", QUARTER_TO_FIVE),
        (1526399223000, QUARTER_TO_FIVE),
        (1526399223000.0, QUARTER_TO_FIVE),
        ("1526399223000", QUARTER_TO_FIVE),
        ("-1000", datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        ("2018-05-15T15:47:03.123456Z", QUARTER_TO_FIVE.replace(microsecond=123456)),
    ],
)
def test_p5_every_spelling_of_a_time_is_read(spelled: str | float, meant: datetime) -> None:
    event = structure(CALL | {"timestamp": spelled}, TelephonyEvent)
    assert event.timestamp == meant
    assert structure(unstructure(event), TelephonyEvent).timestamp == meant


def test_c18_times_are_aware_and_compare_across_offsets() -> None:
    contact = structure(
        {"id": "1", "created_at": "2022-12-27T14:42:37+01:00", "updated_at": "2022-12-27T13:42:37Z"}, Contact
    )
    assert contact.created_at == contact.updated_at
    assert contact.created_at.utcoffset() == timedelta(hours=1)
    assert unstructure(contact)["created_at"] == "2022-12-27T14:42:37.000+01:00"


def test_g17_null_and_absent_are_both_none_and_remembered() -> None:
    null = structure({"id": "1", "last_name": None}, Contact)
    absent = structure({"id": "1"}, Contact)
    assert null == absent
    assert null.last_name is absent.last_name is None
    assert (null.nulls, absent.nulls) == ({"last_name"}, frozenset())
    assert unstructure(null) == {"id": "1", "last_name": None}
    assert unstructure(absent) == {"id": "1"}


def test_p10_unknown_fields_are_kept_and_written_back() -> None:
    row = CALL | {"revision": {"number": [1, None]}, "class": None}
    event = structure(row, TelephonyEvent)
    assert event.extra == {"revision": {"number": [1, None]}, "class": None}
    assert unstructure(event) == row
    assert repr(event).endswith("extra=Extra(class, revision))")


def test_p14_directions_are_read_whatever_their_case() -> None:
    call = structure(CALL | {"direction": "inbound"}, TelephonyEvent)
    fax = structure({"id": 1, "sender": "39", "direction": "outbound"}, TelephonyEvent)
    assert call.direction.is_known
    assert (call.direction, fax.direction) == ("INBOUND", "OUTBOUND")
    assert (unstructure(call)["direction"], unstructure(fax)["direction"]) == ("INBOUND", "outbound")


def test_a_direction_nobody_knows_is_kept_as_it_is() -> None:
    fax = structure({"id": 1, "sender": "39", "direction": "SideWays"}, Fax)
    assert fax.direction == "SideWays"
    assert not fax.direction.is_known
    assert unstructure(fax) == {"id": 1, "sender": "39", "direction": "SideWays"}
    assert unstructure(structure({"id": 1}, Fax)) == {"id": 1}


@pytest.mark.parametrize("kind", ["VIDEO_CALL", "phone_call", "", None, 5, ["PHONE_CALL"], {}])
def test_an_unknown_tag_is_an_unknown_event_that_keeps_everything(kind: Any) -> None:
    row = {"id": 7, "type": kind, "callId": 5, "timestamp": "soon", "duration": None, "sender": [], "labels": ["a"]}
    if kind is None:
        del row["sender"]  # it would make it a fax
    event = structure(row, TelephonyEvent)
    assert isinstance(event, UnknownEvent)
    assert event.id == 7
    assert (event.call_id, event.timestamp, event.duration) == (None, None, None)
    assert unstructure(event) == row


def test_an_unknown_event_reads_what_fits() -> None:
    row = {"id": "x", "type": "SMS", "timestamp": 1000, "direction": "inbound", "originatorNumber": "1", "text": "hi"}
    event = structure(row, TelephonyEvent)
    assert (event.id, event.type, event.direction, event.originator_number) == (None, "SMS", "INBOUND", "1")
    assert event.extra == {"id": "x", "text": "hi"}


def test_a_field_named_data_does_not_make_a_row_an_envelope() -> None:
    event = structure(CALL | {"data": {"id": 2, "type": "FAX_CALL"}}, TelephonyEvent)
    assert isinstance(event, PhoneCall)
    assert event.extra == {"data": {"id": 2, "type": "FAX_CALL"}}


def test_p3_a_field_of_faxes_makes_no_fax_of_a_call() -> None:
    assert isinstance(structure(CALL | {"sender": "x"}, TelephonyEvent), PhoneCall)
    assert isinstance(structure({"id": 1, "type": "SMS", "recipient": "x"}, TelephonyEvent), UnknownEvent)
    assert isinstance(structure({"id": 1, "type": "FAX_CALL", "recipient": "x"}, TelephonyEvent), Fax)


def test_an_empty_object_in_an_object_is_read() -> None:
    assert structure({}, OutboundCli) == OutboundCli()


def test_json_is_written_compactly_and_strictly() -> None:
    assert jsontext.dumps({"name": "perché", "n": [1, None]}) == '{"name":"perché","n":[1,null]}'.encode()
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    for value in (math.nan, math.inf, nested, "\ud800"):
        with pytest.raises(ValueError, match=r".+"):
            jsontext.dumps(value)
    with pytest.raises(TypeError):
        jsontext.dumps({1, 2})
    while nested:  # freeing it at once would nest as deeply
        nested = nested.pop()
