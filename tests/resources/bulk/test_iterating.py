"""A bulk run as an iterator: a read that is cut off loses nothing, and a run that was cut never looks finished."""

from __future__ import annotations

import asyncio
import gc
import threading
from typing import TYPE_CHECKING, Any

import pytest

from voxloud_async import VoxloudClient
from voxloud_async.errors import UsageError
from voxloud_async.resources.bulk import log_file
from voxloud_async.resources.bulk.outcome import Summary
from voxloud_async.sandbox import Fault, Weather
from voxloud_async.testing import FakeTransport

from .samples import ADA, contacts, later, names, once_each
from .test_run import drained, left_behind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from voxloud_async.sandbox import Sandbox


async def cut_off(run: AsyncIterator[Any], turns: int) -> list[Any]:
    """Cancel a wait for the next outcome after some turns of the loop; the outcome if it came before."""
    waiting = asyncio.ensure_future(anext(run))
    for _ in range(turns):
        await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait({waiting})
    return [] if waiting.cancelled() else [waiting.result()]


async def rest_of(run: AsyncIterator[Any]) -> None:
    """Take what is left."""
    while True:
        await anext(run)


@pytest.mark.parametrize("journaled", [False, True])
@pytest.mark.parametrize("items", [lambda: contacts(20), lambda: later(20)], ids=["plain", "async"])
async def test_a_wait_that_is_cut_off_loses_nothing(
    client: VoxloudClient, sandbox: Sandbox, journal: Path, items: Any, *, journaled: bool
) -> None:
    sandbox.change_weather(Weather(latency=0.01))
    run = client.contacts.create_many(items(), concurrency=4, journal=journal if journaled else None)
    cuts = 0
    outcomes: list[Any] = []
    while len(outcomes) < 20:
        early = await cut_off(run, cuts % 7)
        cuts += not early
        outcomes += early or [await anext(run)]
    with pytest.raises(StopAsyncIteration):
        await anext(run)
    assert cuts >= 5
    assert sorted(outcome.index for outcome in outcomes) == list(range(20))
    assert run.summary.done == 20
    assert names(sandbox) == once_each(20)
    assert sandbox.count("POST") == 20


async def test_timeouts_around_each_outcome_lose_nothing(client: VoxloudClient, sandbox: Sandbox) -> None:
    sandbox.change_weather(Weather(latency=0.03))
    run = client.contacts.create_many(contacts(6), concurrency=1)
    timeouts = 0
    indexes: list[int] = []
    while len(indexes) < 6:
        try:
            async with asyncio.timeout(0.01):
                indexes.append((await anext(run)).index)
        except TimeoutError:
            timeouts += 1
    assert timeouts > 5
    assert indexes == list(range(6))
    assert sandbox.count("POST") == 6


async def test_it_is_its_own_iterator_and_a_loop_may_be_taken_up_again(client: VoxloudClient, sandbox: Sandbox) -> None:
    run = client.contacts.create_many(contacts(9), concurrency=2)
    assert aiter(run) is run
    indexes = [(await anext(run)).index]
    async for outcome in run:
        indexes.append(outcome.index)
        if len(indexes) == 4:
            break
    indexes += [outcome.index async for outcome in run]
    assert sorted(indexes) == list(range(9))
    assert sandbox.count("POST") == 9


async def test_after_its_end_it_cannot_be_iterated_again(client: VoxloudClient) -> None:
    run = client.contacts.create_many(contacts(2))
    assert await run.finish() == Summary(done=2)
    for again in (run.finish, run.collect):
        with pytest.raises(UsageError, match=r"once|some outcomes"):
            await again()
    with pytest.raises(StopAsyncIteration):
        await anext(run)


async def test_closed_before_its_end_it_does_not_look_finished(client: VoxloudClient, sandbox: Sandbox) -> None:
    sandbox.change_weather(Weather(latency=0.05))
    run = client.contacts.create_many(contacts(50), concurrency=4)
    async with run:
        await anext(run)
    for _ in range(2):
        with pytest.raises(UsageError, match="closed before its end"):
            await rest_of(run)
    with pytest.raises(UsageError, match="once"):
        aiter(run)
    await run.aclose()
    assert left_behind() == []


async def test_closed_before_it_began_it_sends_nothing(client: VoxloudClient, sandbox: Sandbox) -> None:
    run = client.contacts.create_many(contacts(5))
    await run.aclose()
    with pytest.raises(UsageError, match="closed"):
        await anext(run)
    assert sandbox.count() == 0


async def test_another_task_cannot_close_it_meanwhile(client: VoxloudClient, sandbox: Sandbox) -> None:
    sandbox.fail_next(Fault(delay=0.05), match="POST")
    run = client.contacts.create_many(contacts(1))
    waiting = asyncio.ensure_future(anext(run))
    await asyncio.sleep(0.01)
    with pytest.raises(UsageError, match="another task"):
        await run.aclose()
    assert (await waiting).ok
    await run.aclose()


async def test_one_task_at_a_time(client: VoxloudClient, sandbox: Sandbox) -> None:
    sandbox.fail_next(Fault(delay=0.05), match="POST")
    run = client.contacts.create_many(contacts(1))
    waiting = asyncio.ensure_future(anext(run))
    await asyncio.sleep(0)
    with pytest.raises(UsageError, match="another task"):
        await anext(run)
    assert (await waiting).index == 0
    assert run.summary.done == 1


async def test_collect_is_all_or_an_error(client: VoxloudClient) -> None:
    run = client.contacts.create_many(contacts(3))
    await anext(run)
    with pytest.raises(UsageError, match="some outcomes of this run were taken"):
        await run.collect()
    assert await run.finish() == Summary(done=3)


class Odd(BaseException):
    """No `Exception`."""


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError, Odd])
@pytest.mark.parametrize("kind", ["iterator", "async"])
async def test_whatever_the_items_raise_comes_out(client: VoxloudClient, kind: str, error: type[BaseException]) -> None:
    class Items:
        """Not a generator, to which GeneratorExit means something else."""

        left = 3

        def __iter__(self) -> Iterator[Any]:
            return self

        def __aiter__(self) -> AsyncIterator[Any]:
            return self

        def __next__(self) -> Any:
            self.left -= 1
            if self.left < 0:
                raise error
            return ADA

        async def __anext__(self) -> Any:
            return self.__next__()

    items: Any = Items() if kind == "async" else iter(Items().__next__, None)
    run = client.contacts.create_many(items, concurrency=2)
    with pytest.raises(error):
        await run.finish()
    assert run.summary == Summary(done=3)
    with pytest.raises(UsageError, match="closed before its end"):  # and it does not look finished
        await anext(run)
    assert left_behind() == []


async def test_a_stop_of_an_iteration_out_of_place_is_no_end(client: VoxloudClient) -> None:
    def items() -> Iterator[Any]:
        yield ADA

    def fail(_: Summary) -> None:
        raise StopAsyncIteration

    run = client.contacts.create_many(items(), on_progress=fail)
    with pytest.raises(RuntimeError, match="StopAsyncIteration"):
        await anext(run)
    assert (await anext(run)).ok  # the outcome at which it was raised is not lost
    with pytest.raises(StopAsyncIteration):
        await anext(run)


async def test_an_error_of_on_progress_loses_no_outcome(client: VoxloudClient) -> None:
    seen: list[Summary] = []

    def fail_once(summary: Summary) -> None:
        seen.append(summary)
        if len(seen) == 1:
            raise ZeroDivisionError

    run = client.contacts.create_many(contacts(3), concurrency=1, on_progress=fail_once)
    with pytest.raises(ZeroDivisionError):
        await anext(run)
    assert [outcome.index async for outcome in run] == [0, 1, 2]
    assert [each.done for each in seen] == [1, 2, 3]


async def test_dropped_while_it_opens_its_journal_it_lets_go_of_it(client: VoxloudClient, journal: Path) -> None:
    for turns in range(6):
        run = client.contacts.create_many(contacts(3), journal=journal)
        await cut_off(run, turns)
        del run
        while left_behind():  # noqa: ASYNC110 - nothing signals it
            await asyncio.sleep(0.001)
    assert (await client.contacts.create_many(contacts(3), journal=journal).finish()).done == 3


async def test_dropped_by_another_thread_it_ends(client: VoxloudClient, sandbox: Sandbox) -> None:
    sandbox.change_weather(Weather(latency=5.0))
    runs = [client.contacts.create_many(contacts(100), concurrency=8)]
    await cut_off(runs[0], 10)
    assert left_behind() != []
    thread = threading.Thread(target=runs.clear)
    thread.start()
    await asyncio.to_thread(thread.join)
    gc.collect()
    await drained()
    assert left_behind() == []


def test_dropped_when_its_loop_is_closed_it_does_nothing() -> None:
    async def begun() -> Any:
        async with VoxloudClient("key", base_url="http://127.0.0.1", transport=FakeTransport()) as client:
            run = client.contacts.create_many(contacts(5))
            await cut_off(run, 1)
            return run

    run = asyncio.run(begun())
    del run
    gc.collect()


async def test_a_run_whose_task_is_cancelled_from_outside_says_so(client: VoxloudClient, sandbox: Sandbox) -> None:
    sandbox.change_weather(Weather(latency=5.0))
    run = client.contacts.create_many(contacts(5))
    await cut_off(run, 10)
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        if getattr(task.get_coro(), "__qualname__", "") == "Pool._drive":
            task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await anext(run)
    assert {*run.pending} == set(range(5))


async def test_closed_while_it_syncs_its_journal_it_waits_for_that(
    client: VoxloudClient, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync, may_sync, synced = threading.Event(), threading.Event(), []

    def slow(file: int) -> None:
        sync.set()
        may_sync.wait(10)
        synced.append(file)

    run = client.contacts.create_many(contacts(1), journal=journal)
    assert (await anext(run)).ok
    monkeypatch.setattr(log_file, "_sync", slow)
    closing = [asyncio.ensure_future(run.aclose()) for _ in range(2)]
    await asyncio.to_thread(sync.wait, 10)
    await asyncio.sleep(0.01)
    assert not any(each.done() for each in closing)
    may_sync.set()
    await asyncio.gather(*closing)
    assert len(synced) == 1
    assert left_behind() == []


async def test_a_journal_that_cannot_be_synced_at_the_end_is_said(
    client: VoxloudClient, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError("I/O error")

    run = client.contacts.create_many(contacts(1), journal=journal)
    assert (await anext(run)).ok
    monkeypatch.setattr(log_file, "_sync", fail)
    for _ in range(2):
        with pytest.raises(OSError, match="I/O error"):
            await anext(run)
