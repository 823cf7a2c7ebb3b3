from __future__ import annotations

import asyncio
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import pytest

from voxloud_async.sandbox import Concurrency, Fault, FixedWindow, Sandbox, TokenBucket, Weather, climate
from voxloud_async.sandbox.delivery import cut
from voxloud_async.sandbox.exchange import Answer

if TYPE_CHECKING:
    from tests.sandbox.conftest import Api, HeldSleep, ManualTime, Serve

USERS = "/api/v2/users"
CONTACTS = "/api/v1/contacts"
CONTACT = {"first_name": "John", "primary_phone": "+390312345678"}


async def statuses(api: Api, count: int, **options: Any) -> list[int]:
    return [(await api.ask("GET", USERS, **options)).status for _ in range(count)]


async def exchange(sandbox: Sandbox, method: str = "GET", path: str = USERS, body: bytes = b"") -> bytes:
    """All bytes the server sends, until it hangs up."""
    host, port = sandbox.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nVoverc-Auth: {sandbox.api_key}\r\n"
        f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    try:
        return await reader.read()
    finally:
        writer.close()


# Limits


async def test_g10_a_429_says_nothing_more(serve: Serve, manual_time: ManualTime) -> None:
    api = await serve(weather=Weather(limits=(FixedWindow(2, 10.0),)), clock=manual_time.clock)
    assert await statuses(api, 3) == [200, 200, 429]
    reply = await api.ask("POST", CONTACTS, json=CONTACT)
    assert reply.json["message"] == "You're doing too many requests! Slow down!"
    assert "Retry-After" not in reply.headers
    assert len(api.sandbox.state.contacts) == 30
    assert [each.refused for each in api.sandbox.requests] == [False, False, True, True]
    assert [each.executed for each in api.sandbox.requests] == [True, True, False, False]
    manual_time.now += 10
    assert await statuses(api, 1) == [200]


async def test_counts_of_many_keys_are_bounded(
    serve: Serve, manual_time: ManualTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(climate, "_MOST_KEYS", 2)
    api = await serve(weather=Weather(limits=(FixedWindow(1, 10.0),)), clock=manual_time.clock)
    for key in ("a", "b", "c", "b"):
        await api.ask("GET", USERS, headers={"Voverc-Auth": key})
    assert [each.status for each in api.sandbox.requests] == [401, 401, 401, 429]
    assert list(api.sandbox._climate._meters) == ["b", "c"]


async def test_each_key_has_its_own_count(serve: Serve, manual_time: ManualTime) -> None:
    api = await serve(weather=Weather(limits=(FixedWindow(1, 10.0),)), clock=manual_time.clock)
    assert await statuses(api, 2) == [200, 429]
    assert await statuses(api, 2, headers={"Voverc-Auth": "other"}) == [401, 429]


@pytest.mark.parametrize(("passed", "seconds"), [(0.0, "10"), (9.5, "1"), (7.2, "3")])
async def test_retry_after_in_whole_seconds(serve: Serve, manual_time: ManualTime, passed: float, seconds: str) -> None:
    weather = Weather(limits=(FixedWindow(1, 10.0),), retry_after="seconds")
    api = await serve(weather=weather, clock=manual_time.clock)
    await statuses(api, 1)
    manual_time.now += passed
    assert (await api.ask("GET", USERS)).headers["Retry-After"] == seconds


async def test_retry_after_as_a_date(serve: Serve, manual_time: ManualTime) -> None:
    weather = Weather(limits=(FixedWindow(1, 10.0),), retry_after="date")
    api = await serve(weather=weather, clock=manual_time.clock)
    await statuses(api, 1)
    headers = (await api.ask("GET", USERS)).headers
    assert parsedate_to_datetime(headers["Retry-After"]) == api.sandbox.now + timedelta(seconds=10)
    assert parsedate_to_datetime(headers["Date"]) == api.sandbox.now


async def test_several_limits_hold_at_once(serve: Serve, manual_time: ManualTime) -> None:
    weather = Weather(limits=(TokenBucket(1.0, 2), FixedWindow(3, 60.0)), retry_after="seconds")
    api = await serve(weather=weather, clock=manual_time.clock)
    assert await statuses(api, 3) == [200, 200, 429]
    manual_time.now += 2
    assert await statuses(api, 2) == [200, 429]
    assert (await api.ask("GET", USERS)).headers["Retry-After"] == "58"


async def test_a_concurrency_limit(serve: Serve, held: HeldSleep) -> None:
    api = await serve(weather=Weather(limits=(Concurrency(1),), latency=1.0), sleep=held.sleep)
    first = asyncio.create_task(api.ask("GET", USERS))
    await held.asleep.acquire()
    second = asyncio.create_task(api.ask("GET", USERS))
    await held.asleep.acquire()
    held.gate.set()
    assert [(await first).status, (await second).status] == [200, 429]
    assert await statuses(api, 1) == [200]


async def test_the_weather_changes(serve: Serve) -> None:
    api = await serve(weather=Weather(limits=(FixedWindow(1, 1000.0),)))
    assert await statuses(api, 2) == [200, 429]
    api.sandbox.change_weather(Weather(limits=(FixedWindow(2, 1000.0),)))
    assert await statuses(api, 3) == [200, 200, 429]
    api.sandbox.change_weather(Weather())
    assert await statuses(api, 3) == [200, 200, 200]


# Maintenance


async def test_g11_maintenance_windows(serve: Serve, manual_time: ManualTime) -> None:
    weather = Weather(maintenance=((5.0, 2.0), (6.0, 3.0)), retry_after="seconds", html_errors=True)
    api = await serve(weather=weather, clock=manual_time.clock)
    assert await statuses(api, 1) == [200]
    manual_time.now += 5
    reply = await api.ask("POST", CONTACTS, json=CONTACT)
    assert (reply.status, reply.headers["Retry-After"]) == (503, "2")
    assert b"<h1>Service Unavailable</h1>" in reply.body
    manual_time.now += 1.5
    assert (await api.ask("GET", USERS)).headers["Retry-After"] == "3"
    manual_time.now += 2.5
    assert await statuses(api, 1) == [200]
    assert len(api.sandbox.state.contacts) == 30


async def test_maintenance_after_a_number_of_requests(serve: Serve, manual_time: ManualTime) -> None:
    api = await serve(weather=Weather(maintenance_after=2, maintenance_length=3.0), clock=manual_time.clock)
    assert await statuses(api, 4) == [200, 200, 503, 503]
    manual_time.now += 3
    assert await statuses(api, 4) == [200, 200, 200, 200]


async def test_the_clock_of_the_weather_starts_with_the_server(manual_time: ManualTime) -> None:
    sandbox = Sandbox(events=0, contacts=0, weather=Weather(maintenance=((0.0, 1.0),)), clock=manual_time.clock)
    manual_time.now += 5
    async with sandbox:
        assert b" 503 " in await exchange(sandbox)
        manual_time.now += 1
        assert b" 200 " in await exchange(sandbox)


# Latency and chance


async def test_latency_and_jitter(serve: Serve, manual_time: ManualTime) -> None:
    weather = Weather(latency=1.0, jitter=0.5)
    api = await serve(weather=weather, clock=manual_time.clock, sleep=manual_time.sleep)
    taken = []
    for _ in range(20):
        before = manual_time.now
        await api.get(USERS)
        taken.append(manual_time.now - before)
    assert 1.0 <= min(taken) < 1.1
    assert 1.4 < max(taken) <= 1.5


async def test_the_request_takes_effect_before_its_answer_leaves(serve: Serve, held: HeldSleep) -> None:
    api = await serve(weather=Weather(latency=1.0), sleep=held.sleep)
    asking = asyncio.create_task(api.ask("POST", CONTACTS, json=CONTACT))
    await held.asleep.acquire()
    assert len(api.sandbox.state.contacts) == 31
    assert api.sandbox.requests[0].status is None
    held.gate.set()
    assert (await asking).status == 200


async def outcomes(seed: int, weather: Weather) -> list[tuple[int | None, bool, object]]:
    async with Sandbox(seed=seed, events=0, contacts=0, weather=weather) as sandbox:
        for _ in range(60):
            await exchange(sandbox)
        return [(each.status, each.executed, each.fault.cut if each.fault else None) for each in sandbox.requests]


async def test_chance_depends_on_the_seed_alone() -> None:
    weather = Weather(cut_before=0.2, cut_after=0.3, error_before=0.2, error_after=0.2)
    first = await outcomes(1, weather)
    assert first == await outcomes(1, weather) != await outcomes(2, weather)
    assert set(first) == {
        (None, False, "before_headers"),
        (None, True, "before_headers"),
        (None, True, "inside_headers"),
        (None, True, "inside_body"),
        (500, False, None),
        (500, True, None),
        (200, True, None),
    }


async def test_slow_bodies(serve: Serve, manual_time: ManualTime) -> None:
    weather = Weather(slow_bodies=1.0, slow_body=5.0)
    api = await serve(weather=weather, clock=manual_time.clock, sleep=manual_time.sleep)
    before = manual_time.now
    assert len(await api.get(USERS)) == 3
    assert manual_time.now - before == pytest.approx(5.0)


async def test_a_slow_empty_body_is_there_at_once(serve: Serve) -> None:
    api = await serve(weather=Weather(slow_bodies=1.0, slow_body=3600.0))
    contact = next(iter(api.sandbox.state.contacts))
    reply = await api.ask("DELETE", f"{CONTACTS}/{contact}")
    assert (reply.status, reply.body) == (200, b"")


@pytest.mark.parametrize("shares", [{"cut_before": 0.6, "error_after": 0.6}, {"slow_bodies": -0.1}, {"cut_after": 1.1}])
def test_shares_lie_between_0_and_1(shares: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="the shares of requests must lie between 0 and 1"):
        Weather(**shares)


def test_a_word_that_means_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="cut"):
        Fault(cut="inside")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="retry_after"):
        Weather(retry_after="minutes")  # type: ignore[arg-type]


# Scripted faults


@pytest.mark.parametrize("executed", [True, False])
@pytest.mark.parametrize(
    ("where", "sent"),
    [
        ("before_headers", b""),
        ("inside_headers", b"HTTP/1.1 200 OK\r\nContent-Type: appli"),
        ("inside_body", None),
    ],
)
async def test_cut_connections(serve: Serve, where: str, sent: bytes | None, executed: bool) -> None:  # noqa: FBT001 - a table's column
    api = await serve()
    sandbox = api.sandbox
    sandbox.fail_next(Fault(cut=where, executed=executed))  # type: ignore[arg-type] # one of the three literals
    body = b'{"first_name": "J", "primary_phone": "+391234"}'
    received = await exchange(sandbox, "POST", CONTACTS, body)
    if sent is None:
        head, _, rest = received.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split()[0])
        assert 0 < len(rest) < length
    else:
        assert received == sent
    assert len(sandbox.state.contacts) == 30 + executed
    assert (sandbox.requests[0].status, sandbox.requests[0].executed) == (None, executed)
    assert await statuses(api, 1) == [200]


@pytest.mark.parametrize("executed", [True, False])
@pytest.mark.parametrize("status", [500, 502, 503, 504, 429, 403])
async def test_scripted_statuses(serve: Serve, status: int, executed: bool) -> None:  # noqa: FBT001 - a table's column
    api = await serve()
    api.sandbox.fail_next(Fault(status=status, executed=executed, retry_after="soon"))
    reply = await api.ask("POST", CONTACTS, json=CONTACT)
    assert (reply.status, reply.headers["Retry-After"]) == (status, "soon")
    assert reply.json["message"]
    assert len(api.sandbox.state.contacts) == 30 + executed
    (received,) = api.sandbox.requests
    assert received.refused is (status in (429, 503) and not executed)


async def test_faults_meet_the_requests_they_are_meant_for_in_order(serve: Serve) -> None:
    api = await serve()
    api.sandbox.fail_next(Fault(status=500), n=2, match="GET /api/v2")
    api.sandbox.fail_next(Fault(status=502, html=True))
    assert await statuses(api, 2) == [500, 500]
    reply = await api.ask("GET", CONTACTS)
    assert (reply.status, b"<h1>Bad Gateway</h1>" in reply.body) == (502, True)
    assert await statuses(api, 1) == [200]


async def test_a_fault_for_another_request_waits(serve: Serve) -> None:
    api = await serve()
    api.sandbox.fail_next(Fault(status=500), match="POST /api/v1/contacts")
    assert await statuses(api, 1) == [200]
    await api.refused(500, "POST", CONTACTS, json=CONTACT)


async def test_a_refused_request_meets_no_scripted_fault(serve: Serve, manual_time: ManualTime) -> None:
    api = await serve(weather=Weather(limits=(FixedWindow(1, 10.0),)), clock=manual_time.clock)
    assert await statuses(api, 1) == [200]
    api.sandbox.fail_next(Fault(status=500))
    assert await statuses(api, 1) == [429]
    manual_time.now += 10
    assert await statuses(api, 1) == [500]


async def test_a_late_answer(serve: Serve, manual_time: ManualTime) -> None:
    api = await serve(clock=manual_time.clock, sleep=manual_time.sleep)
    api.sandbox.fail_next(Fault(delay=30.0, slow_body=10.0))
    before = manual_time.now
    assert await statuses(api, 1) == [200]
    assert manual_time.now - before == pytest.approx(40.0)


async def test_a_client_that_has_gone_meets_no_cut() -> None:
    class Gone:
        transport = None

    response = await cut(Gone(), Answer(200, b"{}"), "inside_body")  # type: ignore[arg-type] # all it looks at
    assert (response.status, response.prepared) == (200, False)


def test_a_status_must_exist() -> None:
    with pytest.raises(ValueError, match="999"):
        Fault(status=999)
