"""Readings of the section on contacts, by the id of the anomaly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.sandbox.conftest import Serve

CONTACTS = "/api/v1/contacts"
SUBSCRIPTIONS = "/api/v1/webhook-subscriptions"
CONTACT = {"first_name": "John", "primary_phone": "+390312345678"}
SUBSCRIPTION = {"callback_url": "http://a.example", "event_type": "CALL_HANGUP", "notification_email": "a@b.example"}


@pytest.mark.parametrize(("reading", "good", "bad"), [("post", ["POST"], "PUT"), ("put", ["PUT"], "POST")])
async def test_c1_w4_verbs_of_updates(serve: Serve, reading: str, good: list[str], bad: str) -> None:
    api = await serve(quirks={"contact_update": reading, "subscription_update": reading})
    for path, body in ((CONTACTS, CONTACT), (SUBSCRIPTIONS, SUBSCRIPTION)):
        created = await api.post(path, body)
        own = f"{path}/{created['id']}"
        for verb in good:
            assert (await api.ask(verb, own, json=body | {"id": created["id"]})).status == 200
        refused = await api.ask(bad, own, json=body)
        assert (refused.status, refused.headers["Allow"]) == (405, f"GET, {', '.join(good)}, DELETE")


@pytest.mark.parametrize(("reading", "moved"), [("moves", True), ("stays", False)])
async def test_c2_updated_at(serve: Serve, reading: str, moved: bool) -> None:  # noqa: FBT001 - a table's column
    api = await serve(quirks={"contact_updated_at": reading}, clock=iter(range(0, 1000, 5)).__next__)
    contact = await api.post(CONTACTS, CONTACT)
    after = await api.put(f"{CONTACTS}/{contact['id']}", CONTACT)
    assert (after["updated_at"] > after["created_at"]) is moved


async def test_c3_company_names_are_spaced(serve: Serve) -> None:
    api = await serve(quirks={"company_name": "spaced"})
    for sent, stored in (("John&Associates", "John & Associates"), ("A  &B", "A & B"), ("C", "C")):
        assert (await api.post(CONTACTS, CONTACT | {"company_name": sent}))["company_name"] == stored
    assert "company_name" not in await api.post(CONTACTS, CONTACT | {"company_name": ""})


async def test_c4_c5_what_an_update_leaves_out_is_kept(serve: Serve) -> None:
    api = await serve(quirks={"contact_omitted": "kept", "crm_name_omitted": "kept"})
    full = CONTACT | {"last_name": "Doe", "phones": ["+39031234567"], "crm_name": "Hubspot"}
    contact = await api.post(CONTACTS, full)
    assert full.items() <= (await api.put(f"{CONTACTS}/{contact['id']}", CONTACT)).items()


async def test_c5_voxloud_takes_the_contact_over_while_the_rest_is_kept(serve: Serve) -> None:
    api = await serve(quirks={"contact_omitted": "kept"})
    contact = await api.post(CONTACTS, CONTACT | {"last_name": "Doe", "crm_name": "Hubspot"})
    after = await api.put(f"{CONTACTS}/{contact['id']}", CONTACT)
    assert (after["last_name"], after["crm_name"]) == ("Doe", "Voxloud")


async def test_c6_null_and_blank_clear(serve: Serve) -> None:
    api = await serve(quirks={"contact_omitted": "kept"})
    contact = await api.post(CONTACTS, CONTACT | {"last_name": "Doe", "job_title": "CEO", "emails": ["a@b.example"]})
    after = await api.put(f"{CONTACTS}/{contact['id']}", CONTACT | {"last_name": None, "job_title": "", "emails": None})
    assert not {"last_name", "job_title"} & set(after)
    assert after["emails"] == []


async def test_c6_null_is_rejected_and_blank_is_stored(serve: Serve) -> None:
    api = await serve(quirks={"contact_null": "rejected", "contact_blank": "stored"})
    await api.refused(400, "POST", CONTACTS, json=CONTACT | {"last_name": None})
    await api.refused(400, "POST", CONTACTS, json=CONTACT | {"phones": None})
    assert (await api.post(CONTACTS, CONTACT | {"last_name": ""}))["last_name"] == ""


async def test_c7_only_whole_numbers_are_searched(serve: Serve) -> None:
    api = await serve(quirks={"phone_search": "e164_only"})
    await api.post(CONTACTS, CONTACT)
    assert await api.refused(400, "GET", f"{CONTACTS}?phone=678") == "phone must be in e164 format"
    assert (await api.get(f"{CONTACTS}?phone=%2B390312345678"))["data"]


async def test_c11_newest_first(serve: Serve) -> None:
    api = await serve(quirks={"contact_order": "newest_first"})
    contact = await api.post(CONTACTS, CONTACT)
    assert (await api.get(CONTACTS))["data"][0] == contact


async def test_c12_any_filter_suffices(serve: Serve) -> None:
    api = await serve(quirks={"contact_filters": "or"}, contacts=0)
    for name in ("John", "Maria", "Zoe"):
        await api.post(CONTACTS, CONTACT | {"first_name": name, "last_name": f"of {name}"})
    found = (await api.get(f"{CONTACTS}?first_name=john&last_name=maria"))["data"]
    assert [contact["first_name"] for contact in found] == ["John", "Maria"]


async def test_c14_an_empty_page_after_a_full_one(serve: Serve) -> None:
    api = await serve(quirks={"has_next": "hopeful"}, contacts=40)
    assert (await api.get(f"{CONTACTS}?offset=20"))["has_next"] is True
    assert await api.get(f"{CONTACTS}?offset=40") == {"data": [], "has_next": False}


async def test_c15_duplicates_are_rejected(serve: Serve) -> None:
    api = await serve(quirks={"duplicate_contact": "rejected"})
    await api.post(CONTACTS, CONTACT)
    await api.refused(400, "POST", CONTACTS, json=CONTACT)
    await api.post(CONTACTS, CONTACT | {"primary_phone": "+390310000000"})


async def test_c20_other_numbers_are_stored_or_normalised(serve: Serve) -> None:
    stored, normalised = [await serve(quirks={"invalid_phone": each}) for each in ("stored", "normalised")]
    body = CONTACT | {"primary_phone": "0039 031-234", "phones": ["(+39) 031 235"]}
    contact = await stored.post(CONTACTS, body)
    assert (contact["primary_phone"], contact["phones"]) == ("0039 031-234", ["(+39) 031 235"])
    contact = await normalised.post(CONTACTS, body)
    assert (contact["primary_phone"], contact["phones"]) == ("+39031234", ["+39031235"])
    await normalised.refused(400, "POST", CONTACTS, json=CONTACT | {"primary_phone": "none"})


@pytest.mark.parametrize(
    ("reading", "shown"),
    [
        ("exact", "2026-06-30T18:00:42+02:00"),
        ("behind", "2026-06-30T18:00:32+02:00"),
        ("ahead", "2026-06-30T18:00:52+02:00"),
        ("minute", "2026-06-30T18:00:00+02:00"),
        ("constant", "2022-12-27T14:42:37+01:00"),
        ("absent", None),
    ],
)
async def test_c18_the_clock_of_created_at(serve: Serve, reading: str, shown: str | None) -> None:
    times = iter([0.0, 0.0])
    api = await serve(quirks={"contact_created_at": reading}, clock=lambda: next(times, 42.0))
    contact = await api.post(CONTACTS, CONTACT)
    assert contact.get("created_at") == shown
    assert contact["updated_at"] == "2026-06-30T18:00:42+02:00"


async def test_c18_no_clock_to_compare_with(serve: Serve) -> None:
    assert (await (await serve()).ask("GET", CONTACTS)).headers["Date"].endswith("GMT")
    api = await serve(quirks={"date_header": "blank"})
    assert (await api.ask("GET", CONTACTS)).headers["Date"] == ""
