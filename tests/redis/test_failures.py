"""Whatever becomes of Redis, no call fails: a process goes on at its share, and comes back."""

from __future__ import annotations

import asyncio
import gc
import logging
from typing import TYPE_CHECKING, Any

import pytest

from tests.ratelimit.pacing import seconds, start
from voxloud_async import RedisRate
from voxloud_async._clock import LoopClock
from voxloud_async._ratelimit import redis_controller
from voxloud_async._ratelimit.permit import Bounds, GateBeyondDeadlineError, Outcome
from voxloud_async._ratelimit.redis_record import SharedPermit

from .test_shared_limit import calls, client, process

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.servers import RedisServer
    from voxloud_async._ratelimit.redis_controller import RedisController

GENEROUS = 2.0
"""Seconds: three steps' patience, on a machine that is busy."""

NOWHERE = "redis://127.0.0.1:1/0"


def alone(controller: RedisController) -> bool:
    return asyncio.get_running_loop().time() < controller._share.until


def hung(server: RedisServer) -> None:
    server.hang()


def killed(server: RedisServer) -> None:
    server.stop()


def read_only(server: RedisServer) -> None:
    server.client.config_set("min-replicas-to-write", 1)


def replica(server: RedisServer) -> None:
    server.client.replicaof("127.0.0.1", 1)


def forbidden(server: RedisServer) -> None:
    server.client.acl_setuser("default", commands=["-evalsha"], reset=False, enabled=True)


def spoilt(server: RedisServer) -> None:
    for name in server.client.keys("*"):
        server.client.set(name, "not a record")


@pytest.mark.parametrize("fault", [hung, killed, read_only, replica, forbidden, spoilt])
async def test_a_fault_costs_a_moment_and_no_call(
    redis_server: RedisServer, fault: Callable[[RedisServer], None], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "voxloud_async")
    async with client(redis_server.url, rate=200.0, processes=2) as one:
        await calls(one, 5)
        fault(redis_server)
        assert await calls(one, 30) < GENEROUS
    told = [record.getMessage() for record in caplog.records if "paces itself" in record.getMessage()]
    assert len(told) == 1
    assert told[0].endswith("at 100.0 requests a second")


async def test_a_url_where_nobody_listens_costs_no_call() -> None:
    async with client(NOWHERE) as one:
        assert await calls(one, 5) < GENEROUS


async def test_while_it_is_alone_it_does_not_ask(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    controller, limiter = process(redis_server.url, rate=500.0)
    before = await limiter.acquire()
    asked = 0
    step = controller._record.step

    async def counted(*arguments: Any, **settings: Any) -> Any:
        nonlocal asked
        asked += 1
        return await step(*arguments, **settings)

    monkeypatch.setattr(controller._record, "step", counted)
    redis_server.hang()
    permits = [await limiter.acquire() for _ in range(20)]
    limiter.feedback(before, Outcome.DOWN)
    limiter.give_back(permits.pop())
    limiter.forget(permits.pop())
    for permit in permits:
        limiter.feedback(permit, Outcome.ANSWERED)
    assert asked == 1
    redis_server.go_on()
    await controller.aclose()


async def test_it_comes_back_to_a_server_that_was_restarted(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_controller, "FALLBACK", 0.1)
    controller, limiter = process(redis_server.url)
    await limiter.acquire()
    for _ in range(2):
        redis_server.stop()
        await limiter.acquire()
        assert alone(controller)
        redis_server.start()
        await asyncio.sleep(0.15)
        await limiter.acquire()
        assert not alone(controller)
    await controller.aclose()


async def test_a_server_restarted_while_nobody_asks_is_not_missed(redis_server: RedisServer) -> None:
    controller, limiter = process(redis_server.url)
    limiter.feedback(await limiter.acquire(), Outcome.ANSWERED)
    await asyncio.sleep(0.1)  # until that was told
    redis_server.stop()
    redis_server.start()
    await asyncio.sleep(0.1)  # until the end of the connection was heard of
    permit = await limiter.acquire()
    assert isinstance(permit, SharedPermit)
    assert not alone(controller)
    await controller.aclose()


@pytest.mark.parametrize("flush", ["flushall", "script_flush"])
async def test_a_flush_is_not_felt(redis_server: RedisServer, flush: str) -> None:
    controller, limiter = process(redis_server.url)
    for _ in range(3):
        limiter.feedback(await limiter.acquire(), Outcome.ANSWERED)
    limiter.feedback(await limiter.acquire(), Outcome.REFUSED)
    await limiter.acquire()
    rate = controller.rate
    getattr(redis_server.client, flush)()
    await limiter.acquire()
    assert controller.rate == pytest.approx(rate, rel=0.2), "a lost record starts from the rate last heard"
    assert not alone(controller)
    await controller.aclose()


async def test_a_reservation_does_not_outlive_the_loss_of_redis(redis_server: RedisServer) -> None:
    controller, limiter = process(redis_server.url, rate=2.0)
    lost = [await limiter.acquire() for _ in range(2)]
    waiting = asyncio.create_task(limiter.acquire())
    await asyncio.sleep(0.1)
    redis_server.stop()
    for permit in lost:
        limiter.feedback(permit, Outcome.LOST)
    assert not isinstance(await asyncio.wait_for(waiting, 5.0), SharedPermit)
    await controller.aclose()


@pytest.mark.parametrize("failed_before", [False, True])
async def test_a_pause_met_just_as_redis_fails_is_kept(redis_server: RedisServer, failed_before: bool) -> None:  # noqa: FBT001 - a table's column
    controller, limiter = process(redis_server.url)
    loop = asyncio.get_running_loop()
    permit = await limiter.acquire()
    redis_server.stop()
    if failed_before:
        await limiter.acquire()
        assert alone(controller)
    started = loop.time()
    assert seconds(limiter.feedback(permit, Outcome.REFUSED, 1.5)) == 1.5
    with pytest.raises(GateBeyondDeadlineError):
        await limiter.acquire(Bounds(deadline=started + 1.0))
    assert loop.time() - started < 0.9
    assert not isinstance(await limiter.acquire(), SharedPermit)
    assert loop.time() - started >= 1.5
    await controller.aclose()


async def test_an_outage_met_just_as_redis_fails_is_kept(redis_server: RedisServer) -> None:
    controller, limiter = process(redis_server.url)
    permits = [await limiter.acquire() for _ in range(6)]
    redis_server.stop()
    for permit in permits[:3]:
        limiter.feedback(permit, Outcome.DOWN)
    probe = await limiter.acquire()
    assert alone(controller)
    limiter.feedback(permits[3], Outcome.ANSWERED)  # sent before, it says nothing of now
    limiter.give_back(permits[4])
    limiter.feedback(permits.pop(), Outcome.DOWN)
    (waiting,) = start(limiter.acquire())
    await asyncio.sleep(0.1)
    assert (probe.probe, waiting.done()) == (True, False)
    assert not isinstance(probe, SharedPermit)
    limiter.feedback(probe, Outcome.ANSWERED)
    await asyncio.wait_for(waiting, 1.0)
    await controller.aclose()


async def test_a_pause_heard_of_is_kept_when_redis_fails(redis_server: RedisServer) -> None:
    (one, limiter), (two, others) = process(redis_server.url), process(redis_server.url)
    loop = asyncio.get_running_loop()
    started = loop.time()
    limiter.feedback(await limiter.acquire(), Outcome.REFUSED, 2.0)
    waiting = asyncio.create_task(others.acquire())
    await asyncio.sleep(0.2)
    redis_server.stop()
    await asyncio.wait_for(waiting, 10.0)
    assert loop.time() - started >= 1.9
    await one.aclose()
    await two.aclose()


async def test_a_pause_met_alone_is_kept_when_redis_is_back(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_controller, "FALLBACK", 0.2)
    controller, limiter = process(redis_server.url)
    loop = asyncio.get_running_loop()
    await limiter.acquire()
    redis_server.stop()
    permit = await limiter.acquire()
    started = loop.time()
    limiter.feedback(permit, Outcome.REFUSED, 1.0)
    redis_server.start()
    assert isinstance(await limiter.acquire(), SharedPermit)
    assert loop.time() - started >= 1.0
    await controller.aclose()


async def test_an_outage_of_redis_is_told_of_once(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(redis_controller, "FALLBACK", 0.3)
    caplog.set_level(logging.WARNING, "voxloud_async")
    controller, limiter = process(redis_server.url)
    redis_server.stop()
    for _ in range(3):
        limiter.feedback(await limiter.acquire(), Outcome.ANSWERED)
        await asyncio.sleep(0.35)
    assert len(caplog.records) == 1
    await controller.aclose()


async def test_news_for_a_client_that_is_gone_do_no_harm(redis_server: RedisServer) -> None:
    controller, limiter = process(redis_server.url)
    permit = await limiter.acquire()
    del limiter
    gc.collect()
    assert controller.feedback(permit, Outcome.REFUSED, asyncio.get_running_loop().time(), 30.0) == 30.0
    await controller.aclose()
    assert redis_server.calls("evalsha") == 3, "the first of them finds no script"


async def test_news_whose_step_is_cancelled_is_kept_for_the_next_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    controller = redis_controller.RedisController(
        RedisRate("redis://127.0.0.1:1"), "key", LoopClock(), base_url="https://v.test", chance=lambda: 0.5
    )
    monkeypatch.setattr(controller._record, "step", never)
    controller.give_back(SharedPermit(0, 0.0))
    pump = controller._pump
    assert pump is not None
    await asyncio.sleep(0)
    assert controller._news == []
    pump.cancel()
    await asyncio.wait({pump})
    assert [item[0] for item in controller._news] == ["unused"]
