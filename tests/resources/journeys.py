"""What every reading of the API text must allow: a journey through each section, checked against the PBX itself."""

from __future__ import annotations

import csv
import io
import json
from contextlib import aclosing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from voxloud_async.errors import AuthenticationError, DecodeError, NotFoundError
from voxloud_async.models import EventType
from voxloud_async.protocol.codec import unstructure
from voxloud_async.protocol.codec.scalars import moment

if TYPE_CHECKING:
    from voxloud_async import VoxloudClient
    from voxloud_async.models import Contact
    from voxloud_async.sandbox import Sandbox

JOHN: dict[str, Any] = {
    "first_name": "Johnathan",
    "last_name": "Doe",
    "primary_phone": "+390312345678",
    "phones": ["+390387654321"],
    "primary_email": "j.doe@example.com",
    "company_name": "John&Associates",
    "job_title": "CEO",
    "crm_name": "Hubspot",
}


def held(contact: Contact) -> dict[str, Any]:
    """What a contact holds, less what the service may rewrite by itself."""
    return {
        name: value
        for name, value in unstructure(contact).items()
        if value and name not in {"updated_at", "company_name", "revision"}
    }


async def account(client: VoxloudClient, _: Sandbox) -> None:
    assert (await client.validate_auth()).email
    assert await client.is_authenticated()
    with pytest.raises((NotFoundError, DecodeError)):
        await client.request("GET", "/api/v1/nothing-here")


async def contacts(client: VoxloudClient, sandbox: Sandbox) -> None:
    made = await client.contacts.create(**JOHN)
    assert sandbox.state.contacts[made.id].first_name == "Johnathan"
    assert held(await client.contacts.get(made.id)) == held(made)
    assert made.company_name in {"John&Associates", "John & Associates"}

    updated = await client.contacts.update(made.id, **JOHN | {"job_title": "CTO"})
    assert held(updated) == held(made) | {"job_title": "CTO"}
    patched = await client.contacts.patch(made.id, last_name="Roe")
    assert held(patched) == held(updated) | {"last_name": "Roe"}
    assert sandbox.state.contacts[made.id].crm_name == "Hubspot"
    careful = await client.contacts.update_if_unchanged(await client.contacts.get(made.id), job_title="COO")
    assert held(careful) == held(patched) | {"job_title": "COO"}

    everybody = await client.contacts.search(page_size=7).collect()
    assert sorted(each.id for each in everybody) == sorted(sandbox.state.contacts)
    assert await client.contacts.search(first_name="jOhNaTh", page_size=1).first() == careful
    found = await client.contacts.find(phone="+39 0387 654321", email="J.DOE@example.com")
    assert [each.id for each in found] == [made.id]

    await client.contacts.delete(made.id)
    assert made.id not in sandbox.state.contacts
    await client.contacts.delete(made.id, missing_ok=True)
    with pytest.raises(NotFoundError):
        await client.contacts.get(made.id)


async def users(client: VoxloudClient, sandbox: Sandbox) -> None:
    listed = await client.users.list()
    assert [each.id for each in listed] == [each.id for each in sandbox.state.directory.users]
    assert [each.extension_number for each in listed] == [str(each.extension) for each in sandbox.state.directory.users]


async def subscriptions(client: VoxloudClient, sandbox: Sandbox) -> None:
    resource = client.webhook_subscriptions
    wanted = [EventType.CALL_INCOMING, EventType.PHONE_CALL, EventType.CALL_HANGUP]
    made = [await resource.create(callback_url="https://x.example/hook", event_type=each) for each in wanted]
    assert [each.event_type for each in made] == wanted
    assert [each.event_type for each in await resource.list()] == wanted
    assert (await resource.get(made[1].id)).event_type == "PHONE_CALL"

    updated = await resource.update(
        made[0].id,
        callback_url="https://x.example/other",
        event_type="CLICK_TO_CALL",
        enabled=False,
        notification_email="admin@example.com",
    )
    assert (updated.event_type, updated.enabled) == ("CLICK_TO_CALL", False)
    assert sandbox.state.subscriptions[updated.id].callback_url == "https://x.example/other"

    for each in made:
        await resource.delete(each.id)
    await resource.delete(made[0].id, missing_ok=True)
    assert await resource.list() == []
    with pytest.raises(NotFoundError):
        await resource.get(made[0].id)


def visible(sandbox: Sandbox) -> dict[int, Any]:
    """The records that a query may show, in order of time."""
    rows = {number: sandbox.state.events[number] for number in sandbox.state.events.ids}
    hidden = "CLICK_TO_CALL" if sandbox.quirks.click_to_call_rows == "hidden" else None
    return {number: row for number, row in rows.items() if row["type"] != hidden}


async def events(client: VoxloudClient, sandbox: Sandbox) -> None:
    rows, size = visible(sandbox), 40
    everything = await client.telephony_events.query(page_size=size).collect()
    assert sorted(each.id for each in everything if each.id) == sorted(rows)
    times = [each.timestamp for each in everything if each.timestamp]
    assert times == sorted(times) == sorted(moment(row["timestamp"]) for row in rows.values())

    first, last = times[10], times[60]
    some = await client.telephony_events.query(date_time_from=first, date_time_to=last, page_size=size).collect()
    assert {first} <= {each.timestamp for each in some} <= {at for at in times if first <= at <= last}
    newest = await client.telephony_events.query(sort="timestamp,desc", page_size=5, max_items=5).collect()
    assert [each.timestamp for each in newest] == times[:-6:-1]

    number = next(row["destinationNumber"] for row in rows.values() if row["type"] == "PHONE_CALL")
    legs = [each.id async for each in client.telephony_events.query(number=number, page_size=2000)]
    assert set(legs) <= {
        key for key, row in rows.items() if number in {row["originatorNumber"], row["destinationNumber"]}
    }

    for kind in {row["type"] for row in rows.values()}:
        row = next(row for row in rows.values() if row["type"] == kind)
        event = await client.telephony_events.get(row["id"])
        assert (event.id, event.timestamp) == (row["id"], moment(row["timestamp"]))
        found = await client.telephony_events.find_by_call_id(row["callId"])
        assert row["id"] in [each.id for each in found]
    assert await client.telephony_events.find_by_call_id("unknown") == []
    with pytest.raises(NotFoundError):
        await client.telephony_events.get(1)


async def incremental(client: VoxloudClient, sandbox: Sandbox) -> None:
    """Two jobs, the first of which is killed after its first batch, come to each row once."""
    async with aclosing(client.telephony_events.incremental(page_size=40)) as batches:
        first = await anext(batches)
    rest = [batch async for batch in client.telephony_events.incremental(first.state, page_size=40)]
    told = [each.id for batch in (first, *rest) for each in batch.items]
    lag = sandbox.now - timedelta(minutes=1)
    rows = {key for key, row in visible(sandbox).items() if moment(row["timestamp"]) <= lag}
    assert len(told) == len(set(told))
    assert set(told) == rows
    assert [len(each.items) async for each in client.telephony_events.incremental(rest[-1].state)] == [0]


async def csv_rows(client: VoxloudClient, sandbox: Sandbox) -> None:
    """The CSV and the JSON of one query hold the same rows."""
    size = 40
    expected = [unstructure(event) async for event in client.telephony_events.query(page_size=size)]
    chunks = [chunk async for chunk in client.telephony_events.export_csv(page_size=size)]
    lines = b"".join(chunks).decode()
    assert lines.count("imestamp") == 1
    delimiter = "," if sandbox.quirks.csv_header == "absent" else sandbox.quirks.csv_delimiter  # that of the JSON
    table = list(csv.reader(io.StringIO(lines, newline=""), delimiter=delimiter))
    header = [name.replace("_", "").casefold() for name in table[0]]
    assert {len(row) for row in table} == {len(header)}
    assert len(header) == len(set(header))
    written = [dict(zip(header, row, strict=True)) for row in table[1:]]
    if sandbox.quirks.tie_order == "unstable":
        written.sort(key=lambda row: int(row["id"]))
        expected.sort(key=lambda row: int(row["id"]))
    assert [row["id"] for row in written] == [str(row["id"]) for row in expected]
    for row, origin in zip(written, expected, strict=True):
        for name, value in origin.items():
            if name not in {"revision", "timestamp"}:
                assert row[name.replace("_", "").casefold()] in spellings(value)
        stamp = row["timestamp"]
        assert moment(int(stamp) if stamp.isdigit() else stamp) == moment(origin["timestamp"])


def spellings(value: Any) -> set[str]:
    if value is None:
        return {""}
    if isinstance(value, list):
        return {";".join(value), json.dumps(value, ensure_ascii=False)}
    return {json.dumps(value)} if isinstance(value, bool) else {str(value)}


async def click_to_calls(client: VoxloudClient, sandbox: Sandbox) -> None:
    resource = client.click_to_call
    user = (await client.users.list())[0]
    assert user.extension_number
    own = sandbox.state.directory.dids[0].number
    made = await resource.create(
        name="support", extension=user.extension_number, outbound_number=own, dial_first="contact"
    )
    assert (made.friendly_name, made.extension, made.outbound_number) == ("support", user.extension_number, own)
    got = await resource.get(made.id)
    assert got.friendly_name == made.friendly_name
    assert got.dial_first == "contact"
    assert [each.id for each in await resource.list()] == [made.id]

    connection = await resource.connect(made.id, contact="+39987654321")
    assert connection.contact == "+39987654321"
    assert [(call.click_to_call_id, call.contact) for call in sandbox.calls_placed] == [(made.id, "+39987654321")]

    await resource.delete(made.id)
    await resource.delete(made.id, missing_ok=True)
    with pytest.raises(NotFoundError):
        await resource.connect(made.id, contact="+39987654321")
    assert len(sandbox.calls_placed) == 1


async def wrong_key(client: VoxloudClient, _: Sandbox) -> None:
    """With a client whose key the sandbox does not know."""
    assert not await client.is_authenticated()
    with pytest.raises(AuthenticationError):
        await client.users.list()


JOURNEYS = (account, contacts, users, subscriptions, events, incremental, csv_rows, click_to_calls)
