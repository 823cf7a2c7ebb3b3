"""Traffic: calls that come by themselves, and all of it is told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.receiving import EVERYTHING, Receiver, receiving, until
from voxloud_async.sandbox import Traffic

if TYPE_CHECKING:
    from tests.sandbox.conftest import ManualTime, Serve

EVENTS = "/api/v1/telephony-events"


async def test_traffic_is_of_every_kind_and_all_of_it_is_told(serve: Serve, receiver: Receiver) -> None:
    api = await serve(users=12, events=0)
    receiver.subscribe(api.sandbox)
    api.sandbox.change_traffic(Traffic(calls_per_second=100_000, calls=300))
    await api.sandbox.drain()
    assert sorted(each.body for each in api.sandbox.deliveries) == sorted(receiver.bodies)
    kinds = {kind for kind, _ in receiver.told}
    assert kinds == set(EVERYTHING)
    records = [each["data"] for each in receiver.events if not each["type"].startswith("CALL_")]
    phone_calls = [each for each in records if each.get("type") == "PHONE_CALL"]
    assert {each["direction"] for each in phone_calls} == {"INBOUND", "OUTBOUND", "INTERNAL"}
    assert {each["voicemail"] for each in phone_calls} == {True, False}
    assert "CALL_TRANSFERRED" in {each["lastEvent"] for each in phone_calls}
    incoming = [each["data"]["callId"] for each in receiver.events if each["type"] == "CALL_INCOMING"]
    assert max(incoming.count(each) for each in incoming) >= 3
    assert len(records) == len(api.sandbox.state.events)
    assert len({each["callId"] for each in phone_calls}) > 200


async def test_what_was_told_can_be_read_back(serve: Serve, receiver: Receiver) -> None:
    api = await serve(events=50)
    receiver.subscribe(api.sandbox, "PHONE_CALL", "CLICK_TO_CALL")
    api.sandbox.change_traffic(Traffic(calls_per_second=100_000, calls=40))
    await api.sandbox.drain()
    assert len(receiver.events) > 30
    for each in receiver.events:
        assert await api.get(f"{EVENTS}/{each['data']['id']}") == each["data"]
    page = await api.post(f"{EVENTS}?size=200&sort=timestamp,asc", {})
    told = {each["data"]["id"] for each in receiver.events}
    assert told <= {row["id"] for row in page["content"]}
    assert page["totalElements"] == len(api.sandbox.state.events)


async def test_traffic_comes_at_its_rate(serve: Serve, manual_time: ManualTime) -> None:
    api = await serve(
        clock=manual_time.clock, sleep=manual_time.sleep, pace=1.0, traffic=Traffic(calls_per_second=2, calls=400)
    )
    await api.sandbox.drain()
    moments = [row["timestamp"] for row in map(api.sandbox.state.events.__getitem__, api.sandbox.state.events.ids)][
        200:
    ]
    assert (moments[-1] - moments[0]) / 1000 == pytest.approx(200, rel=0.15)
    assert len(set(moments)) > 350


async def test_traffic_is_the_same_for_the_same_seed(serve: Serve) -> None:
    async with receiving() as one, receiving() as other, receiving() as different:
        for receiver, seed in ((one, 3), (other, 3), (different, 4)):
            api = await serve(clock=lambda: 5.0, traffic=Traffic(calls_per_second=1e9, calls=20, seed=seed))
            receiver.subscribe(api.sandbox)
            await api.sandbox.drain()
        assert sorted(one.bodies) == sorted(other.bodies) != sorted(different.bodies)


async def test_traffic_ends_when_told(serve: Serve, manual_time: ManualTime) -> None:
    api = await serve(clock=manual_time.clock, traffic=Traffic(calls_per_second=1e9))
    await until(lambda: len(api.sandbox.state.events) >= 300)
    api.sandbox.change_traffic(None)
    await api.sandbox.drain()
    count = len(api.sandbox.state.events)
    manual_time.now += 1000
    await asyncio.sleep(0.01)
    assert len(api.sandbox.state.events) == count
    assert api.sandbox.traffic is None


async def test_a_lone_user_has_calls_too(serve: Serve, receiver: Receiver) -> None:
    api = await serve(users=1, groups=0, contacts=0)
    receiver.subscribe(api.sandbox)
    api.sandbox.change_traffic(Traffic(calls_per_second=1e6, calls=60))
    await api.sandbox.drain()
    assert {user for _, user in receiver.told} == {None, 101}


@pytest.mark.parametrize(
    "options", [{"calls_per_second": 0}, {"calls": -1}, {"ring": (3, 2)}, {"talk": (-1, 2)}], ids=str
)
def test_traffic_that_cannot_be(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        Traffic(**options)
