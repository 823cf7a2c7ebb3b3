"""Habits of clients that the text does not forbid: blank parameters, nulls, either verb; and what an error names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.document import SCHEMAS, SPEC

if TYPE_CHECKING:
    from tests.sandbox.conftest import Api, Serve

CONTACTS = "/api/v1/contacts"
SUBSCRIPTIONS = "/api/v1/webhook-subscriptions"
EVENTS = "/api/v1/telephony-events"
CLICK_TO_CALL = "/api/v1/click-to-call"

COMPLETE: dict[str, dict[str, Any]] = {
    "ContactRequest": {"first_name": "John", "primary_phone": "+390312345678"},
    "WebhookSubscriptionRequest": {"callback_url": "http://a.example", "event_type": "CALL_HANGUP"},
    "WebhookSubscriptionUpdate": {"callback_url": "http://a.example", "event_type": "CALL_HANGUP"},
    "TelephonyEventQuery": {},
    "ClickToCallRequest": {"name": "support", "extension": "101", "outboundNumber": "+390612345678"},
    "ConnectRequest": {"contact": "+39987654321"},
}
"""What each request object must hold at least."""

PLACES = {
    "ContactRequest": CONTACTS,
    "WebhookSubscriptionRequest": SUBSCRIPTIONS,
    "TelephonyEventQuery": EVENTS,
    "ClickToCallRequest": CLICK_TO_CALL,
}


def fields_of(name: str) -> dict[str, Any]:
    properties: dict[str, Any] = SCHEMAS[name]["properties"]
    return properties


def optional_fields() -> list[tuple[str, str]]:
    return [
        (name, field)
        for name in COMPLETE
        for field in fields_of(name)
        if field not in SCHEMAS[name].get("required", ())
    ]


def blank_parameters() -> list[tuple[str, str, str]]:
    return [
        (verb.upper(), path, parameter["name"])
        for path, item in SPEC["paths"].items()
        for verb, operation in item.items()
        if isinstance(operation, dict)
        for parameter in operation.get("parameters", ())
        if parameter.get("in") == "query" and not parameter.get("required")
    ]


async def place_of(api: Api, name: str) -> tuple[str, dict[str, Any]]:
    """Where a request object is sent, and one that is accepted there."""
    if name == "WebhookSubscriptionUpdate":
        made = await api.post(SUBSCRIPTIONS, COMPLETE[name] | {"notification_email": "a@b.example"})
        return f"{SUBSCRIPTIONS}/{made['id']}", COMPLETE[name] | {"id": made["id"]}
    if name == "ConnectRequest":
        made = await api.post(CLICK_TO_CALL, COMPLETE["ClickToCallRequest"])
        return f"{CLICK_TO_CALL}/{made['id']}/connect", COMPLETE[name]
    return PLACES[name], COMPLETE[name]


@pytest.mark.parametrize(("method", "path", "name"), blank_parameters())
async def test_a_blank_parameter_counts_as_left_out(api: Api, method: str, path: str, name: str) -> None:
    body: dict[str, Any] | None = {} if method == "POST" else None
    plain = await api.ask(method, path, json=body)
    for query in (f"{name}=", name, f"{name}=&{name}="):
        assert (await api.ask(method, f"{path}?{query}", json=body)).body == plain.body


async def test_a_search_form_left_blank_is_a_search_of_all(api: Api) -> None:
    plain = await api.get(CONTACTS)
    assert await api.get(f"{CONTACTS}?first_name=&last_name=&phone=&email=&offset=&limit=") == plain
    assert len(plain["data"]) == 20


@pytest.mark.parametrize(("name", "field"), optional_fields())
async def test_a_null_for_an_optional_field_counts_as_left_out(api: Api, name: str, field: str) -> None:
    path, body = await place_of(api, name)
    plain, null = await api.post(path, body), await api.post(path, body | {field: None})
    for moving in ("id", "created_at", "updated_at"):
        plain.pop(moving, None), null.pop(moving, None)
    assert null == plain


@pytest.mark.parametrize("name", COMPLETE)
async def test_g17_a_null_is_refused_by_a_quirk(serve: Serve, name: str) -> None:
    api = await serve(quirks={"null_sent": "rejected", "contact_null": "rejected"})
    path, body = await place_of(api, name)
    for field in fields_of(name):
        message = await api.refused(400, "POST", path, json=body | {field: None})
        required = field in SCHEMAS[name].get("required", ())
        assert message.startswith(f"{field} is required" if required else f"{field} must be ")
        assert required or message.endswith(", not null")


@pytest.mark.parametrize("name", COMPLETE)
@pytest.mark.parametrize(
    ("value", "kind"), [(101, "a number"), (0.5, "a number"), ({}, "an object"), ("a", "a string"), (True, "a boolean")]
)
async def test_a_value_of_another_type_is_called_by_its_type(api: Api, name: str, value: Any, kind: str) -> None:
    path, body = await place_of(api, name)
    for field, described in fields_of(name).items():
        wanted = described.get("type", "string")
        if kind == f"a {wanted}":
            continue
        message = await api.refused(400, "POST", path, json=body | {field: value})
        assert message.startswith(f"{field} must be a")
        assert message.endswith(f", not {kind}")


async def test_c1_w4_either_verb_updates(api: Api) -> None:
    for path, name in ((CONTACTS, "ContactRequest"), (SUBSCRIPTIONS, "WebhookSubscriptionUpdate")):
        made = await api.post(path, COMPLETE[name])
        for verb in ("PUT", "POST"):
            reply = await api.ask(verb, f"{path}/{made['id']}", json=COMPLETE[name] | {"id": made["id"]})
            assert (reply.status, reply.json["id"]) == (200, made["id"])
