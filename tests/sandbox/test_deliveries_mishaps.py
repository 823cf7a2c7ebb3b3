"""What goes wrong with deliveries, and what the service makes of it."""

from __future__ import annotations

import logging
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tests.sandbox.receiving import Receiver, receiving
from voxloud_async.sandbox import Misfortune, Quirks, Subscription, Traffic
from voxloud_async.sandbox.webhooks.sender import Sender

if TYPE_CHECKING:
    from tests.sandbox.conftest import Api, ManualTime, Serve

SUBSCRIPTIONS = "/api/v1/webhook-subscriptions"


async def call(api: Api, times: int = 1) -> None:
    for _ in range(times):
        api.sandbox.place_call(extensions=(101,))
        await api.sandbox.drain()


async def state_of(api: Api, subscription_id: str) -> tuple[bool, int, str | None]:
    shown = await api.get(f"{SUBSCRIPTIONS}/{subscription_id}")
    return shown["enabled"], shown["failed_count"], shown.get("last_error")


def outcomes(api: Api) -> list[str]:
    return [each.outcome for each in api.sandbox.deliveries]


async def test_doubled_ones_come_twice(serve: Serve, receiver: Receiver) -> None:
    api = await serve(misfortune=Misfortune(doubled=1.0))
    receiver.subscribe(api.sandbox)
    await call(api)
    assert len(api.sandbox.deliveries) == 8
    assert set(Counter(receiver.bodies).values()) == {2}
    assert {each.mishap for each in api.sandbox.deliveries} == {"doubled"}
    assert outcomes(api) == ["delivered"] * 8


async def test_overtaken_ones_come_after_the_next_of_their_call(
    serve: Serve, receiver: Receiver, manual_time: ManualTime
) -> None:
    api = await serve(clock=manual_time.clock, misfortune=Misfortune(overtaken=1.0))  # the times decide with the seed
    receiver.subscribe(api.sandbox, "CALL_INCOMING")
    receiver.subscribe(api.sandbox, "CALL_ANSWERED", "CALL_HANGUP", "PHONE_CALL")
    await call(api)
    assert len(receiver.told) == 4
    api.sandbox.change_misfortune(Misfortune(overtaken=0.4))
    assert api.sandbox.misfortune == Misfortune(overtaken=0.4)
    await call(api, 40)
    swapped = [
        [each["type"] for each in receiver.events if each["data"]["callId"] == call_id]
        for call_id in {each["data"]["callId"] for each in receiver.events}
    ]
    assert ["CALL_ANSWERED", "CALL_HANGUP", "PHONE_CALL", "CALL_INCOMING"] in swapped
    for first, second in pairwise(["CALL_INCOMING", "CALL_ANSWERED", "CALL_HANGUP", "PHONE_CALL"]):
        assert any(each.index(first) > each.index(second) for each in swapped)
    assert len({tuple(each) for each in swapped}) > 3
    assert {len(each) for each in swapped} == {4}


async def test_an_overtaken_one_waits_for_the_next_and_no_longer(
    serve: Serve, receiver: Receiver, manual_time: ManualTime
) -> None:
    api = await serve(clock=manual_time.clock, sleep=manual_time.sleep, pace=1.0, misfortune=Misfortune(overtaken=1.0))
    receiver.subscribe(api.sandbox, "CALL_INCOMING")
    api.sandbox.place_call(extensions=(101,), ring=3)
    await api.sandbox.drain()
    assert [each.due for each in api.sandbox.deliveries] == [3.0]
    assert len(receiver.told) == 1


async def test_late_ones_wait(serve: Serve, receiver: Receiver, manual_time: ManualTime) -> None:
    api = await serve(clock=manual_time.clock, sleep=manual_time.sleep, misfortune=Misfortune(late=1.0, lateness=60.0))
    receiver.subscribe(api.sandbox)
    await call(api)
    due = [each.due for each in api.sandbox.deliveries]
    assert all(0 < each < 60 for each in due)
    assert len(set(due)) == 4
    assert max(due) > 10
    assert manual_time.now == pytest.approx(100 + max(due))
    assert len(receiver.told) == 4


async def test_dropped_ones_never_come(serve: Serve, receiver: Receiver) -> None:
    api = await serve(misfortune=Misfortune(dropped=1.0))
    receiver.subscribe(api.sandbox)
    await call(api)
    assert receiver.told == []
    assert outcomes(api) == ["dropped"] * 4
    assert {each.sent for each in api.sandbox.deliveries} == {None}
    assert len(api.sandbox.state.events) == 201


async def test_cut_ones_were_received_and_the_service_does_not_know(serve: Serve, receiver: Receiver) -> None:
    api = await serve(misfortune=Misfortune(cut=1.0))
    (subscription,) = receiver.subscribe(api.sandbox, "PHONE_CALL")
    await call(api)
    assert len(receiver.told) == 1
    (sent,) = api.sandbox.deliveries
    assert (sent.outcome, sent.status, sent.error, sent.mishap) == ("failed", 204, "connection reset", "cut")
    assert await state_of(api, subscription) == (True, 1, "connection reset")


async def test_slow_ones_trickle(serve: Serve, receiver: Receiver, manual_time: ManualTime) -> None:
    api = await serve(clock=manual_time.clock, sleep=manual_time.sleep, misfortune=Misfortune(slow=1.0, slow_body=20.0))
    receiver.subscribe(api.sandbox, "PHONE_CALL")
    await call(api)
    (sent,) = api.sandbox.deliveries
    assert sent.took == pytest.approx(20.0)
    assert receiver.bodies == [sent.body]
    assert receiver.requests[0].headers["Content-Length"] == str(len(sent.body))
    assert "Transfer-Encoding" not in receiver.requests[0].headers


async def test_a_mixture_is_the_same_for_the_same_seed(serve: Serve) -> None:
    misfortune = Misfortune(doubled=0.1, overtaken=0.1, late=0.1, dropped=0.1, cut=0.1, lateness=0.001)
    mixtures = []
    for seed in (0, 0, 1):
        async with receiving() as receiver:
            api = await serve(seed=seed, misfortune=misfortune, clock=lambda: 5.0, quirks={"disabled_after": 1_000_000})
            receiver.subscribe(api.sandbox)
            api.sandbox.change_misfortune(Misfortune(doubled=0.1, overtaken=0.1, dropped=0.1, cut=0.1))
            api.sandbox.change_traffic(Traffic(calls_per_second=1e9, calls=100))
            await api.sandbox.drain()
            sent = api.sandbox.deliveries
            mixtures.append(sorted((each.body, str(each.mishap), each.outcome) for each in sent))
            received = Counter(each.body for each in sent if each.outcome in ("delivered", "failed"))
            assert received == Counter(receiver.bodies)
    counts = Counter(mishap for _, mishap, _ in mixtures[0])
    assert mixtures[0] == mixtures[1] != mixtures[2]
    assert set(counts) == {"None", "doubled", "overtaken", "dropped", "cut"}
    assert counts["doubled"] == pytest.approx(0.2 * sum(counts.values()), rel=0.4)


@pytest.mark.parametrize("shares", [{"doubled": -0.1}, {"cut": 0.6, "late": 0.5}], ids=str)
def test_shares_that_cannot_be(shares: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="the shares of deliveries"):
        Misfortune(**shares)


# Receivers that fail


@pytest.mark.parametrize(("reading", "count"), [(10, 10), (3, 3)])
async def test_w8_too_many_failures_switch_a_subscription_off(
    serve: Serve, receiver: Receiver, reading: int, count: int
) -> None:
    api = await serve(quirks={"disabled_after": reading})
    (subscription,) = receiver.subscribe(api.sandbox, "PHONE_CALL")
    receiver.status = 503
    await call(api, count - 1)
    assert await state_of(api, subscription) == (True, count - 1, "HTTP 503")
    await call(api, 3)
    assert await state_of(api, subscription) == (False, count, "HTTP 503")
    assert len(receiver.told) == count
    assert outcomes(api) == ["failed"] * count


async def test_w8_it_may_never_be_switched_off(serve: Serve, receiver: Receiver) -> None:
    api = await serve(quirks={"disabled_after": 1_000_000})
    (subscription,) = receiver.subscribe(api.sandbox, "PHONE_CALL")
    receiver.status = 500
    await call(api, 30)
    assert await state_of(api, subscription) == (True, 30, "HTTP 500")


async def test_what_waits_for_a_subscription_that_ends_is_not_sent(
    serve: Serve, receiver: Receiver, manual_time: ManualTime
) -> None:
    api = await serve(clock=manual_time.clock, misfortune=Misfortune(late=1.0, lateness=1000.0))
    gone, off, moved = receiver.subscribe(api.sandbox, "CALL_INCOMING", "CALL_ANSWERED", "CALL_HANGUP")
    api.sandbox.place_call(extensions=(101,))
    body = {"id": off, "callback_url": f"{receiver.url}/off", "event_type": "CALL_ANSWERED", "enabled": False}
    await api.put(f"{SUBSCRIPTIONS}/{off}", body)
    assert outcomes(api) == ["waiting"] * 3
    subscriptions = api.sandbox.state.subscriptions
    del subscriptions[gone]
    subscriptions[moved] = Subscription(id=moved, event_type="CALL_HANGUP", callback_url=f"{receiver.url}/elsewhere")
    manual_time.now += 1000
    await api.sandbox.drain()
    assert [request.path for request in receiver.requests] == ["/elsewhere"]
    assert outcomes(api) == ["unsubscribed", "unsubscribed", "delivered"]


@pytest.mark.parametrize(("reading", "count"), [("reset", 1), ("kept", 3)])
async def test_w8_what_a_success_does_to_the_count(serve: Serve, receiver: Receiver, reading: str, count: int) -> None:
    api = await serve(quirks={"failed_count_after_success": reading})
    (subscription,) = receiver.subscribe(api.sandbox, "PHONE_CALL")
    receiver.statuses = [500, 500, 204, 500]
    await call(api, 4)
    assert (await state_of(api, subscription))[1] == count


@pytest.mark.parametrize(("reading", "count"), [("reset", 0), ("kept", 3)])
async def test_w8_what_switching_on_does_to_the_count(
    serve: Serve, receiver: Receiver, reading: str, count: int
) -> None:
    api = await serve(quirks={"failed_count_after_enable": reading, "disabled_after": 3})
    (subscription,) = receiver.subscribe(api.sandbox, "PHONE_CALL")
    receiver.status = 404
    await call(api, 3)
    body = {"id": subscription, "callback_url": receiver.url, "event_type": "PHONE_CALL"}
    shown = await api.put(f"{SUBSCRIPTIONS}/{subscription}", body | {"enabled": True})
    assert (shown["enabled"], shown["failed_count"], "last_error" in shown) == (True, count, count > 0)
    receiver.status = 204
    await call(api)
    assert await state_of(api, subscription) == (True, 0, None if reading == "reset" else "HTTP 404")


@pytest.mark.parametrize(("reading", "failed"), [("2xx", 0), ("200", 2)])
async def test_w12_which_answers_are_good(serve: Serve, receiver: Receiver, reading: str, failed: int) -> None:
    api = await serve(quirks={"delivery_success": reading, "failed_count_after_success": "kept"})
    (subscription,) = receiver.subscribe(api.sandbox, "PHONE_CALL")
    receiver.statuses = [204, 200, 202]
    await call(api, 3)
    assert (await state_of(api, subscription))[1] == failed


async def test_w12_a_failed_one_is_lost(serve: Serve, receiver: Receiver) -> None:
    api = await serve()
    receiver.subscribe(api.sandbox, "PHONE_CALL")
    receiver.statuses = [500]
    await call(api)
    assert len(receiver.told) == 1


async def test_w12_a_failed_one_may_be_repeated(serve: Serve, receiver: Receiver, manual_time: ManualTime) -> None:
    api = await serve(clock=manual_time.clock, sleep=manual_time.sleep, quirks={"failed_delivery": "repeated"})
    receiver.subscribe(api.sandbox, "PHONE_CALL")
    receiver.statuses = [500, 503]
    await call(api)
    assert [(each.attempt, each.outcome, each.due) for each in api.sandbox.deliveries] == [
        (1, "failed", 0.0),
        (2, "failed", 1.0),
        (3, "delivered", 6.0),
    ]
    assert len(set(receiver.bodies)) == 1
    receiver.status = 500
    await call(api)
    assert [each.attempt for each in api.sandbox.deliveries] == [1, 2, 3, 1, 2, 3, 4]


async def test_silence_is_a_failure(serve: Serve, receiver: Receiver) -> None:
    api = await serve(callback_timeout=0.05)
    (subscription,) = receiver.subscribe(api.sandbox, "PHONE_CALL")
    receiver.hang = 5.0
    await call(api)
    assert await state_of(api, subscription) == (True, 1, "timeout")
    assert [each.status for each in api.sandbox.deliveries] == [None]


async def test_a_failure_of_what_is_gone_is_nobodys(serve: Serve, receiver: Receiver) -> None:
    api = await serve()
    (subscription,) = receiver.subscribe(api.sandbox, "PHONE_CALL")
    receiver.status, receiver.on_request = 500, api.sandbox.state.subscriptions.clear
    await call(api)
    assert outcomes(api) == ["failed"]
    assert subscription not in api.sandbox.state.subscriptions


async def test_nobody_there_is_a_failure(api: Api) -> None:
    async with receiving() as receiver:
        (subscription,) = receiver.subscribe(api.sandbox, "PHONE_CALL")
    await call(api)
    assert await state_of(api, subscription) == (True, 1, "ClientConnectorError")


async def test_a_redirect_is_not_followed(api: Api, receiver: Receiver) -> None:
    (subscription,) = receiver.subscribe(api.sandbox, "PHONE_CALL")
    receiver.status, receiver.headers = 307, {"Location": f"{receiver.url}/elsewhere"}
    await call(api)
    assert [request.path for request in receiver.requests] == ["/PHONE_CALL"]
    assert await state_of(api, subscription) == (True, 1, "HTTP 307")


# Hosts


@pytest.mark.parametrize("url", ["http://a.example/x", "https://192.0.2.1/", "ftp:/", "http://[", "nothing", ""])
async def test_no_other_host_is_told(api: Api, url: str, caplog: pytest.LogCaptureFixture) -> None:
    api.sandbox.state.subscriptions["x"] = Subscription(id="x", event_type="PHONE_CALL", callback_url=url)
    with caplog.at_level(logging.WARNING, "voxloud_async.sandbox"):
        await call(api, 2)
    assert outcomes(api) == ["foreign", "foreign"]
    assert {each.sent for each in api.sandbox.deliveries} == {None}
    assert await state_of(api, "x") == (True, 0, None)
    assert [record.getMessage() for record in caplog.records] == [
        "subscription x is not served: its callback is on another host"
    ]


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://127.0.0.1:8000/x", True),
        ("https://127.3.2.1/", True),
        ("http://[::1]:80/", True),
        ("http://localhost/", True),
        ("http://receiver.test/", True),
        ("http://127.0.0.1.a.example/", False),
        ("http://127.0.0.1@a.example/", False),
        ("http://0.0.0.0/", False),
        ("http://10.0.0.1/", False),
        ("http://receiver.test.a.example/", False),
    ],
)
def test_which_hosts_are_told(url: str, allowed: bool) -> None:  # noqa: FBT001 - a value of the table
    sender = Sender(1.0, 1, ("receiver.test",), None)  # type: ignore[arg-type] # nothing is sent
    assert sender.allows(url) is allowed


def test_the_quirks_of_deliveries_have_their_defaults() -> None:
    assert (Quirks().disabled_after, Quirks().failed_delivery) == (10, "given_up")
