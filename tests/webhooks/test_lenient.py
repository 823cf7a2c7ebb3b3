"""A delivery is read as far as it can be: one field of the wrong type costs that field alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.webhooks.deliveries import NOON, PBX, call_event, enveloped, packed, record, sample
from voxloud_async.models import CallEvent, ClickToCallCall, Fax, FaxCall, PhoneCall, UnknownEvent
from voxloud_async.webhooks import parse_webhook

FAX_CALL = {"id": 4, "type": "FAX_CALL", "callId": "f", "timestamp": "2018-05-15T15:47:03.000+0000", "duration": 30}
ROWS: dict[str, tuple[type, str, dict[str, Any]]] = {
    "event": (CallEvent, "CALL_INCOMING", json.loads(sample("call_incoming"))),
    "phone call": (PhoneCall, "PHONE_CALL", json.loads(sample("phone_call"))),
    "click-to-call": (ClickToCallCall, "CLICK_TO_CALL", json.loads(sample("click_to_call_record"))),
    "fax": (Fax, "FAX_CALL", json.loads(sample("fax"))),
    "fax call": (FaxCall, "FAX_CALL", FAX_CALL),
}
ODD: tuple[Any, ...] = (
    "text",
    "",
    "8395",
    0,
    1,
    -1.5,
    True,
    None,
    [None],
    [1, "a"],
    {},
    {"a": 1},
    "2018-05-15T15:47:03",
    1e300,
)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "8395"),
        ("duration", "30"),
        ("voicemail", 0),
        ("labels", ["sales", None]),
        ("timestamp", "2026-01-02T14:00:00"),
        ("direction", 5),
        ("accountId", 117),
    ],
)
def test_a_mistyped_field_is_none_and_stays_in_extra(field: str, value: Any) -> None:
    whole, odd = record(), {**record(), field: value}
    for body in (packed(odd), enveloped(odd, "PHONE_CALL")):
        event = parse_webhook(body).data
        assert isinstance(event, PhoneCall)
        assert dict(event.extra) == {field: value}
        assert event.call_id == whole["callId"]
        attribute = {"accountId": "account_id"}.get(field, field)
        assert getattr(event, attribute) is None


def test_a_record_in_the_shape_of_the_table_has_no_id() -> None:
    table = record()
    del table["id"]
    event = parse_webhook(packed(table)).data
    assert isinstance(event, PhoneCall)
    assert (event.id, event.call_id, dict(event.extra)) == (None, "call-1", {})


@pytest.mark.parametrize("pbx_id", ["117", "4c5a1c62-8f4e-4c7e-9a57-3c8a0f6ad6b2", [117], {"id": 1}, 1.5, True])
def test_w2_the_envelope_is_read_as_far_as_it_can_be(pbx_id: Any) -> None:
    webhook = parse_webhook(enveloped(record(), "PHONE_CALL", pbx_id=pbx_id, timestamp="yesterday", more=None))
    assert isinstance(webhook.data, PhoneCall)
    assert (webhook.type, webhook.pbx_id, webhook.timestamp) == ("PHONE_CALL", None, None)
    assert dict(webhook.extra) == {"pbx_id": pbx_id, "timestamp": "yesterday", "more": None}


@pytest.mark.parametrize("kind", [None, 5, [], {"a": 1}])
def test_w2_an_envelope_without_a_type_has_that_of_its_event(kind: Any) -> None:
    webhook = parse_webhook(packed({"type": kind, "data": record()}))
    assert (webhook.type, type(webhook.data)) == ("PHONE_CALL", PhoneCall)
    assert webhook.extra.get("type") == kind


@pytest.mark.parametrize("name", ["phone call", "click-to-call", "fax"])
@pytest.mark.parametrize("kind", [None, 5, ["PHONE_CALL"]])
def test_p3_a_record_without_a_type_is_known_by_its_shape(name: str, kind: Any) -> None:
    model, event_type, row = ROWS[name]
    webhook = parse_webhook(packed({**row, "type": kind}))
    assert (type(webhook.data), webhook.type) == (model, event_type)
    assert webhook.data.extra.get("type") == kind


def test_a_live_event_without_a_time_has_that_of_its_envelope() -> None:
    for odd in (None, "yesterday", [1]):
        event = parse_webhook(enveloped({**call_event(), "timestamp": odd}, timestamp=NOON)).data
        assert isinstance(event, CallEvent)
        assert event.timestamp.timestamp() * 1000 == NOON
        assert event.extra.get("timestamp") == odd
    assert isinstance(parse_webhook(packed({**call_event(), "timestamp": "yesterday"})).data, UnknownEvent)


def test_a_live_event_whose_type_does_not_fit_has_that_of_its_envelope() -> None:
    event = parse_webhook(enveloped({**call_event(), "type": 5}, "CALL_INCOMING")).data
    assert isinstance(event, CallEvent)
    assert (event.type, event.extra["type"]) == ("INCOMING", 5)


def test_a_record_with_a_field_named_data_is_no_envelope() -> None:
    event = parse_webhook(packed({**record(), "data": "more"})).data
    assert isinstance(event, PhoneCall)
    assert event.extra["data"] == "more"


def test_every_documented_shape_survives_any_one_field() -> None:
    for model, event_type, row in ROWS.values():
        for field in (*row, "accountId"):
            for value in (*ODD, ...):
                odd = {name: item for name, item in row.items() if name != field}
                odd |= {} if value is ... else {field: value}
                event = parse_webhook(packed({"type": event_type, "timestamp": NOON, "pbx_id": PBX, "data": odd})).data
                assert isinstance(event, model | UnknownEvent)
                if isinstance(event, UnknownEvent):
                    assert event.misfit or field == "type", (field, value)
                    assert field in {"callId", "type", "timestamp"}, "what a live event cannot be without"
