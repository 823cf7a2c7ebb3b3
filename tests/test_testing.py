"""The doubles that users test their own code with."""

from __future__ import annotations

import asyncio

import pytest

from voxloud_async import VoxloudClient
from voxloud_async.errors import ClientClosedError, NotFoundError, ResponseLostError
from voxloud_async.testing import FakeClock, FakeTransport, ScriptExhaustedError, answer
from voxloud_async.wire.message import Request, Response

ASKED = Request(method="GET", url="https://api.example/api/v1/contacts?phone=678")


async def test_answers_come_first_in_first_out() -> None:
    transport = FakeTransport(answer({"n": 1}), answer(status=204))
    transport.add(answer(b"raw", headers={"Content-Type": "text/csv"}))
    answers = [await transport.send(ASKED, timeout=1.0) for _ in range(3)]
    assert [(each.status, each.body) for each in answers] == [(200, b'{"n": 1}'), (204, b""), (200, b"raw")]
    assert answers[2].headers["content-type"] == "text/csv"
    assert transport.requests == [ASKED] * 3
    assert transport.left == 0


async def test_an_entry_may_be_an_error_or_a_function() -> None:
    def mirror(request: Request) -> Response:
        return answer({"method": request.method})

    transport = FakeTransport(ResponseLostError("cut"), mirror, lambda _: ResponseLostError("again"))
    with pytest.raises(ResponseLostError, match="cut"):
        await transport.send(ASKED, timeout=1.0)
    assert (await transport.send(ASKED, timeout=1.0)).body == b'{"method": "GET"}'
    with pytest.raises(ResponseLostError, match="again"):
        await transport.send(ASKED, timeout=1.0)


async def test_a_request_beyond_the_script_fails_the_test_without_showing_its_query() -> None:
    transport = FakeTransport()
    with pytest.raises(ScriptExhaustedError, match=r"no answer left for GET https://api.example/api/v1/contacts$"):
        await transport.send(ASKED, timeout=1.0)
    assert issubclass(ScriptExhaustedError, AssertionError)


async def test_requests_at_once_take_one_answer_each() -> None:
    transport = FakeTransport(answer(1), answer(2))
    outcomes = await asyncio.gather(*(transport.send(ASKED, timeout=1.0) for _ in range(3)), return_exceptions=True)
    assert [outcome.body for outcome in outcomes if isinstance(outcome, Response)] == [b"1", b"2"]
    assert isinstance(outcomes[2], ScriptExhaustedError)


async def test_nothing_is_sent_once_it_is_closed() -> None:
    transport = FakeTransport(answer(1))
    await transport.aclose()
    await transport.aclose()
    assert transport.closed
    with pytest.raises(ClientClosedError):
        await transport.send(ASKED, timeout=1.0)
    assert transport.requests == []


async def test_a_client_works_on_the_doubles() -> None:
    transport, clock = FakeTransport(answer({"message": "no"}, status=404)), FakeClock()
    client = VoxloudClient("key", transport=transport, clock=clock, base_url="https://api.example")
    with pytest.raises(NotFoundError):
        await client.contacts.get("54db")
    assert [request.url for request in transport.requests] == ["https://api.example/api/v1/contacts/54db"]
    await client.aclose()


async def test_time_passes_by_being_waited_for() -> None:
    clock = FakeClock(5.0)
    start = clock.wall()
    await clock.sleep(2.5)
    clock.advance(1.0)
    assert clock.now() == 8.5
    assert clock.wall() == start + 3.5
    assert clock.slept == [2.5]


async def test_a_call_back_comes_at_its_time_unless_it_is_cancelled() -> None:
    clock = FakeClock()
    rung: list[float] = []
    clock.call_at(7.0, lambda: rung.append(clock.now()))
    clock.call_at(3.0, lambda: rung.append(clock.now()))
    clock.call_at(5.0, lambda: rung.append(clock.now())).cancel()
    await clock.sleep(8.0)
    assert rung == [3.0, 7.0]
    assert clock.now() == 8.0


async def test_time_stands_still_while_somebody_works() -> None:
    clock = FakeClock()
    alarm = clock.call_at(1.0, lambda: None)
    for _ in range(20):
        await asyncio.sleep(0)
        assert clock.now() == 0.0
    alarm.cancel()
    for _ in range(200):
        await asyncio.sleep(0)
    assert clock.now() == 0.0


def test_a_clock_goes_from_loop_to_loop() -> None:
    clock = FakeClock()

    async def leave_an_alarm() -> None:
        clock.call_at(100.0, lambda: None)

    asyncio.run(leave_an_alarm())
    asyncio.run(clock.sleep(2.0))
    assert clock.now() == 2.0


async def test_a_pause_within_max_wait_is_waited_out() -> None:
    refusal = answer(status=429, headers={"Retry-After": "3"})
    transport, clock = FakeTransport(refusal, answer({"name": "Acme", "email": "a@example.com"})), FakeClock()
    client = VoxloudClient("key", transport=transport, clock=clock, base_url="https://api.example", max_wait=30.0)
    assert (await client.validate_auth()).name == "Acme"
    assert 3.0 <= clock.now() < 30.0
    await client.aclose()


async def test_others_get_their_turn_before_an_answer() -> None:
    sending = asyncio.create_task(FakeTransport(answer(1)).send(ASKED, timeout=1.0))
    await asyncio.sleep(0)
    assert not sending.done()
    assert (await sending).body == b"1"
