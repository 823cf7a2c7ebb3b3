"""The client and the receiver in uvloop's event loop: real sockets, its timers, and the way that it cancels."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.webhooks.deliveries import incoming, receiver
from tests.webhooks.serving import SERVERS, serving
from tests.wire.raw_server import until
from voxloud_async import RetryPolicy, VoxloudClient
from voxloud_async._clock import LoopClock
from voxloud_async._ratelimit.controller import BURST
from voxloud_async.errors import ClientClosedError, DeadlineExceededError, ResponseLostError
from voxloud_async.sandbox import FixedWindow, Sandbox, Weather
from voxloud_async.testing import FakeTransport, answer

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from voxloud_async.wire.message import Request, Response

uvloop = pytest.importorskip("uvloop", reason="uvloop has no wheels for Windows")

SLOW = 30.0
"""Seconds that nothing here takes."""


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def bounded() -> None:
        assert isinstance(asyncio.get_running_loop(), uvloop.Loop)
        async with asyncio.timeout(SLOW):
            await main()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(bounded())


@pytest.fixture(params=["aiohttp", "httpx2"])
def transport(request: pytest.FixtureRequest) -> Any:
    if request.param == "httpx2":
        pytest.importorskip("httpx2", reason="the extra [httpx2] is not installed")
    return request.param


def sandbox(weather: Weather) -> Sandbox:
    return Sandbox(contacts=0, users=3, events=0, weather=weather)


def test_a_storm_comes_through(transport: Any) -> None:
    async def main() -> None:
        weather = Weather(limits=(FixedWindow(40, 0.2),), cut_before=0.05, error_after=0.05)
        patient = RetryPolicy(base=0.01, max_faults=20)
        async with (
            sandbox(weather) as service,
            VoxloudClient(
                service.api_key, base_url=service.url, transport=transport, rate=400.0, retry=patient
            ) as client,
        ):
            lists = await asyncio.gather(*(client.users.list() for _ in range(100)))
            assert [len(users) for users in lists] == [3] * 100
            assert service.count(status=200) == 100

    run(main)


def test_cancelled_calls_end_at_once_and_leave_no_permit_taken(transport: Any) -> None:
    async def main() -> None:
        async with (
            sandbox(Weather(latency=0.05)) as service,
            VoxloudClient(
                service.api_key, base_url=service.url, transport=transport, rate=None, max_concurrency=8
            ) as client,
        ):
            calls = [asyncio.create_task(client.users.list()) for _ in range(24)]
            await until(lambda: service.count() == 8)
            for call in calls:
                call.cancel()
            ends = await asyncio.gather(*calls, return_exceptions=True)
            assert {type(end) for end in ends} == {asyncio.CancelledError}
            assert service.count() == 8
            await asyncio.gather(*(client.users.list() for _ in range(8)))
            assert service.count() == 16

    run(main)


def test_a_deadline_ends_a_call_and_a_timeout_an_attempt(transport: Any) -> None:
    async def main() -> None:
        async with (
            sandbox(Weather(latency=SLOW)) as service,
            VoxloudClient(service.api_key, base_url=service.url, transport=transport, rate=None) as client,
        ):
            started = time.monotonic()
            calls = [client.with_options(max_wait=0.2).users.list() for _ in range(5)]
            ends = await asyncio.gather(*calls, return_exceptions=True)
            assert {type(end) for end in ends} == {DeadlineExceededError}
            assert time.monotonic() - started >= 0.2 - 0.003
            impatient = client.with_options(timeout=0.1, retry=RetryPolicy(max_faults=2, base=0.001))
            with pytest.raises(ResponseLostError):
                await impatient.users.list()
            assert service.count() == 5 + 2

    run(main)


def test_a_client_is_closed_under_its_calls(transport: Any) -> None:
    async def main() -> None:
        async with sandbox(Weather(latency=SLOW)) as service:
            client = VoxloudClient(service.api_key, base_url=service.url, transport=transport, rate=None)
            calls = [asyncio.create_task(client.users.list()) for _ in range(10)]
            await until(lambda: service.count() == 10)
            await client.aclose()
            ends = await asyncio.gather(*calls, return_exceptions=True)
            assert {type(end) for end in ends} == {ClientClosedError}
            assert service.count() == 10
            with pytest.raises(ClientClosedError):
                await client.users.list()

    run(main)


def test_its_timers_keep_the_rate_though_they_tick_in_milliseconds() -> None:
    calls, rate = 40, 333.0
    sent: list[float] = []

    def reply(_request: Request) -> Response:
        sent.append(time.monotonic())
        return answer([])

    async def main() -> None:
        script = FakeTransport(*[reply] * calls)
        async with VoxloudClient("key", base_url="https://voxloud.test", transport=script, rate=rate) as client:
            started = time.monotonic()
            await asyncio.gather(*(client.users.list() for _ in range(calls)))
        within = [at - started for at in sent]
        earliest = [(number + 1 - BURST) / rate for number in range(calls)]
        assert [at for at, due in zip(within, earliest, strict=True) if at < due - 0.002] == []

    run(main)


def test_no_timer_of_the_clock_comes_early() -> None:
    """It would be set again at once, and so on until its time has come."""

    async def main() -> None:
        loop, clock = asyncio.get_running_loop(), LoopClock()
        early: list[float] = []
        times = [loop.time() + number * 0.00037 for number in range(100)]
        for when in times:
            clock.call_at(when, lambda when=when: early.append(when) if clock.now() < when else None)  # type: ignore[misc]
        await asyncio.sleep(0.1)
        assert early == []

    run(main)


@pytest.mark.parametrize("server", SERVERS)
def test_a_receiver_handles_each_delivery_once(server: str) -> None:
    async def main() -> None:
        served, seen = receiver(), []

        @served.on("CALL_INCOMING")
        async def note(event: object) -> None:
            await asyncio.sleep(0.001)
            seen.append(event)

        async with serving(server, served) as wire, served:
            replies = await asyncio.gather(*(wire.post(incoming(f"c{n % 50}")) for n in range(100)))
            assert [reply.status for reply in replies] == [200] * 100
            await until(lambda: len(seen) == 50)
        assert (served.stats.handled, len(seen)) == (50, 50)

    run(main)
