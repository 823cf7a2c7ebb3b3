from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from tests.webhooks.deliveries import BODIES, NOON, call_event, enveloped, incoming, packed, record, sample
from voxloud_async.errors import WebhookError
from voxloud_async.models import CallEvent, ClickToCallCall, Fax, FaxCall, PhoneCall, UnknownEvent, Webhook
from voxloud_async.webhooks import parse_webhook
from voxloud_async.webhooks.identity import delivery_key
from voxloud_async.webhooks.parse import MAX_BODY, MAX_DEPTH

KINDS: dict[str, tuple[str, type]] = {
    "webhook_call_started": ("CALL_STARTED", CallEvent),
    "call_incoming": ("CALL_INCOMING", CallEvent),
    "phone_call": ("PHONE_CALL", PhoneCall),
    "fax": ("FAX_CALL", Fax),
    "click_to_call_record": ("CLICK_TO_CALL", ClickToCallCall),
}


@pytest.mark.parametrize("name", BODIES)
def test_every_documented_payload_is_read_bare_and_enveloped(name: str) -> None:
    kind, model = KINDS[name]
    value = json.loads(sample(name))
    data = value.get("data", value)
    for body in (packed(data), packed({"type": kind, "timestamp": NOON, "pbx_id": 117, "data": data})):
        webhook = parse_webhook(body)
        assert webhook.type == kind
        assert type(webhook.data) is model
        assert not webhook.data.extra


@pytest.mark.parametrize("phase", ["INCOMING", "STARTED", "ANSWERED", "HANGUP"])
@pytest.mark.parametrize("inner", ["{}", "CALL_{}"])
def test_p2_both_vocabularies_are_one(phase: str, inner: str) -> None:
    event = {**call_event(), "type": inner.format(phase)}
    for body in (packed(event), packed({"type": f"CALL_{phase}", "data": event})):
        webhook = parse_webhook(body)
        assert webhook.type == f"CALL_{phase}"
        assert isinstance(webhook.data, CallEvent)
        assert webhook.data.type == phase


def test_p15_p22_a_fax_call_of_an_envelope_is_a_document_or_a_call() -> None:
    document, call = json.loads(sample("fax")), record(type="FAX_CALL")
    assert isinstance(parse_webhook(packed({"type": "FAX_CALL", "data": document})).data, Fax)
    assert isinstance(parse_webhook(packed({"type": "FAX_CALL", "data": call})).data, FaxCall)
    assert parse_webhook(packed(document)).type == "FAX_CALL"


def test_p9_p17_p20_what_may_be_missing_is_none() -> None:
    event = parse_webhook(packed({"id": 1, "type": "PHONE_CALL"})).data
    assert isinstance(event, PhoneCall)
    assert (event.timestamp, event.transcription, event.ring_time) == (None, None, None)
    hangup = parse_webhook(enveloped({"type": "HANGUP", "callId": "c", "timestamp": NOON})).data
    assert isinstance(hangup, CallEvent)


@pytest.mark.parametrize(
    "value",
    [
        {"type": "CALL_PARKED", "callId": "c", "timestamp": NOON},
        {"type": "CALL_PARKED", "data": {"lot": 3}},
        {"type": "CALL_STARTED", "data": {}},
        {"type": "CALL_INCOMING", "data": {"type": "INCOMING", "callId": "c", "timestamp": 1e300}},
    ],
)
def test_what_is_unknown_or_does_not_fit_is_kept_whole(value: dict[str, Any]) -> None:
    webhook = parse_webhook(packed(value))
    assert isinstance(webhook.data, UnknownEvent)
    assert webhook.type == value["type"]


def nested(depth: int) -> bytes:
    """An event with a field that makes it so many levels deep."""
    return incoming(more=json.loads("[" * (depth - 2) + "]" * (depth - 2)))


def test_nesting_has_a_limit() -> None:
    assert isinstance(parse_webhook(nested(MAX_DEPTH)), Webhook)
    with pytest.raises(WebhookError, match="levels"):
        parse_webhook(nested(MAX_DEPTH + 1))


def test_a_body_has_a_limit_and_the_longest_transcription_is_below_it() -> None:
    escaped = b'{"id":1,"type":"PHONE_CALL","transcription":"' + b"\\u00e9" * 65535 + b'"}'
    event = parse_webhook(escaped).data
    assert isinstance(event, PhoneCall)
    assert event.transcription == "é" * 65535
    with pytest.raises(WebhookError, match="larger"):
        parse_webhook(b" " * (MAX_BODY + 1))


UNREADABLE = {
    "nothing": b"",
    "no JSON": b"{",
    "a list": b"[]",
    "a string": b'"CALL_STARTED"',
    "null": b"null",
    "no type": b"{}",
    "a type that is no text": b'{"type": 5}',
    "data that are no object": b'{"type": "CALL_STARTED", "data": []}',
    "bad UTF-8": b'{"type": "\xff"}',
    "UTF-16": '{"type": "X"}'.encode("utf-16"),
    "NaN": b'{"type": "X", "data": {"v": NaN}}',
    "infinity": b'{"type": "X", "data": {"v": -Infinity}}',
    "a number beyond a float": b'{"type": "X", "data": {"v": 1e999}}',
    "a number beyond 64 bits": b'{"type": "X", "data": {"v": 9223372036854775808}}',
    "a number of 5,000 digits": b'{"type": "X", "v": ' + b"9" * 5000 + b"}",
    "a number of the largest body": b'{"type": "X", "v": ' + b"9" * (MAX_BODY - 100) + b"}",
    "lists of the largest body": b"[" * MAX_BODY,
    "objects of the largest body": b'{"a":' * (MAX_BODY // 5),
    "wide and deep": b'{"type": "X", "v": [' + b",".join([b"[" * 100 + b"]" * 100] * 2500) + b"]}",
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_no_webhook_is_refused_soon_and_without_showing_it(body: bytes) -> None:
    started = time.process_time()
    with pytest.raises(WebhookError) as caught:
        parse_webhook(body)
    assert time.process_time() - started < 2.0
    assert len(str(caught.value)) < 200
    assert "999" not in str(caught.value)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_bytes_will_do(kind: type) -> None:
    assert parse_webhook(kind(incoming())).type == "CALL_INCOMING"


def test_a_text_is_no_body() -> None:
    with pytest.raises(TypeError, match="body must be bytes, not str"):
        parse_webhook("{}")  # type: ignore[arg-type]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["CALL_STARTED", "STARTED"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.sampled_from([*"ab"]), inner, max_size=4)
    ),
    max_leaves=20,
)
FIELDS = ["type", "data", "timestamp", "pbx_id", "id", "callId", "userExtension", "direction", "labels", "sender"]


def outcome(body: bytes) -> None:
    """A webhook with a key, or the one error."""
    try:
        webhook = parse_webhook(body)
    except WebhookError:
        return
    assert len(delivery_key(webhook)) == 64
    assert delivery_key(webhook) == delivery_key(parse_webhook(body))


@given(JSON | st.dictionaries(st.sampled_from(FIELDS), JSON))
@settings(max_examples=300)
def test_any_json_is_a_webhook_or_a_webhook_error(value: Any) -> None:
    outcome(packed(value))


@given(st.binary(max_size=200))
@settings(max_examples=300)
def test_any_bytes_are_a_webhook_or_a_webhook_error(body: bytes) -> None:
    outcome(body)


@given(st.sampled_from(BODIES), st.sampled_from(FIELDS), JSON, st.booleans())
@settings(max_examples=300)
def test_a_documented_payload_with_one_other_field(name: str, field: str, value: Any, inside: bool) -> None:  # noqa: FBT001 - drawn
    delivery = json.loads(sample(name))
    (delivery["data"] if inside and "data" in delivery else delivery)[field] = value
    outcome(packed(delivery))


@given(st.sampled_from(BODIES), st.data())
@settings(max_examples=300)
def test_a_documented_payload_with_other_bytes(name: str, data: st.DataObject) -> None:
    body = bytearray(sample(name))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(body) - 1))
        body[start : start + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
        if not body:
            body = bytearray(b"{")
    outcome(bytes(body))
