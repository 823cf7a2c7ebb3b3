from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from voxloud_async.sandbox import Weather

if TYPE_CHECKING:
    from tests.sandbox.conftest import Api, ManualTime, Serve

PATH = "/api/v1/contacts"
SMALL = {"first_name": "John", "primary_phone": "+390312345678"}
FULL = SMALL | {
    "last_name": "Doe",
    "phones": ["+390387654321"],
    "primary_email": "john@johna.example",
    "emails": ["doe@johna.example"],
    "company_name": "John&Associates",
    "job_title": "CEO",
    "website": "www.johna.example",
    "crm_name": "Hubspot",
    "crm_contact_url": "https://crm.example/1",
}


async def test_create_returns_what_was_sent_with_id_and_times(api: Api) -> None:
    reply = await api.ask("POST", PATH, json=FULL)
    contact = reply.json
    assert reply.status == 200
    assert FULL.items() <= contact.items()
    assert contact["created_at"] == contact["updated_at"] == "2026-06-30T18:00:00+02:00"
    assert await api.get(f"{PATH}/{contact['id']}") == contact


async def test_fields_come_in_the_order_of_the_sample(api: Api) -> None:
    contact = await api.post(PATH, FULL)
    start = ["id", "first_name", "last_name", "primary_phone", "phones", "primary_email", "emails", "company_name"]
    assert list(contact)[:8] == start


async def test_c5_crm_name_is_voxloud_unless_given(api: Api) -> None:
    assert (await api.post(PATH, SMALL))["crm_name"] == "Voxloud"
    assert (await api.post(PATH, SMALL | {"crm_name": ""}))["crm_name"] == "Voxloud"
    assert (await api.post(PATH, FULL))["crm_name"] == "Hubspot"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"first_name": None}, "first_name is required"),
        ({"first_name": ""}, "first_name must not be empty"),
        ({"first_name": 5}, "first_name must be a string, not a number"),
        ({"primary_phone": None}, "primary_phone is required"),
        ({"primary_phone": "0312345678"}, "primary_phone must be in e164 format"),
        ({"primary_phone": "+0312345678"}, "primary_phone must be in e164 format"),
        ({"primary_phone": "+1234567890123456"}, "primary_phone must be in e164 format"),
        ({"primary_phone": "+39\u0663\u0663\u0663"}, "primary_phone must be in e164 format"),
        ({"phones": ["+39031234567", "102"]}, "phones must be in e164 format"),
        ({"phones": "+39031234567"}, "phones must be an array of strings, not a string"),
        ({"emails": [1]}, "emails[0] must be a string, not a number"),
        ({"last_name": 1}, "last_name must be a string, not a number"),
    ],
)
async def test_c20_what_a_contact_must_hold(api: Api, change: dict[str, Any], message: str) -> None:
    assert await api.refused(400, "POST", PATH, json=SMALL | change) == message
    assert len(api.sandbox.state.contacts) == 30


async def test_an_update_replaces_the_whole_contact(api: Api) -> None:
    before = await api.post(PATH, FULL)
    after = await api.put(f"{PATH}/{before['id']}", SMALL | {"last_name": "Roe"})
    assert after["last_name"] == "Roe"
    assert "job_title" not in after
    assert after["phones"] == []
    assert after["crm_name"] == "Voxloud"
    assert after["created_at"] == before["created_at"]


async def test_a_contact_is_deleted_once(api: Api) -> None:
    contact = await api.post(PATH, SMALL)
    reply = await api.ask("DELETE", f"{PATH}/{contact['id']}")
    assert (reply.status, reply.body) == (200, b"")
    assert await api.refused(404, "DELETE", f"{PATH}/{contact['id']}") == "contact not found"
    await api.refused(404, "GET", f"{PATH}/{contact['id']}")
    await api.refused(404, "PUT", f"{PATH}/{contact['id']}", json=SMALL)


async def test_pages_of_20_until_has_next_is_false(api: Api) -> None:
    first, last = await api.get(PATH), await api.get(f"{PATH}?offset=20")
    assert [len(first["data"]), first["has_next"]] == [20, True]
    assert [len(last["data"]), last["has_next"]] == [10, False]
    ids = [contact["id"] for page in (first, last) for contact in page["data"]]
    assert ids == list(api.sandbox.state.contacts)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("limit=0", "limit must be at least 1"),
        ("limit=101", "limit must be at most 100"),
        ("limit=ten", "limit must be an integer"),
        ("limit=%D9%A1", "limit must be an integer"),
        ("offset=-1", "offset must be at least 0"),
        ("offset=1.5", "offset must be an integer"),
    ],
)
async def test_c9_c10_bounds_of_a_page(api: Api, query: str, message: str) -> None:
    assert await api.refused(400, "GET", f"{PATH}?{query}") == message


async def test_unknown_parameters_are_ignored_and_the_first_of_a_name_counts(api: Api) -> None:
    assert len((await api.get(f"{PATH}?page=7&limit=3&limit=5"))["data"]) == 3


async def test_a_search_is_partial_whatever_the_case_and_all_must_match(api: Api) -> None:
    john = await api.post(PATH, FULL)
    await api.post(PATH, SMALL | {"last_name": "Zed", "primary_phone": "+390310000000"})
    for query in (
        "last_name=dO&first_name=jOhN",
        "phone=87654",
        "email=DOE@JOHNA",
        "email=john@johna",
        "last_name=doe&phone=678",
    ):
        assert [each["id"] for each in (await api.get(f"{PATH}?{query}&first_name=&limit=100"))["data"]] == [john["id"]]
    assert (await api.get(f"{PATH}?last_name=doe&phone=999"))["data"] == []


async def test_c7_a_plus_must_be_encoded(api: Api) -> None:
    await api.post(PATH, FULL)
    assert (await api.get(f"{PATH}?phone=%2B390312345678"))["data"]
    assert not (await api.get(f"{PATH}?phone=+390312345678"))["data"]


async def test_the_id_is_read_decoded(api: Api) -> None:
    contact = await api.post(PATH, SMALL)
    encoded = contact["id"].replace("-", "%2D")
    assert await api.get(f"{PATH}/{encoded}") == contact
    await api.refused(404, "GET", f"{PATH}/{contact['id']}%2Fconnect")


async def test_seeded_contacts_are_believable(serve: Serve) -> None:
    api = await serve(contacts=200)
    contacts = list(api.sandbox.state.contacts.values())
    assert len({contact.id for contact in contacts}) == 200
    assert all(
        contact.primary_phone.startswith("+") and contact.created_at <= contact.updated_at for contact in contacts
    )
    assert {contact.crm_name for contact in contacts} == {"Voxloud", "Hubspot", "Salesforce", "Pipedrive"}
    assert any(contact.last_name is None for contact in contacts)
    assert contacts[0].created_at <= contacts[-1].created_at


async def test_a_search_finds_a_new_contact_after_its_delay(serve: Serve, manual_time: ManualTime) -> None:
    api = await serve(contacts=0, clock=manual_time.clock, weather=Weather(search_delay=5.0))
    made = await api.post("/api/v1/contacts", {"first_name": "Ada", "primary_phone": "+390312345678"})
    assert (await api.get("/api/v1/contacts"))["data"] == []
    assert (await api.get(f"/api/v1/contacts/{made['id']}"))["first_name"] == "Ada"
    manual_time.now += 5.0
    assert [each["id"] for each in (await api.get("/api/v1/contacts"))["data"]] == [made["id"]]
