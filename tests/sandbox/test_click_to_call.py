from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from voxloud_async.sandbox import Weather

if TYPE_CHECKING:
    from tests.sandbox.conftest import Api, ManualTime, Serve

PATH = "/api/v1/click-to-call"
NEW = {"name": "support", "extension": "101", "outboundNumber": "+39123456789", "dial_first": "contact"}


async def test_create_get_list_delete(api: Api) -> None:
    created = await api.post(PATH, NEW)
    number = api.sandbox.state.directory.dids[0].number
    assert created == NEW | {"id": created["id"], "name": "ctc-support", "outboundNumber": number}
    assert await api.get(f"{PATH}/{created['id']}") == created
    assert await api.get(PATH) == [created]
    await api.ask("DELETE", f"{PATH}/{created['id']}")
    assert await api.get(PATH) == []
    await api.refused(404, "GET", f"{PATH}/{created['id']}")
    await api.refused(404, "DELETE", f"{PATH}/{created['id']}")
    await api.refused(404, "POST", f"{PATH}/{created['id']}/connect", json={"contact": "+39987654321"})


async def test_the_extension_is_dialled_first_unless_told(api: Api) -> None:
    own = api.sandbox.state.directory.dids[2].number
    created = await api.post(PATH, {"name": "a", "extension": "102", "outboundNumber": own})
    assert (created["dial_first"], created["outboundNumber"]) == ("extension", own)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": ""}, "name must not be empty"),
        ({"extension": 101}, "extension must be a string, not a number"),
        ({"extension": "999"}, "extension is not one of the PBX"),
        ({"outboundNumber": None}, "outboundNumber is required"),
        ({"dial_first": "nobody"}, "dial_first must be one of contact, extension"),
    ],
)
async def test_what_a_click_to_call_must_hold(api: Api, change: dict[str, Any], message: str) -> None:
    assert await api.refused(400, "POST", PATH, json=NEW | change) == message


async def test_k7_the_quota_is_users_and_groups(api: Api) -> None:
    created = [await api.post(PATH, NEW) for _ in range(5)]
    assert await api.refused(400, "POST", PATH, json=NEW) == "no more than 5 click-to-calls"
    await api.ask("DELETE", f"{PATH}/{created[0]['id']}")
    await api.post(PATH, NEW)


async def test_k9_connect_rings_each_time(api: Api) -> None:
    created = await api.post(PATH, NEW)
    for _ in range(2):
        assert await api.post(f"{PATH}/{created['id']}/connect", {"contact": "+39987654321"}) == {
            "contact": "+39987654321"
        }
    first, second = api.sandbox.calls_placed
    assert first.call_id != second.call_id
    assert (first.extension, first.contact, first.dial_first) == ("101", "+39987654321", "contact")


@pytest.mark.parametrize("contact", [None, "", "102", "39987654321", 39987654321])
async def test_connect_rings_nobody_without_an_e164_number(api: Api, contact: object) -> None:
    created = await api.post(PATH, NEW)
    await api.refused(400, "POST", f"{PATH}/{created['id']}/connect", json={"contact": contact})
    assert api.sandbox.calls_placed == []


async def test_k8_the_record_of_the_call_can_be_found(api: Api) -> None:
    created = await api.post(PATH, NEW)
    await api.post(f"{PATH}/{created['id']}/connect", {"contact": "+39987654321"})
    (call,) = api.sandbox.calls_placed
    record = await api.get(f"/api/v1/telephony-events?callId={call.call_id}")
    assert call.call_id.endswith("-clicktocall")
    assert record["type"] == "CLICK_TO_CALL"
    assert record["clickToCallType"] == "CONTACT"
    assert record["destinationNumber"] == "39987654321"
    assert record["originatorName"] == api.sandbox.state.directory.users[0].name
    assert await api.get(f"/api/v1/telephony-events/{record['id']}") == record


async def test_t18_the_record_comes_later(serve: Serve, manual_time: ManualTime) -> None:
    api = await serve(clock=manual_time.clock, weather=Weather(record_delay=5.0))
    created = await api.post(PATH, NEW | {"extension": "801"})
    await api.post(f"{PATH}/{created['id']}/connect", {"contact": "+39987654321"})
    (call,) = api.sandbox.calls_placed
    path = f"/api/v1/telephony-events?callId={call.call_id}"
    await api.refused(404, "GET", path)
    manual_time.now += 5
    assert (await api.get(path))["originatorName"] == "801"
    assert len(api.sandbox.state.events) == 201
