from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pytest

from tests.webhooks.deliveries import BODIES, NOON, call_event, enveloped, packed, record, sample
from voxloud_async.models import TelephonyEvent
from voxloud_async.protocol import codec
from voxloud_async.webhooks import parse_webhook
from voxloud_async.webhooks.identity import delivery_key, event_key


def key(body: bytes) -> str:
    return delivery_key(parse_webhook(body))


def row(**fields: Any) -> TelephonyEvent:
    """A record as the telephony events API gives it."""
    event: TelephonyEvent = codec.structure(
        {**record(), "timestamp": "2026-01-02T15:00:00.000+0100", **fields}, TelephonyEvent
    )
    return event


def test_p8_a_record_has_one_key_whichever_way_it_came() -> None:
    bare, wrapped = packed(record()), enveloped(record(), "PHONE_CALL")
    other_pbx = enveloped(record(), "PHONE_CALL", pbx_id=118)
    assert {key(bare), key(wrapped), key(other_pbx), event_key(row())} == {key(bare)}
    assert len(key(bare)) == 64


def test_p2_p5_words_and_spellings_make_no_difference() -> None:
    event = call_event("c", "STARTED")
    spellings: list[dict[str, Any]] = [
        event,
        {**event, "type": "CALL_STARTED"},
        {**event, "timestamp": str(NOON)},
        {**event, "timestamp": float(NOON)},
        {**event, "timestamp": "2026-01-02T14:00:00.000+0000"},
        {**event, "userExtension": "102"},
        {**event, "originatorName": "told apart by nothing"},
    ]
    assert len({key(packed(each)) for each in spellings} | {key(enveloped(event, "CALL_STARTED"))}) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"callId": "c2"},
        {"type": "ANSWERED"},
        {"timestamp": NOON + 1},
        {"userExtension": 103},
        {"userExtension": None},
        {"sipUsername": "sip"},
    ],
)
def test_p8_another_call_phase_moment_or_user_is_another_event(other: dict[str, Any]) -> None:
    assert key(packed(call_event("c"))) != key(packed({**call_event("c"), **other}))


def test_p8_users_who_are_named_by_their_addresses_alone_are_told_apart() -> None:
    nobody, ada, bruno = (
        {**call_event("c"), "userExtension": None, "userEmail": each}
        for each in (None, "ada@example.com", "bruno@example.com")
    )
    assert len({key(packed(each)) for each in (nobody, ada, bruno)}) == 3
    assert key(packed({**ada, "userExtension": 102})) == key(packed(call_event("c")))


@pytest.mark.parametrize("other", [{"id": 2}, {"callId": "d"}, {"type": "FAX_CALL"}])
def test_t3_two_records_of_one_call_are_two_events(other: dict[str, Any]) -> None:
    assert key(packed(record())) != key(packed(record(**other)))


def test_unknown_events_are_told_apart_by_all_they_hold() -> None:
    first = {"type": "CALL_PARKED", "data": {"lot": 3}, "timestamp": NOON}
    assert key(packed(first)) == key(json.dumps(first, indent=1).encode())
    assert key(packed(first)) != key(packed({**first, "data": {"lot": 4}}))
    assert key(packed(first)) != key(packed({**first, "timestamp": NOON + 1}))


def test_halves_of_surrogate_pairs_have_a_key_too() -> None:
    assert key(b'{"type": "X", "data": {"name": "\\ud800"}}')


def test_the_documented_payloads_are_five_events() -> None:
    assert len({key(sample(name)) for name in BODIES}) == 5


def test_a_key_is_the_same_in_every_version_and_process() -> None:
    written = '[2,"PHONE_CALL","1","call-1"]'
    assert key(packed(record())) == sha256(written.encode()).hexdigest()
    written = f'[2,"CALL_INCOMING","c","102",null,{NOON}]'
    assert key(packed(call_event("c"))) == sha256(written.encode()).hexdigest()


def test_p15_a_fax_has_one_key_in_both_of_its_shapes() -> None:
    data = {"id": 5, "timestamp": NOON, "direction": "inbound", "sender": "1", "recipient": "2", "total_pages": 1}
    assert key(enveloped(data, "FAX_CALL")) == event_key(row(id=5, type="FAX_CALL", callId="anything"))
