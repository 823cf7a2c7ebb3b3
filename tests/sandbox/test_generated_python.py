"""A client that openapi-python-client generates with its defaults does on the sandbox all that the API offers."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import voxloud_async

pytest.importorskip("openapi_python_client", reason="openapi-python-client is not installed")

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from tests.sandbox.conftest import Api, Serve

    Module = Callable[[str], Any]

SPEC = Path(voxloud_async.__file__).parent / "spec"
NAME = "voxloud_by_openapi_python_client"


@pytest.fixture(scope="module", params=["voxloud.yaml", "voxloud.json"])
def generated(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Module]:
    """Import a module of the generated client by its dotted path in it."""
    folder = tmp_path_factory.mktemp("generated")
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"]
    command += ["--path", str(SPEC / request.param), "--output-path", str(folder / NAME)]
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # it formats with ruff
    made = subprocess.run(command, check=False, capture_output=True, text=True, env=os.environ | {"PATH": programs})  # noqa: S603 - our own command
    assert made.returncode == 0, made.stdout + made.stderr
    assert "warning" not in (made.stdout + made.stderr).casefold()
    sys.path.insert(0, str(folder))
    try:
        yield lambda path: importlib.import_module(f"{NAME}.{path}")
    finally:
        sys.path.remove(str(folder))
        for name in [each for each in sys.modules if each.partition(".")[0] == NAME]:
            del sys.modules[name]


class Generated:
    """The generated client, its operations by name and its models by class."""

    def __init__(self, module: Module, api: Api) -> None:
        self._module = module
        self.client = module("client").AuthenticatedClient(
            base_url=api.sandbox.url, token=api.sandbox.api_key, prefix="", auth_header_name="Voverc-Auth"
        )

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module("models"), name)

    async def call(self, operation: str, *arguments: Any, status: int = 200, **named: Any) -> Any:
        endpoint = self._module(f"api.{operation}")
        response = await endpoint.asyncio_detailed(*arguments, client=self.client, **named)
        assert response.status_code == status, response
        return response.parsed


@pytest.fixture
async def client(generated: Module, serve: Serve) -> AsyncIterator[Generated]:
    made = Generated(generated, await serve(events=2000))
    async with made.client:
        yield made


async def test_account_and_users(client: Generated) -> None:
    account = await client.call("authentication.validate_auth")
    users = await client.call("users.get_users")
    assert account.name == "Officine Meridiana srl"
    assert [user.extension_number for user in users] == [101, 102, 103]
    assert users[0].outbound_cli.available_dids[0].number.startswith("+39")


async def test_contacts(client: Generated) -> None:
    request = client.ContactRequest(first_name="Ada", primary_phone="+390312345678", phones=["+390387654321"])
    made = await client.call("contacts.create_contact", body=request)
    found = await client.call("contacts.search_contacts", first_name="aDa", last_name="", limit=5)
    assert made in found.data
    assert (await client.call("contacts.get_contact", made.id)) == made
    for verb in ("update_contact", "update_contact_by_post"):
        request.last_name = verb
        assert (await client.call(f"contacts.{verb}", made.id, body=request)).last_name == verb
    await client.call("contacts.delete_contact", made.id)
    await client.call("contacts.get_contact", made.id, status=404)


async def test_webhook_subscriptions(client: Generated) -> None:
    kind = client.EventType
    request = client.WebhookSubscriptionRequest(callback_url="http://127.0.0.1:9/", event_type=kind.CALL_INCOMING)
    made = await client.call("webhook_subscriptions.create_webhook_subscription", body=request)
    assert await client.call("webhook_subscriptions.get_webhook_subscriptions") == [made]
    change = client.WebhookSubscriptionUpdate(id=made.id, callback_url=made.callback_url, event_type=kind.PHONE_CALL)
    for verb in ("update_webhook_subscription", "update_webhook_subscription_by_post"):
        change.enabled = not change.enabled
        changed = await client.call(f"webhook_subscriptions.{verb}", made.id, body=change)
        assert (changed.enabled, changed.event_type) == (change.enabled, kind.PHONE_CALL)
    kept = await client.call("webhook_subscriptions.get_webhook_subscription", made.id)
    assert (kept.enabled, kept.event_type) == (change.enabled, kind.PHONE_CALL)
    await client.call("webhook_subscriptions.delete_webhook_subscription", made.id)
    assert await client.call("webhook_subscriptions.get_webhook_subscriptions") == []


async def test_telephony_events_are_of_the_class_of_their_type(client: Generated) -> None:
    query = client.TelephonyEventQuery()
    page = await client.call(
        "telephony_events.query_telephony_events", body=query, size=1000, page=1, sort="timestamp,asc"
    )
    classes = {"PHONE_CALL": client.PhoneCall, "FAX_CALL": client.FaxCall, "CLICK_TO_CALL": client.ClickToCallCall}
    assert (page.total_elements, page.last, len(page.content)) == (2000, True, 1000)
    assert {row.type_ for row in page.content} == set(classes)
    for row in page.content:
        assert type(row) is classes[row.type_]
        assert row.additional_properties == {}
    call = next(row for row in page.content if row.type_ == "PHONE_CALL")
    one = await client.call("telephony_events.get_telephony_event", call.id)
    same = await client.call("telephony_events.get_telephony_events_by_call_id", call_id=call.call_id)
    assert (one.id, same.call_id, type(one)) == (call.id, call.call_id, client.PhoneCall)


async def test_click_to_call(client: Generated) -> None:
    users = await client.call("users.get_users")
    request = client.ClickToCallRequest(
        name="support",
        extension=str(users[0].extension_number),
        outbound_number=users[0].outbound_cli.available_dids[0].number,
        dial_first=client.DialFirst.CONTACT,
    )
    made = await client.call("click_to_call.create_click_to_call", body=request)
    assert made.dial_first is client.DialFirst.CONTACT
    assert await client.call("click_to_call.get_click_to_calls") == [made]
    assert await client.call("click_to_call.get_click_to_call", made.id) == made
    contact = client.ConnectRequest(contact="+39987654321")
    assert (await client.call("click_to_call.connect_click_to_call", made.id, body=contact)).contact == contact.contact
    await client.call("click_to_call.delete_click_to_call", made.id)
    await client.call("click_to_call.get_click_to_call", made.id, status=404)
