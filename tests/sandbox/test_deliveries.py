"""What the sandbox tells of calls, over real sockets: which webhooks, when, and what else knows of them."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.receiving import LIVE, Receiver, until
from voxloud_async.sandbox import Sandbox, Subscription, Weather, in_background
from voxloud_async.sandbox.journal import KEPT
from voxloud_async.sandbox.webhooks import post

if TYPE_CHECKING:
    from tests.sandbox.conftest import Api, ManualTime, Serve

EVENTS = "/api/v1/telephony-events"
CLICK_TO_CALL = "/api/v1/click-to-call"


async def connect(api: Api, **changes: str) -> None:
    body = {"name": "a", "extension": "101", "outboundNumber": "+39123456789", **changes}
    made = await api.post(CLICK_TO_CALL, body)
    await api.post(f"{CLICK_TO_CALL}/{made['id']}/connect", {"contact": "+39987654321"})
    await api.sandbox.drain()


async def test_an_inbound_call_rings_each_user_and_one_answers(api: Api, receiver: Receiver) -> None:
    receiver.subscribe(api.sandbox)
    call = api.sandbox.place_call(number="+393331234567", extensions=(101, 102), ring=4, talk=26)
    await api.sandbox.drain()
    assert receiver.told == [
        ("CALL_INCOMING", 101),
        ("CALL_INCOMING", 102),
        ("CALL_ANSWERED", 101),
        ("CALL_HANGUP", 102),
        ("CALL_HANGUP", 101),
        ("PHONE_CALL", None),
    ]
    data = [each["data"] for each in receiver.events]
    assert {each["callId"] for each in data} == {call.call_id}
    assert {each["originatorNumber"] for each in data} == {"+393331234567"}
    assert [each["timestamp"] - call.at for each in data] == [0, 0, 4000, 4000, 30_000, 0]
    assert (data[-1]["ringTime"], data[-1]["duration"], data[-1]["answererNumber"]) == (4, 30, "101")
    assert (data[-1]["direction"], data[-1]["lastEvent"]) == ("INBOUND", "CALL_TERMINATED")


async def test_an_envelope_holds_type_time_and_pbx(api: Api, receiver: Receiver) -> None:
    receiver.subscribe(api.sandbox, "CALL_INCOMING")
    api.sandbox.place_call(extensions=(102,))
    await api.sandbox.drain()
    (envelope,) = receiver.events
    user = api.sandbox.state.directory.users[1]
    assert set(envelope) == {"timestamp", "type", "data", "pbx_id"}
    assert envelope["pbx_id"] == api.sandbox.state.directory.pbx_id
    assert envelope["timestamp"] == envelope["data"]["timestamp"]
    assert envelope["data"]["destinationName"] == user.name
    assert envelope["data"]["userEmail"].endswith("@meridiana.example")
    assert envelope["data"]["sipUsername"].startswith("sip_")


async def test_a_delivery_is_a_post_of_json(api: Api, receiver: Receiver) -> None:
    receiver.subscribe(api.sandbox, "PHONE_CALL")
    api.sandbox.place_call()
    await api.sandbox.drain()
    (request,) = receiver.requests
    assert (request.method, request.path) == ("POST", "/PHONE_CALL")
    assert request.headers["Content-Type"] == "application/json"
    assert "Voverc-Auth" not in request.headers


async def test_an_outbound_call_is_started_and_answered_outside(api: Api, receiver: Receiver) -> None:
    receiver.subscribe(api.sandbox)
    api.sandbox.place_call("OUTBOUND", number="+393331234567", extensions=(103,), ring=2, talk=3)
    await api.sandbox.drain()
    assert receiver.told == [("CALL_STARTED", 103), ("CALL_ANSWERED", 103), ("CALL_HANGUP", 103), ("PHONE_CALL", None)]
    record = receiver.events[-1]["data"]
    assert (record["originatorNumber"], record["destinationNumber"]) == ("103", "+393331234567")
    assert (record["direction"], record["answererNumber"]) == ("OUTBOUND", "+393331234567")


async def test_an_internal_call_has_two_users(api: Api, receiver: Receiver) -> None:
    receiver.subscribe(api.sandbox)
    api.sandbox.place_call("INTERNAL", extensions=(101, 103))
    await api.sandbox.drain()
    assert receiver.told == [
        ("CALL_STARTED", 101),
        ("CALL_ANSWERED", 103),
        ("CALL_HANGUP", 103),
        ("CALL_HANGUP", 101),
        ("PHONE_CALL", None),
    ]
    assert receiver.events[-1]["data"]["direction"] == "INTERNAL"


async def test_a_missed_call_may_leave_a_voicemail(api: Api, receiver: Receiver) -> None:
    receiver.subscribe(api.sandbox)
    api.sandbox.place_call(extensions=(101, 102), answered=False, ring=20, voicemail=True)
    await api.sandbox.drain()
    api.sandbox.place_call(extensions=(101,), answered=False)
    await api.sandbox.drain()
    left, not_left = [each["data"] for each in receiver.events if each["type"] == "PHONE_CALL"]
    assert (left["voicemail"], not_left["voicemail"]) == (True, False)
    assert left["voicemail_url"].endswith(f"vm_{left['callId']}.mp3")
    assert "voicemail_url" not in not_left
    assert (left["duration"], "answererNumber" in left, "ringTime" in left) == (20, False, False)
    hangups = [each["data"] for each in receiver.events if each["type"] == "CALL_HANGUP"]
    assert [each["userExtension"] for each in hangups if each["callId"] == left["callId"]] == [101, 102]
    assert not any(kind == "CALL_ANSWERED" for kind, _ in receiver.told)


async def test_t3_a_transferred_call_has_two_records(api: Api, receiver: Receiver) -> None:
    receiver.subscribe(api.sandbox)
    call = api.sandbox.place_call(extensions=(101,), ring=4, talk=40, transfer_to=103)
    await api.sandbox.drain()
    assert receiver.told == [
        ("CALL_INCOMING", 101),
        ("CALL_ANSWERED", 101),
        ("CALL_INCOMING", 103),
        ("CALL_HANGUP", 101),
        ("CALL_ANSWERED", 103),
        ("CALL_HANGUP", 103),
        ("PHONE_CALL", None),
        ("PHONE_CALL", None),
    ]
    first, second = [each["data"] for each in receiver.events[-2:]]
    assert [first["answererNumber"], second["answererNumber"]] == ["101", "103"]
    assert second["lastEvent"] == "CALL_TRANSFERRED"
    assert api.sandbox.state.events.of_call(call.call_id) == [first["id"], second["id"]]


async def test_the_caller_of_a_transferred_internal_call_stays(api: Api, receiver: Receiver) -> None:
    receiver.subscribe(api.sandbox, "CALL_HANGUP")
    api.sandbox.place_call("INTERNAL", extensions=(101, 102), transfer_to=103)
    await api.sandbox.drain()
    assert [user for _, user in receiver.told] == [102, 103, 101]


@pytest.mark.parametrize("first", ["extension", "contact"])
async def test_k8_a_connect_is_told_leg_by_leg(api: Api, receiver: Receiver, first: str) -> None:
    receiver.subscribe(api.sandbox)
    await connect(api, dial_first=first)
    legs = [("CALL_INCOMING", 101), ("CALL_ANSWERED", 101)], [("CALL_STARTED", 101), ("CALL_ANSWERED", 101)]
    ordered = legs if first == "extension" else legs[::-1]
    assert receiver.told == [*ordered[0], *ordered[1], ("CALL_HANGUP", 101), ("CLICK_TO_CALL", None)]
    (placed,) = api.sandbox.calls_placed
    assert {each["data"]["callId"] for each in receiver.events} == {placed.call_id}
    record = receiver.events[-1]["data"]
    moments = [each["data"]["timestamp"] - placed.at for each in receiver.events]
    assert moments[1] == moments[2] == record["ringTime"] * 1000
    assert moments[4] == record["duration"] * 1000
    assert record == await api.get(f"{EVENTS}/{record['id']}")


async def test_a_group_rings_together(api: Api, receiver: Receiver) -> None:
    receiver.subscribe(api.sandbox, *LIVE)
    await connect(api, extension="801")
    assert receiver.told[:3] == [("CALL_INCOMING", user) for user in (101, 102, 103)]
    assert [told for told in receiver.told if told[0] == "CALL_HANGUP"] == [
        ("CALL_HANGUP", user) for user in (102, 103, 101)
    ]


async def test_t18_the_events_come_in_the_time_of_the_call(
    serve: Serve, receiver: Receiver, manual_time: ManualTime
) -> None:
    api = await serve(clock=manual_time.clock, pace=1.0, weather=Weather(record_delay=7.0))
    receiver.subscribe(api.sandbox)
    call = api.sandbox.place_call(extensions=(101,), ring=3, talk=10)
    for seconds, count in ((0, 1), (2, 1), (1, 2), (9, 2), (1, 3), (6, 3), (1, 4)):
        manual_time.now += seconds
        records = (await api.post(EVENTS, {}))["totalElements"] - 200
        # sent, and not merely due: time moves on next
        await until(lambda count=count: sum(each.sent is not None for each in api.sandbox.deliveries) == count)  # type: ignore[misc] # a default of a lambda
        assert records == len(api.sandbox.state.events.of_call(call.call_id)) == (count == 4)
    await api.sandbox.drain()
    assert [each.sent for each in api.sandbox.deliveries] == [0.0, 3.0, 13.0, 20.0]
    assert [each.due for each in api.sandbox.deliveries] == [0.0, 3.0, 13.0, 20.0]


async def test_half_the_pace_takes_half_the_time(serve: Serve, receiver: Receiver, manual_time: ManualTime) -> None:
    api = await serve(clock=manual_time.clock, sleep=manual_time.sleep, pace=0.5)
    receiver.subscribe(api.sandbox, *LIVE)
    call = api.sandbox.place_call(extensions=(101,), ring=3, talk=10)
    await api.sandbox.drain()
    assert [each.due for each in api.sandbox.deliveries] == [0.0, 1.5, 6.5]
    assert [each["timestamp"] - call.at for each in receiver.events] == [0, 3000, 13_000]


async def test_only_who_subscribed_is_told(api: Api, receiver: Receiver) -> None:
    (hangup,) = receiver.subscribe(api.sandbox, "CALL_HANGUP")
    off = Subscription(id="off", event_type="CALL_INCOMING", callback_url=receiver.url, enabled=False)
    twice = Subscription(id="twice", event_type="CALL_HANGUP", callback_url=receiver.url)
    api.sandbox.state.subscriptions |= {"off": off, "twice": twice}
    api.sandbox.place_call(extensions=(101,))
    await api.sandbox.drain()
    assert receiver.told == [("CALL_HANGUP", 101)] * 2
    assert [each.subscription_id for each in api.sandbox.deliveries] == [hangup, "twice"]


async def test_whoever_lacks_a_subscription_costs_no_connection(api: Api) -> None:
    api.sandbox.place_call()
    await api.sandbox.drain()
    assert list(api.sandbox.deliveries) == []
    assert len(api.sandbox.state.events) == 201


async def test_the_record_of_what_was_sent(api: Api, receiver: Receiver) -> None:
    receiver.subscribe(api.sandbox)
    call = api.sandbox.place_call(extensions=(101,))
    await api.sandbox.drain()
    sent = api.sandbox.deliveries
    assert [each.body for each in sent] == receiver.bodies
    assert [each.event_type for each in sent] == [kind for kind, _ in receiver.told]
    assert {(each.outcome, each.status, each.attempt, each.mishap, each.error) for each in sent} == {
        ("delivered", 204, 1, None, None)
    }
    assert {each.call_id for each in sent} == {call.call_id}
    assert [each.event_id for each in sent] == [None, None, None, 8200]
    assert all(each.took is not None and each.took >= 0 for each in sent)
    assert "originatorNumber" not in repr(sent[0])


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"direction": "SIDEWAYS"}, "direction must be one of INBOUND, OUTBOUND, INTERNAL"),
        ({"extensions": (7,)}, "no user has the extension 7"),
        ({"transfer_to": 7}, "no user has the extension 7"),
        ({"direction": "OUTBOUND", "extensions": (101, 102)}, "OUTBOUND takes 1 of extensions"),
        ({"direction": "INTERNAL", "extensions": (101,)}, "INTERNAL takes 2 of extensions"),
        ({"ring": -1}, "ring and talk must be >= 0"),
        ({"talk": -1}, "ring and talk must be >= 0"),
        ({"answered": False, "transfer_to": 102}, "transfer_to needs a call that is answered"),
        ({"voicemail": True}, "voicemail needs an inbound call that is not answered"),
        ({"voicemail": True, "answered": False, "direction": "OUTBOUND"}, "voicemail needs an inbound call"),
    ],
)
def test_a_call_that_cannot_be(options: dict[str, Any], reason: str) -> None:
    sandbox = Sandbox(contacts=0, users=3, events=0)
    with pytest.raises(ValueError, match=reason):
        sandbox.place_call(**options)
    assert len(sandbox.state.agenda) == 0


# Traffic


# Life


async def test_a_stop_ends_everything_and_a_start_goes_on(receiver: Receiver, manual_time: ManualTime) -> None:
    receiver.hang = 5.0
    sandbox = Sandbox(contacts=0, users=2, events=0, clock=manual_time.clock, pace=1.0)
    async with sandbox:
        receiver.subscribe(sandbox)
        call = sandbox.place_call(extensions=(101,), ring=1000)
        await until(lambda: bool(receiver.bodies))
    assert not [task for task in asyncio.all_tasks() if "sandbox/webhooks" in str(task)]
    assert [each.outcome for each in sandbox.deliveries] == ["waiting"]
    receiver.hang = 0.0
    async with sandbox:
        manual_time.now += 2000
        await sandbox.drain()
    assert [kind for kind, _ in receiver.told] == ["CALL_INCOMING", "CALL_ANSWERED", "CALL_HANGUP", "PHONE_CALL"]
    assert {each["data"]["callId"] for each in receiver.events} == {call.call_id}
    with pytest.raises(RuntimeError, match="not running"):
        await sandbox.drain()


async def test_a_stop_ends_the_waiting_for_it(manual_time: ManualTime) -> None:
    sandbox = Sandbox(contacts=0, users=2, events=0, clock=manual_time.clock, pace=1.0)
    await sandbox._post.aclose()
    async with sandbox:
        sandbox.place_call()
        draining = asyncio.create_task(sandbox.drain())
        await asyncio.sleep(0.01)
        assert not draining.done()
    await asyncio.wait_for(draining, 5)


async def test_a_call_can_be_placed_from_another_thread(receiver: Receiver) -> None:
    with in_background(Sandbox(contacts=0, users=2, events=0)) as sandbox:
        receiver.subscribe(sandbox)
        sandbox.place_call(extensions=(101,))
        await until(lambda: len(receiver.bodies) == 4)
    assert [kind for kind, _ in receiver.told][-1] == "PHONE_CALL"


async def test_a_bug_ends_no_deliveries(api: Api, receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    receiver.subscribe(api.sandbox, "CALL_INCOMING")
    broken = api.sandbox.place_call()
    del broken.steps[0][2]["timestamp"]
    api.sandbox.place_call(extensions=(102,))
    await api.sandbox.drain()
    assert receiver.told == [("CALL_INCOMING", 102)]
    assert "the sandbox itself failed" in caplog.text


async def test_a_bug_of_the_sender_is_a_failure(
    api: Api, receiver: Receiver, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.subscribe(api.sandbox, "CALL_INCOMING")
    monkeypatch.setattr(post.Post, "_noted", lambda *_: 1 / 0)
    api.sandbox.place_call()
    await api.sandbox.drain()
    assert [each.outcome for each in api.sandbox.deliveries] == ["failed"]
    assert "the sandbox itself failed" in caplog.text


async def test_the_journal_forgets_the_oldest(api: Api, receiver: Receiver) -> None:
    receiver.subscribe(api.sandbox, "CALL_INCOMING")
    api.sandbox.place_call()
    await api.sandbox.drain()
    assert api.sandbox.deliveries.maxlen == KEPT
    assert json.loads(api.sandbox.deliveries[0].body) == receiver.events[0]
