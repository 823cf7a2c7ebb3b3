"""Two clients with a record between them stand for two processes."""

from __future__ import annotations

import asyncio
import math
import random
import socket
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.ratelimit.pacing import seconds
from tests.wire.raw_server import until
from voxloud_async import RedisRate, VoxloudClient
from voxloud_async._clock import LoopClock
from voxloud_async._ratelimit.key_limit import KeyLimit
from voxloud_async._ratelimit.limiter import Limiter
from voxloud_async._ratelimit.permit import Bounds, GateBeyondDeadlineError, Outcome, Pause
from voxloud_async._ratelimit.redis_controller import RedisController
from voxloud_async.testing import FakeTransport, answer

if TYPE_CHECKING:
    from tests.servers import RedisServer
    from voxloud_async.wire.message import Request, Response

KEY = "key-7f3a90-of-the-tests"
URL = "https://voxloud.test"
ACCOUNT = answer({"name": "Acme", "email": "office@example.com"})


def process(url: str, **settings: Any) -> tuple[RedisController, Limiter]:
    """What one process has in front of the record."""
    clock = LoopClock()
    controller = RedisController(RedisRate(url, **settings), KEY, clock, base_url=URL, chance=random.random)
    return controller, Limiter(KeyLimit(controller), clock, concurrency=64)


def always(response: Response, calls: int = 500) -> FakeTransport:
    def reply(_request: Request) -> Response:
        return response

    return FakeTransport(*[reply] * calls)


def client(url: str, **settings: Any) -> VoxloudClient:
    return VoxloudClient(KEY, base_url=URL, transport=always(ACCOUNT), rate=RedisRate(url, **settings), max_wait=5.0)


async def calls(one: VoxloudClient, count: int = 1) -> float:
    """Make calls at once; returns the seconds they took."""
    started = asyncio.get_running_loop().time()
    await asyncio.gather(*(one.request("GET", "/contacts") for _ in range(count)))
    return asyncio.get_running_loop().time() - started


async def test_a_permit_is_of_the_moment_it_was_taken(redis_server: RedisServer) -> None:
    controller, limiter = process(redis_server.url)
    loop = asyncio.get_running_loop()
    await limiter.acquire()
    controller.ready_at(loop.time(), waiting=False)
    await until(lambda: controller._reserved is not None)
    assert controller._reserved is not None
    reserved = controller._reserved.granted
    await asyncio.sleep(0.2)
    taken = await limiter.acquire()
    assert taken.granted - reserved >= 0.2, "else 0.2 s of nothing pass for a slow answer"
    await controller.aclose()


async def test_a_fixed_rate_is_one_for_both(redis_server: RedisServer) -> None:
    async with client(redis_server.url, rate=50.0) as one:
        other_controller, other = process(redis_server.url, rate=50.0)
        loop = asyncio.get_running_loop()
        started = loop.time()
        await asyncio.gather(calls(one, 20), *(other.acquire() for _ in range(20)))
        assert 0.55 <= loop.time() - started < 3.0, "a burst of 10, and 30 more at 50 a second"
        await other_controller.aclose()
    assert redis_server.calls("evalsha") <= 40 * 1.3


async def test_a_refusal_of_one_pauses_the_other(redis_server: RedisServer) -> None:
    (one, limiter), (two, others) = process(redis_server.url), process(redis_server.url)
    permit = await limiter.acquire()
    assert seconds(limiter.feedback(permit, Outcome.REFUSED, 0.4)) == 0.4
    await asyncio.sleep(0.05)
    started = asyncio.get_running_loop().time()
    later = await others.acquire()
    assert asyncio.get_running_loop().time() - started > 0.3
    assert (permit.epoch, later.epoch) == (0, 1)
    await one.aclose()
    await two.aclose()


async def test_an_outage_lets_one_probe_of_all_processes_through(redis_server: RedisServer) -> None:
    (one, limiter), (two, others) = process(redis_server.url), process(redis_server.url)
    first = await limiter.acquire()
    limiter.feedback(first, Outcome.DOWN)
    probe = await limiter.acquire()
    waiting = asyncio.create_task(others.acquire())
    await asyncio.sleep(0.3)
    assert (first.probe, probe.probe, waiting.done()) == (False, True, False)
    limiter.feedback(probe, Outcome.ANSWERED)
    assert not (await asyncio.wait_for(waiting, 5.0)).probe
    await one.aclose()
    await two.aclose()


async def test_a_cancelled_probe_frees_its_place_for_another(redis_server: RedisServer) -> None:
    (one, limiter), (two, others) = process(redis_server.url), process(redis_server.url)
    limiter.feedback(await limiter.acquire(), Outcome.DOWN)
    limiter.forget(await limiter.acquire())
    assert (await asyncio.wait_for(others.acquire(), 5.0)).probe
    await one.aclose()
    await two.aclose()


async def test_lost_answers_pause_only_in_a_row(redis_server: RedisServer) -> None:
    controller, limiter = process(redis_server.url)
    permits = [await limiter.acquire() for _ in range(3)]
    assert [limiter.feedback(permit, Outcome.LOST) for permit in permits] == [None] * 3
    assert (await asyncio.wait_for(limiter.acquire(), 5.0)).probe
    await controller.aclose()


async def test_500s_pause_only_in_a_row(redis_server: RedisServer) -> None:
    controller, limiter = process(redis_server.url)
    permits = [await limiter.acquire() for _ in range(5)]
    assert [limiter.feedback(permit, Outcome.FAILED) for permit in permits] == [None] * 5
    assert (await asyncio.wait_for(limiter.acquire(), 5.0)).probe
    await controller.aclose()


async def test_a_pause_met_elsewhere_turns_away_at_once_those_who_wait(redis_server: RedisServer) -> None:
    (one, limiter), (two, others) = process(redis_server.url, rate=2.0), process(redis_server.url, rate=2.0)
    loop = asyncio.get_running_loop()
    permit = await limiter.acquire()
    await others.acquire()
    started = loop.time()
    reserved = asyncio.create_task(others.acquire())
    late = asyncio.create_task(others.acquire(Bounds(deadline=started + 10.0)))
    await asyncio.sleep(0.1)
    limiter.feedback(permit, Outcome.REFUSED, 30.0)
    with pytest.raises(GateBeyondDeadlineError) as caught:
        await late
    assert loop.time() - started < 3.0
    assert caught.value.wait == pytest.approx(30.0, abs=3.0)
    assert reserved.done(), "it was reserved before"
    await one.aclose()
    await two.aclose()


async def test_who_is_cancelled_loses_nothing_and_holds_up_nobody(redis_server: RedisServer) -> None:
    controller, limiter = process(redis_server.url, rate=200.0)
    waiting = [asyncio.create_task(limiter.acquire()) for _ in range(100)]
    await asyncio.sleep(0.02)
    cancelled = random.Random(7).sample(waiting, 75)
    for task in cancelled:
        task.cancel()
    async with asyncio.timeout(5.0):
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    rest = [outcome for task, outcome in zip(waiting, outcomes, strict=True) if task not in cancelled]
    assert len(rest) == 25
    assert not [outcome for outcome in rest if isinstance(outcome, BaseException)]
    await controller.aclose()


async def test_a_reservation_that_nobody_uses_goes_back(redis_server: RedisServer) -> None:
    (one, limiter), (two, others) = process(redis_server.url), process(redis_server.url)
    limiter.feedback(await limiter.acquire(), Outcome.DOWN)
    async with asyncio.timeout(5.0):
        while one._reserved is None:  # asks as for a caller who is cancelled before the answer comes
            one.ready_at(asyncio.get_running_loop().time(), waiting=False)
            await asyncio.sleep(0.01)
    assert one._reserved.probe
    assert (await asyncio.wait_for(others.acquire(), 5.0)).probe, "its lease alone would be 10 s"
    assert one._reserved is None
    await one.aclose()
    await two.aclose()


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.DOWN])
async def test_what_pauses_everybody_gives_the_reservation_back(redis_server: RedisServer, outcome: Outcome) -> None:
    controller, limiter = process(redis_server.url, rate=2.0)
    permits = [await limiter.acquire() for _ in range(2)]
    waiting = asyncio.create_task(limiter.acquire())
    await asyncio.sleep(0.1)
    assert controller._reserved is not None
    limiter.feedback(permits[0], outcome)
    assert controller._reserved is None
    assert (await asyncio.wait_for(waiting, 5.0)).epoch == 1
    await controller.aclose()


async def test_an_unused_permit_goes_back_to_the_bucket(redis_server: RedisServer) -> None:
    controller, limiter = process(redis_server.url, rate=1.0)
    loop = asyncio.get_running_loop()
    for _ in range(20):
        limiter.give_back(await limiter.acquire())
    started = loop.time()
    limiter.forget(await limiter.acquire())
    assert loop.time() - started < 1.0
    await controller.aclose()


async def test_redis_never_sees_the_key(redis_server: RedisServer) -> None:
    with socket.create_connection(("127.0.0.1", redis_server.port)) as monitor:
        monitor.sendall(b"MONITOR\r\n")
        async with client(redis_server.url) as one:
            await calls(one, 15)
        monitor.settimeout(0.3)
        seen = b""
        try:
            while True:
                seen += monitor.recv(65536)
        except TimeoutError:
            pass
    names = redis_server.client.keys("*")
    stored = b"".join(names) + b"".join(redis_server.client.get(name) for name in names)
    assert len(names) == 1
    assert b"EVALSHA" in seen
    assert KEY.encode() not in seen + stored
    assert b"voxloud.test" not in seen + stored


async def test_closing_the_last_client_closes_the_connection(redis_server: RedisServer) -> None:
    def connections() -> int:
        return len(redis_server.client.client_list())

    before = connections()
    async with client(redis_server.url) as one:
        async with client(redis_server.url) as two:
            await calls(one)
            await calls(two)
            assert connections() == before + 1
        await calls(one)
    async with asyncio.timeout(5.0):
        while connections() > before:  # noqa: ASYNC110 - the server notices in its own time
            await asyncio.sleep(0.01)


def test_one_client_serves_one_loop_after_another(redis_server: RedisServer) -> None:
    one = client(redis_server.url)
    for _ in range(3):
        asyncio.run(_some(one))
    asyncio.run(one.aclose())
    assert redis_server.calls("evalsha") >= 15


async def _some(one: VoxloudClient) -> None:
    await calls(one, 5)


@pytest.mark.parametrize("url", ["http://127.0.0.1", "redis://127.0.0.1:port/0", "redis://127.0.0.1/0?colour=red"])
def test_a_url_that_redis_cannot_use_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="url cannot be used"):
        client(url)


@pytest.mark.parametrize("mark", ["/", "?", "#"])
def test_a_password_that_is_not_encoded_is_not_shown(mark: str) -> None:
    with pytest.raises(ValueError, match="url cannot be used") as caught:
        client(f"redis://:secret{mark}word@127.0.0.1:6379/0")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "setting",
    [{"rate": rate} for rate in (0.0, -1.0, math.inf, math.nan, "5", True)]
    + [{"processes": processes} for processes in (0, 1.5, math.inf, "4", True)]
    + [{"url": None}, {"url": ""}],
    ids=str,
)
def test_a_setting_out_of_range_is_refused(setting: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError), match=f"{next(iter(setting))} must"):
        RedisRate(**{"url": "redis://127.0.0.1"} | setting)


def test_processes_are_told_to_the_rate_that_they_share() -> None:
    with pytest.raises(ValueError, match="processes is to be given to RedisRate"):
        VoxloudClient(KEY, rate=RedisRate("redis://127.0.0.1"), processes=8)


def test_the_url_may_hold_a_password_and_is_not_shown() -> None:
    assert "secret" not in repr(RedisRate("redis://:secret@127.0.0.1"))


def test_without_redis_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "voxloud_async._ratelimit.redis_controller", None)
    with pytest.raises(ImportError, match=r"pip install 'voxloud_async\[redis\]'"):
        client("redis://127.0.0.1")


def test_a_loop_that_ends_with_a_request_on_its_way_holds_up_no_later_one(redis_server: RedisServer) -> None:
    controller = RedisController(RedisRate(redis_server.url), KEY, LoopClock(), base_url=URL, chance=random.random)
    limiter = Limiter(KeyLimit(controller), LoopClock(), concurrency=64)

    async def cut_off() -> None:
        waiting = [asyncio.create_task(limiter.acquire(operation=name)) for name in ("GET /a", "GET /b")]
        limiter.feedback(await limiter.acquire(), Outcome.FAILED)  # news that is on its way
        for _ in range(3):
            await asyncio.sleep(0)
        for task in waiting:
            task.cancel()

    async def later() -> None:
        await asyncio.wait_for(limiter.acquire(operation="GET /c"), 5.0)
        await controller.aclose()

    asyncio.run(cut_off())
    asyncio.run(later())


def test_a_reservation_left_by_an_earlier_loop_that_fits_no_other_operation_is_given_back(
    redis_server: RedisServer,
) -> None:
    controller = RedisController(RedisRate(redis_server.url), KEY, LoopClock(), base_url=URL, chance=random.random)
    limiter = Limiter(KeyLimit(controller), LoopClock(), concurrency=64)

    async def reserve_a_probe() -> None:
        limiter.feedback(await limiter.acquire(operation="GET /a"), Outcome.DOWN)
        probe = asyncio.create_task(limiter.acquire(operation="GET /a"))
        await until(lambda: controller._reserved is not None or probe.done())
        probe.cancel()

    async def later() -> None:
        await asyncio.wait_for(limiter.acquire(operation="GET /b"), 5.0)
        await controller.aclose()

    asyncio.run(reserve_a_probe())
    asyncio.run(later())


async def test_a_permit_whose_outcome_stays_unknown_is_no_news_while_all_is_well(redis_server: RedisServer) -> None:
    controller, limiter = process(redis_server.url)
    permit = await limiter.acquire()
    asked = redis_server.calls("evalsha")
    limiter.forget(permit)
    await asyncio.sleep(0.05)
    assert redis_server.calls("evalsha") == asked
    await controller.aclose()


async def test_l1_an_operation_refused_alone_is_so_for_every_process(redis_server: RedisServer) -> None:
    (one, limiter), (two, others) = process(redis_server.url), process(redis_server.url)
    export, free, loop = "GET /export", "GET /free", asyncio.get_running_loop()

    async def attempt(by: Limiter, operation: str, outcome: Outcome, retry_after: float | None = None) -> Pause | None:
        permit = await asyncio.wait_for(by.acquire(operation=operation), 5.0)
        return by.feedback(permit, outcome, retry_after)

    for operation, outcome in ((export, Outcome.REFUSED), (free, Outcome.ANSWERED), (export, Outcome.REFUSED)):
        await attempt(limiter, operation, outcome)
    await attempt(limiter, free, Outcome.ANSWERED)
    pause = await attempt(limiter, export, Outcome.REFUSED, 20.0)
    assert pause == Pause(20.0, export)
    await asyncio.sleep(0.05)
    started = loop.time()
    await attempt(others, free, Outcome.ANSWERED)
    assert loop.time() - started < 1.0
    with pytest.raises(GateBeyondDeadlineError) as caught:
        await others.acquire(Bounds(deadline=loop.time() + 5.0), export)
    assert caught.value.wait == pytest.approx(20.0, abs=1.0)
    await one.aclose()
    await two.aclose()
