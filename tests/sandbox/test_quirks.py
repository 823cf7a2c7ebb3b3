"""Each reading of the text that is no default, by the id of its anomaly."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from voxloud_async.sandbox import Quirks

if TYPE_CHECKING:
    from tests.sandbox.conftest import Api, Serve

CONTACTS = "/api/v1/contacts"
SUBSCRIPTIONS = "/api/v1/webhook-subscriptions"
EVENTS = "/api/v1/telephony-events"
CLICK_TO_CALL = "/api/v1/click-to-call"
CONTACT = {"first_name": "John", "primary_phone": "+390312345678"}
SUBSCRIPTION = {"callback_url": "http://a.example", "event_type": "CALL_HANGUP", "notification_email": "a@b.example"}
RESOURCE = {"name": "support", "extension": "101", "outboundNumber": "+39123456789"}


def alternatives() -> dict[str, ast.expr]:
    """What the source writes of each field, without the help of the class."""
    (quirks,) = [node for node in ast.parse(inspect.getsource(Quirks)).body if isinstance(node, ast.ClassDef)]
    written = [node for node in quirks.body if isinstance(node, ast.AnnAssign)]
    return {node.target.id: node.annotation for node in written if isinstance(node.target, ast.Name)}


def test_the_readings_are_what_the_source_lists() -> None:
    readings = Quirks.readings()
    assert set(readings) == set(alternatives())
    for name, annotation in alternatives().items():
        if isinstance(annotation, ast.Subscript):
            assert readings[name] == ast.literal_eval(annotation.slice)
    assert readings["contact_update"] == readings["subscription_update"] == ("put", "post", "both")
    assert readings["event_times"] == readings["single_event_times"] == ("iso_basic", "iso_rome", "epoch_ms")
    assert all(len(values) > 1 for values in readings.values())


def test_every_quirk_is_tried_by_name() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    assert [name for name in alternatives() if f'"{name}"' not in sources] == []


def test_every_yields_each_other_reading_once() -> None:
    every = list(Quirks.every())
    readings = Quirks.readings()
    assert len(every) == len(set(every)) == sum(len(values) - 1 for values in readings.values())
    assert all(len(quirks.changed()) == 1 for quirks in every)
    assert {name for quirks in every for name in quirks.changed()} == set(readings)
    assert Quirks().changed() == {}
    assert all(getattr(Quirks(), name) in values for name, values in readings.items())


async def events_of(api: Api, path: str = f"{EVENTS}?size=200", **body: Any) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = (await api.post(path, body))["content"]
    return content


# General


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


# Contacts


@pytest.mark.parametrize(("reading", "good", "bad"), [("post", ["POST"], "PUT"), ("both", ["PUT", "POST"], "PATCH")])
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


# Webhook subscriptions


async def test_w1_click_to_call_only_by_update(serve: Serve) -> None:
    api = await serve(quirks={"click_to_call_subscription": "rejected"})
    await api.refused(400, "POST", SUBSCRIPTIONS, json=SUBSCRIPTION | {"event_type": "CLICK_TO_CALL"})
    created = await api.post(SUBSCRIPTIONS, SUBSCRIPTION)
    change = SUBSCRIPTION | {"id": created["id"], "event_type": "CLICK_TO_CALL"}
    assert (await api.put(f"{SUBSCRIPTIONS}/{created['id']}", change))["event_type"] == "CLICK_TO_CALL"


@pytest.mark.parametrize(("reading", "names"), [("type", ["type", "type"]), ("mixed", ["event_type", "type"])])
async def test_w2_the_name_of_the_type_in_lists(serve: Serve, reading: str, names: list[str]) -> None:
    api = await serve(quirks={"subscription_list_type": reading})
    for _ in names:
        created = await api.post(SUBSCRIPTIONS, SUBSCRIPTION)
        assert "event_type" in created
    listed = await api.get(SUBSCRIPTIONS)
    assert [name for each in listed for name in ("event_type", "type") if name in each] == names


async def test_w3_enabled_is_absent_on_create(serve: Serve) -> None:
    api = await serve(quirks={"enabled_on_create": "absent"})
    created = await api.post(SUBSCRIPTIONS, SUBSCRIPTION)
    assert "enabled" not in created
    assert (await api.get(f"{SUBSCRIPTIONS}/{created['id']}"))["enabled"] is True


async def test_w5_the_id_in_the_body_is_optional(serve: Serve) -> None:
    api = await serve(quirks={"subscription_body_id": "optional"})
    created = await api.post(SUBSCRIPTIONS, SUBSCRIPTION)
    path = f"{SUBSCRIPTIONS}/{created['id']}"
    assert await api.put(path, SUBSCRIPTION) == created
    await api.refused(400, "PUT", path, json=SUBSCRIPTION | {"id": "another"})


async def test_w5_the_id_in_the_body_is_not_compared(serve: Serve) -> None:
    api = await serve(quirks={"subscription_body_id": "unchecked"})
    created = await api.post(SUBSCRIPTIONS, SUBSCRIPTION)
    path = f"{SUBSCRIPTIONS}/{created['id']}"
    assert await api.put(path, SUBSCRIPTION | {"id": "another"}) == created
    await api.refused(400, "PUT", path, json=SUBSCRIPTION)


async def test_w6_omitted_fields_are_reset(serve: Serve) -> None:
    api = await serve(quirks={"notification_email_omitted": "cleared", "enabled_omitted": "reset"})
    created = await api.post(SUBSCRIPTIONS, SUBSCRIPTION)
    path = f"{SUBSCRIPTIONS}/{created['id']}"
    body = SUBSCRIPTION | {"id": created["id"]}
    assert (await api.put(path, body | {"enabled": False}))["enabled"] is False
    del body["notification_email"]
    after = await api.put(path, body)
    assert after["enabled"] is True
    assert "notification_email" not in after


async def test_w7_a_pair_of_url_and_type_is_unique(serve: Serve) -> None:
    api = await serve(quirks={"duplicate_subscription": "rejected"})
    await api.post(SUBSCRIPTIONS, SUBSCRIPTION)
    await api.refused(400, "POST", SUBSCRIPTIONS, json=SUBSCRIPTION)
    await api.post(SUBSCRIPTIONS, SUBSCRIPTION | {"event_type": "CALL_STARTED"})


# Telephony events


async def test_p5_times_of_rows(serve: Serve) -> None:
    stamps = {}
    for spelling in ("iso_basic", "iso_rome", "epoch_ms"):
        api = await serve(quirks={"event_times": spelling, "single_event_times": spelling})
        (row,) = await events_of(api, f"{EVENTS}?size=1")
        assert (await api.get(f"{EVENTS}/{row['id']}"))["timestamp"] == row["timestamp"]
        stamps[spelling] = row["timestamp"]
    assert stamps["iso_basic"].endswith(".000+0000")
    assert stamps["iso_rome"].endswith("+01:00")
    assert isinstance(stamps["epoch_ms"], int)


async def test_t4_a_single_event_is_enveloped(serve: Serve) -> None:
    bare, enveloped = [await serve(quirks={"single_event": each}) for each in ("bare", "enveloped")]
    event = await bare.get(f"{EVENTS}/8000")
    assert await enveloped.get(f"{EVENTS}/8000") == {
        "timestamp": event["timestamp"],
        "type": event["type"],
        "data": event,
        "pbx_id": bare.sandbox.state.directory.pbx_id,
    }


async def test_p14_p15_a_single_fax_has_the_fields_of_the_webhook(serve: Serve) -> None:
    api = await serve(quirks={"single_fax": "document"})
    rows = await events_of(api)
    for direction in ("INBOUND", "OUTBOUND"):
        row = next(each for each in rows if (each["type"], each["direction"]) == ("FAX_CALL", direction))
        fax = await api.get(f"{EVENTS}/{row['id']}")
        assert (fax["sender"], fax["recipient"]) == (row["originatorNumber"], row["destinationNumber"])
        assert fax["direction"] == direction.lower()
        assert ("description" in fax) is (direction == "OUTBOUND")
        assert not {"type", "callId"} & set(fax)


async def test_t3_a_call_id_finds_an_object_a_list_or_a_page(serve: Serve) -> None:
    apis = [await serve(quirks={"found_by_call_id": each}) for each in ("object", "list", "page")]
    call_id = apis[0].sandbox.state.events[8006]["callId"]
    found, listed, page = [await api.get(f"{EVENTS}?callId={call_id}") for api in apis]
    assert [each["id"] for each in listed] == [8006, 8007]
    assert found == listed[-1]
    assert (page["content"], page["totalElements"], page["last"]) == (listed, 2, True)
    assert [(await api.get(f"{EVENTS}?callId=none")) for api in apis[1:]] == [[], page | _empty_page()]


def _empty_page() -> dict[str, Any]:
    return {"content": [], "totalElements": 0, "totalPages": 0, "numberOfElements": 0}


@pytest.mark.parametrize(("reading", "answer"), [("null", None), ("empty_list", [])])
async def test_t3_an_unknown_call_id(serve: Serve, reading: str, answer: object) -> None:
    api = await serve(quirks={"unknown_call_id": reading})
    assert await api.get(f"{EVENTS}?callId=none") == answer


async def test_t5_the_end_of_an_interval(serve: Serve) -> None:
    closed, half_open = [await serve(quirks={"interval": each}) for each in ("closed", "half_open")]
    end = (await events_of(closed))[50]["timestamp"]
    inside, outside = [await events_of(api, date_time_to=end) for api in (closed, half_open)]
    assert inside[-1]["timestamp"] == end
    assert outside[-1]["timestamp"] < end


async def test_t6_a_number_matches_by_suffix(serve: Serve) -> None:
    api = await serve(quirks={"number_match": "suffix"}, contacts=0, events=0)
    for number in ("0697631539", "390697631539", "+390697631539", "97631539", "1539", "+390697631530", "anonymous"):
        row = {"type": "PHONE_CALL", "timestamp": 0, "originatorNumber": number, "destinationNumber": "x"}
        api.sandbox.state.events.append(row)
    found = [row["originatorNumber"] for row in await events_of(api, number="0697631539")]
    assert found == ["0697631539", "390697631539", "+390697631539", "97631539", "1539"]
    assert [row["originatorNumber"] for row in await events_of(api, number="anonymous")] == ["anonymous"]


@pytest.mark.parametrize(("reading", "other"), [("originator", "destination"), ("destination", "originator")])
async def test_t6_a_number_matches_one_leg(serve: Serve, reading: str, other: str) -> None:
    api = await serve(quirks={"number_legs": reading})
    found = await events_of(api, number="101")
    assert found
    assert {row[f"{reading}Number"] for row in found} == {"101"}
    assert {row[f"{other}Number"] for row in found} != {"101"}


async def test_t8_sort_is_an_object(serve: Serve) -> None:
    api = await serve(quirks={"sort_shape": "object"})
    sort = (await api.post(f"{EVENTS}?sort=timestamp,asc", {}))["sort"]
    assert (sort["property"], sort["ascending"], sort["descending"]) == ("timestamp", True, False)
    assert (await api.post(EVENTS, {}))["sort"] == {"ascending": False, "descending": False}


async def test_t9_pages_count_from_one(serve: Serve) -> None:
    api = await serve(quirks={"first_page": 1})
    default, first = await api.post(EVENTS, {}), await api.post(f"{EVENTS}?page=1", {})
    assert default == first
    assert (first["number"], first["first"]) == (1, True)
    assert (await api.post(f"{EVENTS}?page=10", {}))["last"] is True
    await api.refused(400, "POST", f"{EVENTS}?page=0", json={})


async def test_t10_an_unknown_sort_is_ignored(serve: Serve) -> None:
    api = await serve(quirks={"unknown_sort": "ignored"})
    assert (await api.post(f"{EVENTS}?sort=duration,asc", {}))["sort"] == []


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_t10_ties_change_places_between_queries(serve: Serve, order: str) -> None:
    api = await serve(quirks={"tie_order": "unstable"})
    path = f"{EVENTS}?sort=timestamp,{order}&size=200"
    first, second, third = [[row["id"] for row in await events_of(api, path)] for _ in range(3)]
    assert first == third != second
    assert sorted(first) == sorted(second)
    moment = api.sandbox.state.events.moment
    assert [moment(each) for each in first] == [moment(each) for each in second]


async def test_t10_a_row_is_lost_and_another_doubled_where_a_page_ends_in_a_tie(serve: Serve) -> None:
    api = await serve(quirks={"tie_order": "unstable"})
    rows = [row["id"] for page in (0, 1) for row in await events_of(api, f"{EVENTS}?size=7&page={page}")]
    assert rows == [8000, 8001, 8002, 8003, 8004, 8005, 8006, 8006, 8008, 8009, 8010, 8011, 8012, 8013]


@pytest.mark.parametrize("cap", [100, 1000])
async def test_t8_t11_a_large_size_is_capped_in_silence(serve: Serve, cap: int) -> None:
    api = await serve(quirks={"size_cap": cap})
    page = await api.post(f"{EVENTS}?size={cap + 1}", {})
    assert (page["size"], len(page["content"])) == (cap, min(cap, 200))


async def test_t8_a_large_size_is_rejected(serve: Serve) -> None:
    api = await serve(quirks={"oversize": "rejected"})
    assert await api.refused(400, "POST", f"{EVENTS}?size=2001", json={}) == "size must be at most 2000"
    assert (await api.post(f"{EVENTS}?size=2000", {}))["size"] == 2000


async def test_t14_click_to_calls_are_no_part_of_queries(serve: Serve) -> None:
    api = await serve(quirks={"click_to_call_rows": "hidden"})
    api.sandbox.state.events.append({"type": "CLICK_TO_CALL", "timestamp": 0, "callId": "x"})
    assert {row["type"] for row in await events_of(api)} == {"PHONE_CALL", "FAX_CALL"}
    assert {row["type"] for row in await events_of(api, number="101")} == {"PHONE_CALL"}
    assert (await api.get(f"{EVENTS}?callId=x"))["type"] == "CLICK_TO_CALL"


async def test_p3_some_rows_have_an_unknown_type(serve: Serve) -> None:
    api = await serve(quirks={"unknown_event_types": "present"})
    assert {row["id"] for row in await events_of(api) if row["type"] == "VIDEO_CALL"} == set(range(8000, 8200, 25))


# Click-to-call


async def test_k1_the_name_has_an_underscore_on_get(serve: Serve) -> None:
    api = await serve(quirks={"name_on_get": "underscore"})
    created = await api.post(CLICK_TO_CALL, RESOURCE | {"name": "front-desk"})
    assert created["name"] == "ctc-front-desk"
    assert (await api.get(f"{CLICK_TO_CALL}/{created['id']}"))["name"] == "ctc_front-desk"


async def test_k2_a_foreign_outbound_number(serve: Serve) -> None:
    kept, rejected = [await serve(quirks={"outbound_number": each}) for each in ("kept", "rejected")]
    assert (await kept.post(CLICK_TO_CALL, RESOURCE))["outboundNumber"] == RESOURCE["outboundNumber"]
    await rejected.refused(400, "POST", CLICK_TO_CALL, json=RESOURCE)


@pytest.mark.parametrize("length", [32, 33])
async def test_k5_the_length_of_ids(serve: Serve, length: int) -> None:
    api = await serve(quirks={"id_length": length})
    assert len((await api.post(CLICK_TO_CALL, RESOURCE))["id"]) == length


async def test_k12_which_extensions_will_do(serve: Serve) -> None:
    known, of_user, unchecked = [await serve(quirks={"extension": each}) for each in ("known", "of_user", "unchecked")]
    group, nobody = RESOURCE | {"extension": "801"}, RESOURCE | {"extension": "007"}
    await known.post(CLICK_TO_CALL, group)
    await known.refused(400, "POST", CLICK_TO_CALL, json=nobody)
    await of_user.refused(400, "POST", CLICK_TO_CALL, json=group)
    assert (await unchecked.post(CLICK_TO_CALL, nobody))["extension"] == "007"
