"""The default seed shows all that the API documents of records: every field, every value, with and without."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest

from tests.document import SCHEMAS
from voxloud_async.sandbox import Sandbox, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.sandbox.conftest import Api, Serve
    from tests.sandbox.receiving import Receiver

CLICK_TO_CALL = "/api/v1/click-to-call"
EVENTS = "/api/v1/telephony-events"

KINDS = {"PHONE_CALL": "PhoneCall", "FAX_CALL": "FaxCall", "CLICK_TO_CALL": "ClickToCallCall"}

CANNOT_BE = {("FaxCall", "direction", "INTERNAL"), ("Fax", "type")}
"""A fax comes or goes: no extension sends one to another. The documented fax webhook has no type."""

ALWAYS = {"id", "type", "callId", "timestamp", "direction", "duration", "archived", "accountId"}
ENDS = {"originatorNumber", "originatorName", "destinationNumber", "destinationName"}
ALWAYS_THERE = {
    "PhoneCall": ALWAYS | ENDS | {"lastEvent", "recorded", "voicemail"},
    "FaxCall": ALWAYS | ENDS,
    "ClickToCallCall": ALWAYS | ENDS | {"ringTime", "queueCallId", "clickToCallType", "recorded"},
    "Fax": set(SCHEMAS["Fax"]["properties"]) - {"type", "description"},
    "CallEvent": set(SCHEMAS["CallEvent"]["properties"]),
    "Contact": {"id", "first_name", "primary_phone", "phones", "emails", "crm_name", "created_at", "updated_at"},
    "User": set(SCHEMAS["User"]["properties"]),
    "OutboundCli": {"available_dids"},
    "Did": {"number", "label"},
}
"""What the sandbox leaves out of no object; all else is there in some and missing in others."""


def values_of(described: dict[str, Any]) -> set[Any]:
    """The values that a field is documented to have, where they are counted."""
    resolved = SCHEMAS[described["$ref"].rpartition("/")[2]] if "$ref" in described else described
    return {True, False} if resolved.get("type") == "boolean" else set(resolved.get("enum", ()))


def missing(name: str, objects: Iterable[dict[str, Any]]) -> set[tuple[str, ...]]:
    """Fields that never or, though they need not be there, always occur; documented values that never occur."""
    seen: dict[str, list[Any]] = defaultdict(list)
    count = 0
    for count, each in enumerate(objects, 1):  # noqa: B007 - how many there are
        for field, value in each.items():
            if value is not None:
                seen[field].append(value)
    found: set[tuple[str, ...]] = set()
    for field, described in SCHEMAS[name]["properties"].items():
        if field not in seen:
            found.add((name, field))
            continue
        if (len(seen[field]) == count) is not (field in ALWAYS_THERE[name]):
            found.add((name, field, "always there" if len(seen[field]) == count else "sometimes missing"))
        wanted = values_of(described)
        occurring = {each for each in seen[field] if not isinstance(each, list | dict)} if wanted else set()
        found |= {(name, field, str(value)) for value in wanted - occurring}
    return found - CANNOT_BE


@pytest.fixture(scope="module")
def rows() -> dict[str, list[dict[str, Any]]]:
    events, found = Sandbox().state.events, defaultdict(list)
    for each in events.ids:
        row = events[each]
        found[row["type"]].append(row)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_every_documented_field_and_value_of_a_record_occurs(rows: dict[str, list[dict[str, Any]]], kind: str) -> None:
    assert missing(KINDS[kind], rows[kind]) == set()


def test_there_are_no_records_of_other_kinds(rows: dict[str, list[dict[str, Any]]]) -> None:
    assert set(rows) == set(KINDS)


def test_anonymous_is_a_rare_sender_and_never_a_recipient(rows: dict[str, list[dict[str, Any]]]) -> None:
    every = [row for some in rows.values() for row in some]
    assert not [row for row in every if row["destinationNumber"] == "anonymous"]
    assert not [row for row in every if row["originatorNumber"] == "anonymous" and row["direction"] != "INBOUND"]
    faxes = rows["FAX_CALL"]
    assert 0 < sum(row["originatorNumber"] == "anonymous" for row in faxes) < len(faxes) / 20


async def test_every_documented_field_of_contacts_and_users_occurs(serve: Serve) -> None:
    api = await serve(contacts=100, users=12)
    users = await api.get("/api/v2/users")
    clis = [user["outbound_cli"] for user in users]
    objects = {
        "Contact": (await api.get("/api/v1/contacts?limit=100"))["data"],
        "User": users,
        "OutboundCli": clis,
        "Did": [did for cli in clis for did in cli["available_dids"]],
    }
    for name, some in objects.items():
        assert missing(name, some) == set()


@pytest.mark.parametrize(
    ("name", "event_types"),
    [("CallEvent", ("CALL_INCOMING", "CALL_STARTED", "CALL_ANSWERED", "CALL_HANGUP")), ("Fax", ("FAX_CALL",))],
)
async def test_every_documented_field_and_value_of_a_webhook_is_delivered(
    serve: Serve, receiver: Receiver, name: str, event_types: tuple[str, ...]
) -> None:
    api = await serve(traffic=Traffic(calls_per_second=1000, calls=200))
    for event_type in event_types:
        receiver.subscribe(api.sandbox, event_type)
    await api.sandbox.drain()
    assert missing(name, (event["data"] for event in receiver.events)) == set()


async def test_the_record_of_a_connected_call_has_what_the_text_gives_it(api: Api) -> None:
    """Recording, labels, rules and, of a contact that is known, its CRM."""
    known = next(each for each in api.sandbox.state.contacts.values() if each.crm_contact_url)
    made = await api.post(CLICK_TO_CALL, {"name": "a", "extension": "101", "outboundNumber": "+390612345678"})
    for _ in range(60):
        await api.post(f"{CLICK_TO_CALL}/{made['id']}/connect", {"contact": known.primary_phone})
    await api.sandbox.drain()
    page = await api.post(f"{EVENTS}?size=60&sort=timestamp,desc", {"number": known.primary_phone.removeprefix("+")})
    records = [row for row in page["content"] if row["type"] == "CLICK_TO_CALL"]
    assert all(row["contactCrm"] == known.crm_name and row["contactCrmUrl"] == known.crm_contact_url for row in records)
    sometimes = {"recordingUrl", "labels", "ruleNames", "transcription", "summary", "sentiment_score"}
    assert all(0 < sum(name in row for row in records) < len(records) for name in sometimes)
