"""The envelopes of lists, of look-ups and of deliveries."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.protocol.samples import fault, sample
from voxloud_async.errors import WebhookError
from voxloud_async.models import (
    CallEvent,
    ClickToCallCall,
    Contact,
    Fax,
    FaxCall,
    PhoneCall,
    TelephonyEvent,
    UnknownEvent,
    Webhook,
)
from voxloud_async.protocol.codec import structure, unstructure
from voxloud_async.protocol.page import Matches, Page
from voxloud_async.webhooks import parse_webhook

pytestmark = pytest.mark.usefixtures("backend")

CALL = {"id": 1, "type": "PHONE_CALL"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([{"id": "1"}], {}),  # a bare array says nothing of what follows
        ([], {}),
        ({"data": [{"id": "1"}], "has_next": True}, {"has_next": True}),
        ({"data": [{"id": "1"}]}, {"has_next": None}),
        ({"data": [{"id": "1"}], "has_next": None}, {"has_next": None}),
        ({"content": [{"id": "1"}], "last": False, "totalElements": 9}, {"has_next": True, "total": 9}),
        ({"content": [{"id": "1"}], "number": 2, "size": 1}, {"has_next": None, "number": 2, "size": 1}),
        ({"content": [], "last": True, "totalElements": 0}, {"has_next": False, "total": 0}),
    ],
)
def test_g13_all_three_list_envelopes_are_read(value: Any, expected: dict[str, Any]) -> None:
    page = structure(value, Page[Contact])
    rows = value if isinstance(value, list) else value.get("data", value.get("content"))
    assert [contact.id for contact in page.items] == [row["id"] for row in rows]
    facts = {"has_next": page.has_next, "total": page.total, "number": page.number, "size": page.size}
    assert facts == {"has_next": None, "total": None, "number": None, "size": None} | expected


ENVELOPED = {"timestamp": 1523369486000, "type": "PHONE_CALL", "pbx_id": 117, "data": CALL}


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        (CALL, [1]),
        (ENVELOPED, [1]),
        ([CALL, CALL | {"id": 2}], [1, 2]),
        ([ENVELOPED], [1]),
        ([], []),
        (None, []),
        ({"content": [CALL], "last": True}, [1]),
        ({"content": [], "totalElements": 0}, []),
        ({"data": [CALL]}, [1]),
    ],
)
def test_t3_a_look_up_is_a_list_whichever_shape_came(value: Any, ids: list[int]) -> None:
    matches = structure(value, Matches[TelephonyEvent])
    assert [event.id for event in matches.items] == ids
    assert repr(matches) == f"Matches(items=<{len(ids)} items>)"


def test_t4_an_envelope_lends_its_type_to_a_row_without_one() -> None:
    row = {name: value for name, value in sample("click_to_call_record").items() if name != "type"}
    event = structure({"type": "CLICK_TO_CALL", "timestamp": 1, "data": row}, TelephonyEvent)
    assert isinstance(event, ClickToCallCall)
    assert event.type == "CLICK_TO_CALL"


@pytest.mark.parametrize(
    ("name", "kind", "event_type"),
    [
        ("call_incoming", CallEvent, "CALL_INCOMING"),
        ("phone_call", PhoneCall, "PHONE_CALL"),
        ("fax", Fax, "FAX_CALL"),
        ("click_to_call_record", ClickToCallCall, "CLICK_TO_CALL"),
    ],
)
def test_p1_enveloped_and_bare_webhooks_are_both_read(name: str, kind: Any, event_type: str) -> None:
    row = sample(name)
    bare = structure(row, Webhook)
    enveloped = structure({"timestamp": row["timestamp"], "type": event_type, "pbx_id": 117, "data": row}, Webhook)
    assert isinstance(bare.data, kind)
    assert enveloped.data == bare.data
    assert enveloped.type == bare.type == event_type
    assert enveloped.timestamp == bare.timestamp == bare.data.timestamp
    assert (enveloped.pbx_id, bare.pbx_id) == (117, None)


@pytest.mark.parametrize("phase", ["INCOMING", "STARTED", "ANSWERED", "HANGUP"])
@pytest.mark.parametrize("prefix", ["", "CALL_"])
def test_p2_both_vocabularies_mean_the_same(phase: str, prefix: str) -> None:
    row = sample("call_incoming") | {"type": prefix + phase}
    for delivery in (row, {"type": f"CALL_{phase}", "data": row}, {"type": phase, "data": row}):
        webhook = structure(delivery, Webhook)
        assert isinstance(webhook.data, CallEvent)
        assert webhook.type == f"CALL_{phase}"
        assert webhook.data.type == phase


def test_p3_a_row_without_a_type_has_that_of_its_envelope() -> None:
    row = {name: value for name, value in sample("call_incoming").items() if name != "type"}
    webhook = structure({"type": "CALL_ANSWERED", "data": row}, Webhook)
    assert isinstance(webhook.data, CallEvent)
    assert webhook.data.type == "ANSWERED"


def test_p3_an_envelope_without_a_type_has_that_of_its_row() -> None:
    assert structure({"data": sample("phone_call")}, Webhook).type == "PHONE_CALL"
    assert structure({"data": sample("fax")}, Webhook).type == "FAX_CALL"
    assert structure({"data": sample("call_incoming")}, Webhook).type == "CALL_INCOMING"


def test_p15_a_fax_call_in_a_webhook_is_a_fax_call() -> None:
    row = sample("telephony_events_found")["content"][0]
    assert isinstance(structure({"type": "FAX_CALL", "data": row}, Webhook).data, FaxCall)


def test_an_envelope_is_written_as_it_came() -> None:
    delivery = sample("webhook_call_started") | {"pbx_id": None, "attempt": 2}
    del delivery["timestamp"]
    webhook = structure(delivery, Webhook)
    written = unstructure(webhook)
    assert webhook.extra == {"attempt": 2}
    assert webhook.nulls == {"pbx_id"}
    assert written.keys() == delivery.keys()
    assert structure(written, Webhook) == webhook


@pytest.mark.parametrize(
    "delivery",
    [
        {"type": "FAX_SENT", "data": {"id": 1, "pages": 2}},
        {"type": "CALL_STARTED", "data": {"callId": 5}},
        {"type": "CALL_STARTED", "data": {"type": ["STARTED"]}},
        {"type": "CALL_STARTED", "data": {}},
        {"type": "CHAT", "id": 5},
    ],
)
def test_a_delivery_that_fits_no_class_is_not_lost(delivery: dict[str, Any]) -> None:
    webhook = structure(delivery, Webhook)
    assert isinstance(webhook.data, UnknownEvent)
    assert webhook.type == delivery["type"]
    row = delivery.get("data", delivery)
    assert {name: value for name, value in unstructure(webhook.data).items() if name in row} == row


@pytest.mark.parametrize(
    ("delivery", "path", "reason"),
    [
        ([], "", "expected an object, got a list"),
        ({}, "type", "missing"),
        ({"type": 5}, "type", "missing"),
        ({"type": "PHONE_CALL", "data": None}, "data", "expected an object, got null"),
        ({"type": "PHONE_CALL", "data": [CALL]}, "data", "expected an object, got a list"),
        ({"data": {"id": 1}}, "type", "missing"),
        ({"type": 5, "data": {"id": 1}}, "type", "missing"),
    ],
)
def test_what_is_no_delivery(delivery: Any, path: str, reason: str) -> None:
    error = fault(json.dumps(delivery), Webhook)
    assert (error.path, error.reason) == (path, reason)


def test_bytes_become_a_webhook() -> None:
    webhook = parse_webhook(json.dumps(sample("webhook_call_started")).encode())
    assert (webhook.type, webhook.pbx_id) == ("CALL_STARTED", 117)
    assert webhook.timestamp == datetime(2018, 4, 6, 14, 32, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"x" * (512 * 1024 + 1), b'{"type": "rossi@example.com", "data": 5}']
)
def test_bytes_that_are_no_webhook(body: bytes) -> None:
    with pytest.raises(WebhookError) as caught:
        parse_webhook(body)
    assert "rossi" not in f"{caught.value!r}"
    assert caught.value.__cause__ is None
