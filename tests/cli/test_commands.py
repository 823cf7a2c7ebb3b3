"""Every command, against the sandbox's own state."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from voxloud_async.sandbox import Quirks, Sandbox
from voxloud_async.sandbox.background import in_background

if TYPE_CHECKING:
    from .conftest import Console

ADA = ["--first-name", "Ada", "--primary-phone", "+390312345678"]


def made_contact(voxloud: Console, *more: str) -> str:
    return str(voxloud.ok("contacts", "create", *ADA, *more).row["id"])


def made_button(voxloud: Console) -> str:
    did = voxloud.sandbox.state.directory.dids[0].number
    tokens = ["--name", "site", "--extension", "101", "--outbound-number", did, "--dial-first", "contact"]
    return str(voxloud.ok("click-to-call", "create", *tokens).row["id"])


def made_subscription(voxloud: Console) -> str:
    tokens = ["--callback-url", "https://crm.example/hook", "--event-type", "CALL_INCOMING"]
    return str(voxloud.ok("webhooks", "create", *tokens).row["id"])


def test_auth_check(voxloud: Console) -> None:
    directory = voxloud.sandbox.state.directory
    assert voxloud.ok("auth", "check").row == {"name": directory.company, "email": directory.email}


def test_users(voxloud: Console) -> None:
    held = [user.id for user in voxloud.sandbox.state.directory.users]
    assert [row["id"] for row in voxloud.ok("users", "list").rows] == held


def test_contacts_create_sends_what_was_given(voxloud: Console) -> None:
    found = made_contact(voxloud, "--phones", "+390311111111", "--phones", "+390322222222", "--company-name", "Engines")
    contact = voxloud.sandbox.state.contacts[found]
    assert (contact.first_name, contact.primary_phone, contact.company_name) == ("Ada", "+390312345678", "Engines")
    assert contact.phones == ("+390311111111", "+390322222222")


def test_contacts_get(voxloud: Console) -> None:
    found = made_contact(voxloud)
    assert voxloud.ok("contacts", "get", found).row["first_name"] == "Ada"
    assert voxloud("contacts", "get", "nobody").code == 4


def test_contacts_update_keeps_what_is_not_given(voxloud: Console) -> None:
    found = made_contact(voxloud, "--company-name", "Engines", "--crm-name", "Hubspot")
    voxloud.ok("contacts", "update", found, "--last-name", "Lovelace")
    contact = voxloud.sandbox.state.contacts[found]
    assert (contact.last_name, contact.company_name, contact.crm_name) == ("Lovelace", "Engines", "Hubspot")


def test_contacts_update_replaces_on_request(voxloud: Console) -> None:
    found = made_contact(voxloud, "--company-name", "Engines")
    voxloud.ok("contacts", "update", found, "--replace", *ADA, "--last-name", "Lovelace")
    contact = voxloud.sandbox.state.contacts[found]
    assert (contact.last_name, contact.company_name) == ("Lovelace", None)


def test_contacts_delete(voxloud: Console) -> None:
    found = made_contact(voxloud)
    assert voxloud.ok("contacts", "delete", found).out == ""
    assert found not in voxloud.sandbox.state.contacts


def test_contacts_search(voxloud: Console) -> None:
    found = made_contact(voxloud, "--primary-email", "ada@engines.example")
    rows = voxloud.ok("contacts", "search", "--first-name", "aD", "--email", "engines").rows
    assert [row["id"] for row in rows] == [found]
    assert len(voxloud.ok("contacts", "search").rows) == 31
    assert len(voxloud.ok("contacts", "search", "--limit", "7").rows) == 7


def test_click_to_calls(voxloud: Console) -> None:
    found = made_button(voxloud)
    assert voxloud.ok("click-to-call", "get", found).row["dial_first"] == "contact"
    assert [row["id"] for row in voxloud.ok("click-to-call", "list").rows] == [found]
    voxloud.ok("click-to-call", "delete", found)
    assert voxloud.ok("click-to-call", "list").rows == []


def test_click_to_call_connect_rings_nobody_where_nobody_can_be_asked(voxloud: Console) -> None:
    found = made_button(voxloud)
    result = voxloud("click-to-call", "connect", found, "--contact", "+39555666777")
    assert (result.code, result.out) == (2, "")
    assert result.err == "voxloud: this rings a phone and nobody is here to be asked: say --yes\n"
    assert voxloud.sandbox.calls_placed == []


def test_click_to_call_connect_rings_once(voxloud: Console) -> None:
    found = made_button(voxloud)
    result = voxloud.ok("click-to-call", "connect", found, "--contact", "+39555666777", "--yes")
    assert result.row == {"contact": "+39555666777"}
    assert [call.contact for call in voxloud.sandbox.calls_placed] == ["+39555666777"]


def test_webhooks(voxloud: Console) -> None:
    found = made_subscription(voxloud)
    assert voxloud.ok("webhooks", "get", found).row["callback_url"] == "https://crm.example/hook"
    assert [row["id"] for row in voxloud.ok("webhooks", "list").rows] == [found]
    voxloud.ok("webhooks", "delete", found)
    assert voxloud.ok("webhooks", "list").rows == []


def test_webhooks_update_keeps_what_is_not_given(voxloud: Console) -> None:
    found = made_subscription(voxloud)
    voxloud.ok("webhooks", "update", found, "--disabled", "--notification-email", "it@engines.example")
    kept = voxloud.sandbox.state.subscriptions[found]
    assert (kept.enabled, kept.event_type, kept.callback_url) == (False, "CALL_INCOMING", "https://crm.example/hook")
    voxloud.ok(
        "webhooks", "update", found, "--enabled", "--event-type", "PHONE_CALL", "--callback-url", "https://b.example"
    )
    kept = voxloud.sandbox.state.subscriptions[found]
    assert (kept.enabled, kept.event_type, kept.callback_url) == (True, "PHONE_CALL", "https://b.example")
    assert kept.notification_email == "it@engines.example"


@pytest.mark.parametrize("quirk", [{"enabled_omitted": "reset"}, {"notification_email_omitted": "cleared"}], ids=str)
def test_webhooks_update_keeps_what_the_service_would_not(
    voxloud: Console, quirk: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with in_background(Sandbox(contacts=0, users=3, events=0, quirks=Quirks(**quirk))) as sandbox:
        monkeypatch.setenv("VOXLOUD_BASE_URL", sandbox.url)
        monkeypatch.setenv("VOXLOUD_API_KEY", sandbox.api_key)
        found = made_subscription(voxloud)
        voxloud.ok("webhooks", "update", found, "--disabled", "--notification-email", "it@engines.example")
        voxloud.ok("webhooks", "update", found, "--callback-url", "https://b.example")
        kept = sandbox.state.subscriptions[found]
    assert (kept.enabled, kept.notification_email) == (False, "it@engines.example")
    assert kept.callback_url == "https://b.example"


def test_json_is_one_array(voxloud: Console) -> None:
    assert len(json.loads(voxloud.ok("contacts", "search", "--limit", "3", "--format", "json").out)) == 3
    assert json.loads(voxloud.ok("webhooks", "list", "--format", "json").out) == []


def test_json_of_one_object_is_that_object(voxloud: Console) -> None:
    assert json.loads(voxloud.ok("auth", "check", "--format", "json").out)["name"]


def test_csv_has_the_wire_names(voxloud: Console) -> None:
    found = made_contact(voxloud, "--phones", "+390311111111", "--phones", "+390322222222")
    for tokens in (["search", "--first-name", "ada", "--phone", "031234"], ["get", found]):
        (row,) = csv.DictReader(io.StringIO(voxloud.ok("contacts", *tokens, "--format", "csv").out))
        assert row["id"] == found
        assert row["phones"] == "+390311111111;+390322222222"
        assert row["last_name"] == ""


def test_csv_of_users_keeps_what_is_nested(voxloud: Console) -> None:
    rows = [*csv.DictReader(io.StringIO(voxloud.ok("users", "list", "--format", "csv").out))]
    held = voxloud.sandbox.state.directory.users
    assert [row["extension_number"] for row in rows] == [str(user.extension) for user in held]
    assert len(json.loads(rows[0]["outbound_cli"])["available_dids"]) == len(held[0].dids)


def test_a_table_has_a_line_for_each_row(voxloud: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    title, *lines = voxloud.ok("users", "list", "--format", "table").out.splitlines()
    assert title.split() == ["EXT", "NAME", "OUTBOUND", "NUMBER", "ID"]
    users = voxloud.sandbox.state.directory.users
    assert [line.split()[0] for line in lines] == [str(user.extension) for user in users]
    assert [line.split()[-1] for line in lines] == [user.id for user in users]
    assert max(map(len, lines)) <= 80


def test_a_table_of_one_object_has_a_line_for_each_field(voxloud: Console) -> None:
    lines = voxloud.ok("contacts", "get", made_contact(voxloud), "--format", "table").out.splitlines()
    assert "first_name     Ada" in lines
