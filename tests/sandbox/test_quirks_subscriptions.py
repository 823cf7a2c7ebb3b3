"""Readings of the section on webhook subscriptions, by the id of the anomaly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.sandbox.conftest import Serve

SUBSCRIPTIONS = "/api/v1/webhook-subscriptions"
CLICK_TO_CALL = "/api/v1/click-to-call"
SUBSCRIPTION = {"callback_url": "http://a.example", "event_type": "CALL_HANGUP", "notification_email": "a@b.example"}


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
