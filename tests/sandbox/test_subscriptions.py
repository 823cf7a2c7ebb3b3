from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.sandbox.conftest import Api

PATH = "/api/v1/webhook-subscriptions"
NEW = {"callback_url": "http://my-endpoint.example", "event_type": "CALL_INCOMING", "notification_email": "a@b.example"}


async def test_create_get_list_delete(api: Api) -> None:
    reply = await api.ask("POST", PATH, json=NEW)
    created = reply.json
    assert reply.status == 200
    assert created == NEW | {"id": created["id"], "enabled": True, "failed_count": 0}
    assert await api.get(f"{PATH}/{created['id']}") == created
    assert await api.get(PATH) == [created]
    await api.ask("DELETE", f"{PATH}/{created['id']}")
    assert await api.get(PATH) == []
    for method in ("GET", "DELETE", "PUT"):
        await api.refused(404, method, f"{PATH}/{created['id']}", json=NEW)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"callback_url": ""}, "callback_url must not be empty"),
        ({"callback_url": 1}, "callback_url must be a string, not a number"),
        ({"event_type": None}, "event_type is required"),
        ({"notification_email": 1}, "notification_email must be a string, not a number"),
    ],
)
async def test_what_a_subscription_must_hold(api: Api, change: dict[str, Any], message: str) -> None:
    assert await api.refused(400, "POST", PATH, json=NEW | change) == message


async def test_the_event_type_must_be_one_of_seven(api: Api) -> None:
    message = await api.refused(400, "POST", PATH, json=NEW | {"event_type": "CALL_RINGING"})
    assert message.startswith("event_type must be one of FAX_CALL, PHONE_CALL, CLICK_TO_CALL, ")


async def test_w5_w6_an_update_names_its_id_and_keeps_what_it_leaves_out(api: Api) -> None:
    created = await api.post(PATH, NEW)
    path = f"{PATH}/{created['id']}"
    change = {"id": created["id"], "callback_url": "https://other.example", "event_type": "CLICK_TO_CALL"}
    assert await api.put(path, change) == created | change
    assert (await api.put(path, change | {"enabled": False}))["enabled"] is False
    assert (await api.put(path, change))["enabled"] is False
    assert (await api.put(path, change | {"enabled": True, "notification_email": "c@d.example"}))["enabled"] is True
    assert (await api.get(path))["notification_email"] == "c@d.example"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": "another"}, "id must be the one of the path"),
        ({"id": None}, "id is required"),
        ({"enabled": "yes"}, "enabled must be a boolean, not a string"),
        ({"callback_url": None}, "callback_url is required"),
    ],
)
async def test_what_an_update_must_hold(api: Api, change: dict[str, Any], message: str) -> None:
    created = await api.post(PATH, NEW)
    body = NEW | {"id": created["id"]} | change
    assert await api.refused(400, "PUT", f"{PATH}/{created['id']}", json=body) == message
    assert await api.get(f"{PATH}/{created['id']}") == created
