"""Clients of one key are one client to the service: who shares a limit, and what sharing means."""

from __future__ import annotations

import asyncio
import gc
import math
import threading
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import pytest

from tests.session.harness import Wire
from tests.virtual_time import run_virtual
from voxloud_async import VoxloudClient
from voxloud_async._clock import LoopClock
from voxloud_async._ratelimit import key_limit
from voxloud_async._ratelimit.controller import Observer, RateController
from voxloud_async._ratelimit.key_limit import KeyLimit
from voxloud_async._ratelimit.limiter import Limiter
from voxloud_async._ratelimit.permit import Bounds, GateBeyondDeadlineError
from voxloud_async.errors import DeadlineExceededError
from voxloud_async.testing import FakeClock, answer

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    Limits = WeakValueDictionary[Hashable, KeyLimit]

ACCOUNT = answer({"name": "Rossi", "email": "admin@example.com"})
REFUSED = answer(status=429, headers={"Retry-After": "30"})
HOST = "https://limits.example"


def a_client(wire: Wire, *, key: str = "key-one", host: str = HOST, **options: Any) -> VoxloudClient:
    return VoxloudClient(key, base_url=host, transport=wire, **options)


@pytest.fixture(autouse=True)
def limits(monkeypatch: pytest.MonkeyPatch) -> Limits:
    """The limits of this test's clients alone."""
    fresh: Limits = WeakValueDictionary()
    monkeypatch.setattr(key_limit, "_LIMITS", fresh)
    return fresh


async def pause_of(other: Callable[[Wire], VoxloudClient]) -> float:
    """How long the call of another client waits after one client was answered with 429."""
    now = asyncio.get_running_loop().time
    refused, wire = Wire(REFUSED, ACCOUNT), Wire(ACCOUNT)
    first, second = a_client(refused), other(wire)
    await second.validate_auth()
    call = asyncio.create_task(first.validate_auth())
    await asyncio.sleep(0.5)
    started = now()
    await second.validate_auth()
    waited = now() - started
    await call
    return waited


def test_a_429_to_one_pauses_every_client_of_the_key() -> None:
    assert run_virtual(pause_of(a_client)) >= 29.0


def test_copies_with_other_options_share_the_limit() -> None:
    assert run_virtual(pause_of(lambda wire: a_client(wire).with_options(timeout=3.0))) >= 29.0


@pytest.mark.parametrize(
    "options",
    [{"key": "key-two"}, {"host": "https://other.example"}, {"rate": 7.0}, {"rate": None}, {"processes": 2}],
    ids=str,
)
def test_another_key_host_or_rate_is_another_limit(options: dict[str, Any]) -> None:
    assert run_virtual(pause_of(lambda wire: a_client(wire, **options))) == 0.0


def test_a_clock_of_its_own_is_a_limit_of_its_own() -> None:
    assert run_virtual(pause_of(lambda wire: a_client(wire, clock=LoopClock()))) == 0.0


def test_another_thread_has_its_own(limits: Limits) -> None:
    clients = [a_client(Wire()), a_client(Wire())]
    assert len(limits) == 1
    thread = threading.Thread(target=lambda: clients.append(a_client(Wire())))
    thread.start()
    thread.join()
    assert len(limits) == 2


def test_the_limit_goes_with_its_last_client(limits: Limits) -> None:
    clients = [a_client(Wire()), a_client(Wire()).with_options(timeout=1.0)]
    while clients:
        assert len(limits) == 1
        clients.pop()
        gc.collect()
    assert len(limits) == 0


def test_no_key_is_kept_to_tell_them_apart(limits: Limits) -> None:
    client = a_client(Wire(), key="key-hidden")
    assert len(limits) == 1
    assert "key-hidden" not in repr([*limits.items()])
    assert "key-hidden" not in repr(client)


def test_those_who_cannot_wait_are_turned_away_whichever_client_was_refused() -> None:
    async def main() -> None:
        refused, wire = Wire(REFUSED, ACCOUNT, seconds=1.0), Wire(ACCOUNT, seconds=3.0)
        first, second = a_client(refused), a_client(wire, max_wait=10.0, max_concurrency=1)
        now = asyncio.get_running_loop().time
        started = now()
        call = asyncio.create_task(first.validate_auth())
        results = await asyncio.gather(*(second.validate_auth() for _ in range(3)), return_exceptions=True)
        assert [type(result).__name__ for result in results] == ["Account", *["DeadlineExceededError"] * 2]
        assert isinstance(results[1], DeadlineExceededError)
        assert now() - started == pytest.approx(3.0, abs=0.1)
        assert len(wire.requests) == 1
        await call

    run_virtual(main())


def test_what_one_returns_the_other_may_use() -> None:
    async def main() -> None:
        wires = [Wire(ACCOUNT, seconds=1.0) for _ in range(2)]
        first, second = (a_client(wire, rate=1.0) for wire in wires)
        await asyncio.gather(*(client.validate_auth() for client in (first, second) for _ in range(10)))
        times = sorted(at for wire in wires for at in wire.at)
        assert len(times) == 20
        assert times[-1] - times[0] == pytest.approx(19.0, abs=0.1)

    run_virtual(main())


def test_ten_thousand_calls_at_once() -> None:
    async def main() -> None:
        wire = Wire(ACCOUNT, seconds=0.05)
        client = a_client(wire, rate=None, max_concurrency=64)
        results = await asyncio.gather(*(client.validate_auth() for _ in range(10_000)))
        assert len(results) == len(wire.requests) == 10_000
        assert wire.most == 64
        assert wire.in_flight == 0

    run_virtual(main())


@pytest.mark.parametrize(("processes", "at_once"), [(1, 10), (2, 5), (4, 2)])
def test_processes_start_at_their_share(processes: int, at_once: int) -> None:
    async def main() -> None:
        wire = Wire(ACCOUNT, seconds=100.0)
        client = a_client(wire, processes=processes, timeout=1000.0)
        calls = [asyncio.create_task(client.validate_auth()) for _ in range(12)]
        await asyncio.sleep(0.0)
        await asyncio.sleep(0.0)
        assert len(wire.requests) == at_once
        for call in calls:
            call.cancel()
        await asyncio.wait(calls)

    run_virtual(main())


def test_processes_keep_to_their_share_of_a_fixed_rate() -> None:
    async def main() -> None:
        wire = Wire(ACCOUNT)
        client = a_client(wire, rate=8.0, processes=4)
        await asyncio.gather(*(client.validate_auth() for _ in range(22)))
        assert wire.at[-1] - wire.at[0] == pytest.approx(10.0, abs=0.1)

    run_virtual(main())


@pytest.mark.parametrize("processes", [0, -1, 1.5, True, "2"])
def test_processes_are_a_whole_number(processes: Any) -> None:
    with pytest.raises((ValueError, TypeError), match="processes"):
        a_client(Wire(), processes=processes)


def test_news_of_a_controller_reach_those_who_wait() -> None:
    class News(RateController):
        shut = True

        opens = math.inf

        def observe(self, observer: Observer) -> None:
            self.observer = observer

        def ready_at(self, now: float, operation: str = "", *, waiting: bool) -> float:
            return self.opens if self.shut else super().ready_at(now, operation, waiting=waiting)

        def blocked_until(self, now: float, operation: str = "") -> float:
            return self.opens if self.shut else super().blocked_until(now, operation)

    async def main() -> None:
        controller = News(chance=lambda: 1.0)
        limit = KeyLimit(controller)
        limiters = [Limiter(limit, LoopClock(), concurrency=4) for _ in range(2)]
        now = asyncio.get_running_loop().time()
        late = asyncio.create_task(limiters[0].acquire(Bounds(deadline=now + 5.0)))
        waiting = asyncio.create_task(limiters[1].acquire(Bounds(deadline=now + 50.0)))
        await asyncio.sleep(1.0)
        controller.opens = now + 21.0
        controller.observer.paused(None, now + 1.0)
        with pytest.raises(GateBeyondDeadlineError) as caught:
            await late
        assert caught.value.wait == 20.0
        assert asyncio.get_running_loop().time() == pytest.approx(now + 1.0)
        controller.shut = False
        controller.observer.wake()
        await waiting

    run_virtual(main())


async def test_the_controller_is_let_go_with_the_last_client() -> None:
    class Closing(RateController):
        closed = 0

        async def aclose(self) -> None:
            self.closed += 1

    controller = Closing(chance=lambda: 0.5)
    limit = KeyLimit(controller)
    first, second = (Limiter(limit, FakeClock(), concurrency=1) for _ in range(2))
    await first.aclose()
    assert controller.closed == 0
    await second.aclose()
    assert controller.closed == 1
