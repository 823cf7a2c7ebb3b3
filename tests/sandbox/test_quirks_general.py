"""Readings of what concerns the whole API, by the id of the anomaly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sandbox.conftest import events_of

if TYPE_CHECKING:
    from tests.sandbox.conftest import Serve

CONTACTS = "/api/v1/contacts"
SUBSCRIPTIONS = "/api/v1/webhook-subscriptions"
EVENTS = "/api/v1/telephony-events"
CLICK_TO_CALL = "/api/v1/click-to-call"
CONTACT = {"first_name": "John", "primary_phone": "+390312345678"}
SUBSCRIPTION = {"callback_url": "http://a.example", "event_type": "CALL_HANGUP", "notification_email": "a@b.example"}
RESOURCE = {"name": "support", "extension": "101", "outboundNumber": "+39123456789"}


async def test_g6_create_201_connect_202(serve: Serve) -> None:
    api = await serve(quirks={"create_status": 201, "connect_status": 202})
    created = await api.ask("POST", CLICK_TO_CALL, json=RESOURCE)
    connect = f"{CLICK_TO_CALL}/{created.json['id']}/connect"
    statuses = [
        created.status,
        (await api.ask("POST", CONTACTS, json=CONTACT)).status,
        (await api.ask("POST", SUBSCRIPTIONS, json=SUBSCRIPTION)).status,
        (await api.ask("POST", connect, json={"contact": "+39987654321"})).status,
    ]
    assert statuses == [201, 201, 201, 202]


@pytest.mark.parametrize(("answer", "status", "body"), [("no_content", 204, b""), ("json", 200, b"{}")])
async def test_g7_delete(serve: Serve, answer: str, status: int, body: bytes) -> None:
    api = await serve(quirks={"delete_answer": answer})
    contact = await api.post(CONTACTS, CONTACT)
    reply = await api.ask("DELETE", f"{CONTACTS}/{contact['id']}")
    assert (reply.status, reply.body) == (status, body)


@pytest.mark.parametrize(
    ("shape", "content_type", "body"),
    [
        ("text", "text/plain; charset=utf-8", b"contact not found"),
        ("html", "text/html; charset=utf-8", b"<h1>Not Found</h1>"),
        ("empty", None, b""),
    ],
)
async def test_g8_error_bodies(serve: Serve, shape: str, content_type: str | None, body: bytes) -> None:
    api = await serve(quirks={"error_body": shape})
    reply = await api.ask("GET", f"{CONTACTS}/1")
    assert (reply.status, reply.headers.get("Content-Type")) == (404, content_type)
    assert body in reply.body


async def test_g5_a_wrong_path_leads_to_the_docs(serve: Serve) -> None:
    api = await serve(quirks={"wrong_path": "html"})
    reply = await api.ask("GET", "/api/v3/contacts", headers={"Voverc-Auth": ""})
    assert (reply.status, b"API reference" in reply.body) == (404, True)


@pytest.mark.parametrize("status", [403, 409, 422])
async def test_g12_k7_another_status_for_conflicts(serve: Serve, status: int) -> None:
    quirks = {"conflict_status": status, "duplicate_contact": "rejected", "duplicate_subscription": "rejected"}
    api = await serve(quirks=quirks, users=1, groups=0)
    for path, body in ((CONTACTS, CONTACT), (SUBSCRIPTIONS, SUBSCRIPTION), (CLICK_TO_CALL, RESOURCE)):
        await api.post(path, body)
        await api.refused(status, "POST", path, json=body)


async def test_g17_empty_fields_are_null(serve: Serve) -> None:
    api = await serve(quirks={"empty_fields": "null"})
    contact = await api.post(CONTACTS, CONTACT)
    assert (contact["last_name"], contact["crm_contact_url"]) == (None, None)
    assert (await api.post(SUBSCRIPTIONS, SUBSCRIPTION))["last_error"] is None
    fax = next(row for row in await events_of(api) if row["type"] == "FAX_CALL")
    call = next(row for row in await events_of(api) if row.get("lastEvent") == "CALL_REJECTED")
    assert "labels" not in fax
    assert call["answererName"] is None


async def test_p10_undocumented_fields(serve: Serve) -> None:
    api = await serve(quirks={"undocumented_fields": "present"})
    answers = [*await api.get("/api/v2/users"), *(await api.get(CONTACTS))["data"], *await events_of(api)]
    assert all(each["revision"] == {"number": 1} for each in answers)
