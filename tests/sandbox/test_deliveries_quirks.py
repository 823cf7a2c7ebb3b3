"""How deliveries are spelt, under each reading of the text and against the spec."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from openapi_schema_validator import OAS31Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.document import SPEC
from tests.sandbox.receiving import receiving
from tests.sandbox.test_spec import without_nulls
from voxloud_async.sandbox import Quirks, Traffic

if TYPE_CHECKING:
    from tests.sandbox.conftest import Api, Serve

RESOURCE = Resource.from_contents(SPEC, default_specification=DRAFT202012)
REGISTRY: Registry[Any] = Registry().with_resource("urn:spec", RESOURCE)
SCHEMAS = {"PHONE_CALL": "PhoneCall", "FAX_CALL": "FaxCall", "CLICK_TO_CALL": "ClickToCallCall"}
PLAIN = Quirks()
DELIVERED = {
    *("empty_fields", "undocumented_fields", "unknown_event_types"),
    *("delivery_envelope", "delivery_phase", "delivery_times", "delivery_extension", "delivery_fax"),
    *("internal_incoming", "hangup", "live_call_id"),
    *("delivery_record_time", "delivery_transcription"),
}
"""The quirks that deliveries show."""


async def told(serve: Serve, quirks: dict[str, Any] | None = None) -> list[Any]:
    """What a receiver gets of one call of each kind, and of a dozen of traffic, with these quirks."""
    async with receiving() as receiver:
        api = await serve(quirks=quirks, clock=lambda: 5.0)
        receiver.subscribe(api.sandbox)
        api.sandbox.place_call("INTERNAL", extensions=(101, 102))
        await api.sandbox.drain()
        api.sandbox.place_call(extensions=(101, 102))
        await api.sandbox.drain()
        await ring(api)
        api.sandbox.change_traffic(Traffic(calls_per_second=1e9, calls=30))
        await api.sandbox.drain()
        return receiver.events


async def ring(api: Api) -> None:
    body = {"name": "a", "extension": "101", "outboundNumber": "+39123456789"}
    made = await api.post("/api/v1/click-to-call", body)
    await api.post(f"/api/v1/click-to-call/{made['id']}/connect", {"contact": "+39987654321"})
    await api.sandbox.drain()


def data(events: list[Any], *types: str) -> list[Any]:
    return [each["data"] for each in events if each["type"] in types]


def validate(schema: str, value: Any) -> None:
    OAS31Validator({"$ref": f"urn:spec#/components/schemas/{schema}"}, registry=REGISTRY).validate(value)


@pytest.mark.parametrize(
    "quirks",
    [PLAIN, *(each for each in Quirks.every() if DELIVERED & set(each.changed()))],
    ids=lambda quirks: str(quirks.changed() or "defaults"),
)
async def test_every_delivery_satisfies_the_spec(serve: Serve, quirks: Quirks) -> None:
    events = await told(serve, quirks.changed())
    assert len(events) > 50
    for each in map(without_nulls, events):
        event = each.get("data", each)
        if "type" in event:
            event["type"] = event["type"].removeprefix("CALL_")  # the spec has one of the two spellings (P2)
        if "data" in each:
            validate("Webhook", each)
        if event.get("type") in SCHEMAS:
            validate(SCHEMAS[event["type"]], event)
        elif "sender" in event:
            validate("Fax", event)
        elif event["type"] != "VIDEO_CALL":
            validate("CallEvent", event)


async def test_p1_a_delivery_may_be_bare(serve: Serve) -> None:
    enveloped, bare = await told(serve), await told(serve, {"delivery_envelope": "absent"})
    assert sorted(map(json.dumps, bare)) == sorted(json.dumps(each["data"]) for each in enveloped)


async def test_p2_the_inner_type_may_be_the_outer_one(serve: Serve) -> None:
    events = await told(serve, {"delivery_phase": "long"})
    live = [each for each in events if each["type"].startswith("CALL_")]
    assert live
    assert all(each["data"]["type"] == each["type"] for each in live)
    assert {each["type"] for each in data(await told(serve), "CALL_HANGUP")} == {"HANGUP"}


@pytest.mark.parametrize(("reading", "ending"), [("iso_basic", "+0000"), ("iso_rome", "+02:00")])
async def test_p5_times_may_be_texts(serve: Serve, reading: str, ending: str) -> None:
    events = await told(serve, {"delivery_times": reading})
    assert all(each["timestamp"].endswith(ending) for each in events)
    assert all(each["data"]["timestamp"] == each["timestamp"] for each in events)
    assert all(isinstance(each["timestamp"], int) for each in await told(serve))


async def test_u3_an_extension_may_be_a_text(serve: Serve) -> None:
    extensions = [
        each["userExtension"] for each in data(await told(serve, {"delivery_extension": "text"}), "CALL_HANGUP")
    ]
    assert extensions
    assert all(isinstance(each, str) for each in extensions)


async def test_p15_a_fax_is_a_document_or_a_call(serve: Serve) -> None:
    documents = data(await told(serve), "FAX_CALL")
    calls = data(await told(serve, {"delivery_fax": "call"}), "FAX_CALL")
    assert len(documents) == len(calls) > 0
    assert all("sender" in each and "callId" not in each and "type" not in each for each in documents)
    assert all(each["type"] == "FAX_CALL" and "callId" in each for each in calls)


async def test_p23_an_internal_call_may_be_incoming_as_well(serve: Serve) -> None:
    def of_first(events: list[Any]) -> list[str]:
        first = events[0]["data"]["callId"]
        return [each["type"] for each in events if each["data"].get("callId") == first]

    assert of_first(await told(serve))[:2] == ["CALL_STARTED", "CALL_ANSWERED"]
    both = of_first(await told(serve, {"internal_incoming": "present"}))
    assert both[:3] == ["CALL_STARTED", "CALL_INCOMING", "CALL_ANSWERED"]


async def test_p8_the_end_may_be_told_once(serve: Serve) -> None:
    events = await told(serve, {"hangup": "once"})
    hangups = [each["callId"] for each in data(events, "CALL_HANGUP")]
    assert len(hangups) == len(set(hangups))
    assert set(hangups) == {each["callId"] for each in data(events, "CALL_STARTED", "CALL_INCOMING")}


async def test_k8_live_events_of_a_click_to_call_may_lack_its_suffix(serve: Serve) -> None:
    events = await told(serve, {"live_call_id": "plain"})
    live = {each["callId"] for each in data(events, "CALL_STARTED")}
    records = {each["callId"] for each in data(events, "CLICK_TO_CALL")}
    assert records
    assert all(each.endswith("-clicktocall") for each in records)
    assert {each.removesuffix("-clicktocall") for each in records} <= live


async def test_a_receiver_is_told_of_records_alone_where_it_wants_no_more(serve: Serve) -> None:
    async with receiving() as receiver:
        api = await serve()
        receiver.subscribe(api.sandbox, "CLICK_TO_CALL")
        await ring(api)
        assert [kind for kind, _ in receiver.told] == ["CLICK_TO_CALL"]


async def test_records_are_mistyped_and_envelopes_unreadable_as_chosen(serve: Serve) -> None:
    events = await told(serve, {"delivery_record_id": "text", "delivery_mistyped": "voicemail"})
    records = data(events, "PHONE_CALL")
    assert records
    assert all(each["id"].isdecimal() and each["voicemail"] == 0 for each in records)
    events = await told(serve, {"delivery_record_id": "absent", "delivery_pbx_id": "text"})
    assert {each["pbx_id"] for each in events} == {str(each["pbx_id"]) for each in await told(serve)}
    assert not any("id" in each for each in data(events, "PHONE_CALL", "CLICK_TO_CALL", "FAX_CALL"))
    events = await told(serve, {"delivery_envelope_time": "unreadable", "delivery_pbx_id": "uuid"})
    assert {each["timestamp"] for each in events} == {"yesterday"}
    assert {len(each["pbx_id"]) for each in events} == {36}


async def test_a_record_comes_again_with_its_transcription(serve: Serve) -> None:
    events = await told(serve, {"delivery_transcription": "later", "delivery_record_time": "milliseconds"})
    records: dict[int, list[Any]] = {}
    for each in data(events, "PHONE_CALL"):
        records.setdefault(each["id"], []).append(each)
    assert records
    for first, second in records.values():
        assert "transcription" not in first
        assert second["transcription"]
        assert first["timestamp"] == second["timestamp"]
        assert first["timestamp"] % 1000 == 345
