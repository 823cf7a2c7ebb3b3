"""Bulk runs against a sandbox: an outcome for every item, whatever happens to it, and nothing left behind."""

from __future__ import annotations

import asyncio
import gc
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest

from voxloud_async import VoxloudClient
from voxloud_async.errors import (
    ArgumentTypeError,
    AuthenticationError,
    BadRequestError,
    ClientClosedError,
    InvalidArgumentError,
    UsageError,
)
from voxloud_async.resources.bulk.outcome import Outcome, Summary
from voxloud_async.sandbox import Fault, Sandbox, Weather

from .samples import ADA, contact, contacts, later, names, once_each

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from voxloud_async.resources.bulk.run import BulkRun


def left_behind() -> list[str]:
    """The tasks of bulk runs."""
    names = (getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks())
    return [name for name in names if name in {"Pool._drive", "Pool._work", "_one_of"}]


async def arrived(sandbox: Sandbox, requests: int) -> None:
    while sandbox.count() < requests:  # noqa: ASYNC110 - the sandbox tells nobody
        await asyncio.sleep(0.001)


async def drained() -> None:
    """Let the loop turn until what was cancelled is gone."""
    for _ in range(20):
        await asyncio.sleep(0)


async def note(run: BulkRun[Any, Any], taken: list[Any]) -> None:
    """Keep the outcomes of a run that ends badly."""
    async for outcome in run:
        taken.append(outcome)  # noqa: PERF401 - a comprehension would lose them


async def test_every_item_has_an_outcome(client: VoxloudClient, sandbox: Sandbox) -> None:
    outcomes = [outcome async for outcome in client.contacts.create_many(contacts(50))]
    assert sorted(outcome.index for outcome in outcomes) == list(range(50))
    for outcome in outcomes:
        assert (outcome.ok, outcome.unknown, outcome.replayed, outcome.error) == (True, False, False, None)
        assert outcome.result is not None
        assert outcome.id == outcome.result.id
        assert outcome.item == contact(outcome.index)
        assert outcome.result.first_name == f"N{outcome.index}"
    assert names(sandbox) == once_each(50)
    assert sandbox.count() == 50


async def test_outcomes_come_as_they_are_done_and_collect_sorts_them(client: VoxloudClient, sandbox: Sandbox) -> None:
    sandbox.fail_next(Fault(delay=0.1), match="POST")
    streamed = [outcome.index async for outcome in client.contacts.create_many(contacts(4), concurrency=2)]
    assert streamed == [1, 2, 3, 0]
    sandbox.fail_next(Fault(delay=0.1), match="POST")
    collected = await client.contacts.create_many(contacts(4), concurrency=2).collect()
    assert [outcome.index for outcome in collected] == [0, 1, 2, 3]


async def test_bad_items_and_refused_ones_end_nothing(client: VoxloudClient, sandbox: Sandbox) -> None:
    items: list[Any] = [
        ADA,
        {"first_name": "Bea"},
        {**ADA, "first_name": " "},
        {**ADA, "primary_phone": "031"},
        {**ADA, "nickname": "A"},
        "Ada",
        {**ADA, "first_name": "\ud800"},
        ADA,
    ]
    outcomes = await client.contacts.create_many(items).collect()
    bad, unfit = InvalidArgumentError, ArgumentTypeError
    assert [type(outcome.error) for outcome in outcomes] == [
        *(type(None), unfit, bad, BadRequestError, unfit, unfit, bad, type(None))
    ]
    assert str(outcomes[1].error) == "primary_phone is required"
    assert str(outcomes[5].error) == "fields must be a mapping of contact fields, not str"
    assert [outcome.id is not None for outcome in outcomes] == [outcome.ok for outcome in outcomes]
    assert sandbox.count("POST") == 3
    assert not any(outcome.unknown for outcome in outcomes)


async def test_an_outcome_shows_nothing_of_its_item(client: VoxloudClient) -> None:
    items: list[Any] = [ADA, {**ADA, "first_name": "Ada\ud800"}]
    for item in items:
        (outcome,) = await client.contacts.create_many([item]).collect()
        assert "Ada" not in repr(outcome)
        assert "+39" not in repr(outcome)


async def test_items_may_come_later(client: VoxloudClient, sandbox: Sandbox) -> None:
    assert await client.contacts.create_many(later(30)).finish() == Summary(done=30)
    assert names(sandbox) == once_each(30)


async def test_items_are_read_no_further_ahead_than_there_are_workers(client: VoxloudClient) -> None:
    read = 0

    def items() -> Iterator[Any]:
        nonlocal read
        for each in contacts(1000):
            read += 1
            yield each

    async with client.contacts.create_many(items(), concurrency=4) as run:
        assert read == 0
        taken = 0
        async for _ in run:
            taken += 1
            await asyncio.sleep(0.01)  # a caller who takes its time
            assert read <= taken + 4
            assert len(run.pending) <= 4
            if taken == 20:
                break


async def test_no_more_are_under_way_than_asked(client: VoxloudClient, sandbox: Sandbox) -> None:
    sandbox.change_weather(Weather(latency=0.05))
    await client.contacts.create_many(contacts(12), concurrency=4).finish()
    starts = sorted(each.at for each in sandbox.requests)
    assert starts[3] - starts[0] < 0.05 <= starts[4] - starts[0]


@pytest.mark.parametrize("items", [lambda: contacts(100), lambda: later(100)], ids=["plain", "async"])
async def test_leaving_early_cancels_what_is_under_way(client: VoxloudClient, sandbox: Sandbox, items: Any) -> None:
    sandbox.change_weather(Weather(latency=0.01))
    async with client.contacts.create_many(items(), concurrency=8) as run:
        async for _ in run:
            break
    assert left_behind() == []
    assert 0 < sandbox.count("POST") <= 16
    assert len(run.pending) <= 8

    async with aclosing(aiter(client.contacts.create_many(items(), concurrency=8))) as outcomes:
        async for _ in outcomes:
            break
    assert left_behind() == []


async def test_dropped_without_closing_it_ends_in_the_next_turns(client: VoxloudClient, sandbox: Sandbox) -> None:
    sandbox.change_weather(Weather(latency=0.2))
    run = client.contacts.create_many(contacts(100), concurrency=8)
    sandbox.fail_next(Fault(status=400))
    async for _ in run:
        break
    assert left_behind() != []  # it can still be taken up
    del run
    gc.collect()
    await drained()
    assert left_behind() == []
    assert sandbox.count() <= 9


async def test_cancelled_it_leaves_nothing_behind(client: VoxloudClient, sandbox: Sandbox) -> None:
    sandbox.change_weather(Weather(latency=5.0))
    run = client.contacts.create_many(contacts(100), concurrency=8)
    task = asyncio.create_task(run.finish())
    await arrived(sandbox, 8)
    assert left_behind().count("Pool._work") == 8
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert left_behind() == []
    assert {*run.pending} == set(range(8))
    assert sandbox.count() == 8


async def test_cancelled_while_it_waits_for_an_item(client: VoxloudClient) -> None:
    closed = False

    async def items() -> AsyncIterator[Any]:
        nonlocal closed
        try:
            yield ADA
            await asyncio.sleep(60)
        finally:
            closed = True

    async with client.contacts.create_many(items()) as run:
        async for _ in run:
            break
    assert closed
    assert left_behind() == []


async def test_stop_lets_those_under_way_come(client: VoxloudClient, sandbox: Sandbox) -> None:
    sandbox.change_weather(Weather(latency=0.01))
    run = client.contacts.create_many(contacts(100), concurrency=4)
    taken = []
    async for outcome in run:
        taken.append(outcome)
        run.stop()
    assert 1 <= len(taken) <= 8
    assert all(outcome.ok for outcome in taken)
    assert sandbox.count("POST") == len(taken)
    assert run.pending == {}


async def test_stop_waits_for_no_further_item(client: VoxloudClient) -> None:
    async def items() -> AsyncIterator[Any]:
        yield ADA
        await asyncio.sleep(60)

    run = client.contacts.create_many(items())
    async for _ in run:
        run.stop()
    assert run.summary == Summary(done=1)


@pytest.mark.parametrize("kind", ["plain", "async"])
async def test_an_error_of_the_items_is_raised_after_those_under_way(
    client: VoxloudClient, sandbox: Sandbox, kind: str
) -> None:
    def plain() -> Iterator[Any]:
        yield from contacts(5)
        raise KeyError("a line that is none")

    async def asynchronous() -> AsyncIterator[Any]:
        for each in plain():
            yield each

    run = client.contacts.create_many(plain() if kind == "plain" else asynchronous(), concurrency=2)
    taken: list[Any] = []
    with pytest.raises(KeyError, match="a line that is none"):
        await note(run, taken)
    assert len(taken) == 5
    assert names(sandbox) == once_each(5)
    assert left_behind() == []


async def test_items_that_cancel_themselves_do_not_hang_the_run(client: VoxloudClient) -> None:
    async def items() -> AsyncIterator[Any]:
        yield ADA
        raise asyncio.CancelledError

    run = client.contacts.create_many(items())
    with pytest.raises(asyncio.CancelledError):
        await run.finish()
    assert run.summary.done == 1


async def test_a_refused_key_is_said_once_for_all(sandbox: Sandbox) -> None:
    async with VoxloudClient("wrong", base_url=sandbox.url, rate=None) as client:
        run = client.contacts.create_many(contacts(100_000), concurrency=4)
        taken: list[Outcome[Any, Any]] = []
        with pytest.raises(AuthenticationError):
            await note(run, taken)
    assert 1 <= len(taken) <= 4
    assert all(isinstance(outcome.error, AuthenticationError) for outcome in taken)
    assert sandbox.count() == len(taken)


async def test_a_client_that_is_closed_ends_the_run(client: VoxloudClient, sandbox: Sandbox) -> None:
    sandbox.change_weather(Weather(latency=0.2))
    run = client.contacts.create_many(contacts(100), concurrency=4)
    task = asyncio.create_task(run.finish())
    await arrived(sandbox, 4)
    await client.aclose()
    with pytest.raises(ClientClosedError):
        await task
    assert run.summary == Summary(unknown=4)
    assert sandbox.count() == 4


async def test_a_run_goes_once(client: VoxloudClient, sandbox: Sandbox) -> None:
    run = client.contacts.create_many(list(contacts(2)))
    await run.finish()
    with pytest.raises(UsageError, match="once"):
        await run.finish()
    assert sandbox.count("POST") == 2


async def test_progress_is_told_with_each_outcome(client: VoxloudClient) -> None:
    told: list[Summary] = []
    items = [ADA, {"first_name": "Bea"}, ADA]
    summary = await client.contacts.create_many(items, concurrency=1, on_progress=told.append).finish()
    assert told == [
        Summary(done=1, total=3),
        Summary(done=1, failed=1, total=3),
        Summary(done=2, failed=1, total=3),
    ]
    assert (summary, summary.outcomes) == (told[-1], 3)


async def test_an_error_of_who_is_told_is_the_callers(client: VoxloudClient) -> None:
    def fail(_: Summary) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await client.contacts.create_many(contacts(100), on_progress=fail).finish()
    assert left_behind() == []


@pytest.mark.parametrize("fault", [ZeroDivisionError, asyncio.CancelledError])
async def test_a_fault_of_our_own_is_raised(
    client: VoxloudClient, monkeypatch: pytest.MonkeyPatch, fault: type[BaseException]
) -> None:
    async def broken(*_: Any, **__: Any) -> None:
        raise fault

    run = client.contacts.create_many(contacts(100), concurrency=4)
    monkeypatch.setattr(type(client._session), "call", broken)
    with pytest.raises(fault):
        await run.finish()
    assert run.summary.outcomes == 0
    assert 1 <= len(run.pending) <= 4


@pytest.mark.parametrize(
    ("items", "options", "error", "reason"),
    [
        ("abc", {}, TypeError, "items must be an iterable or async iterable of items, not str"),
        (ADA, {}, TypeError, "not dict"),
        (None, {}, TypeError, "not NoneType"),
        ([], {"concurrency": 0}, ValueError, "concurrency must be at least 1"),
        ([], {"concurrency": "4"}, TypeError, "concurrency must be a whole number"),
        ([], {"on_progress": 1}, TypeError, "on_progress must be a callable"),
        ([], {"journal": 1}, TypeError, "int"),
        ([], {"paralel": 1}, TypeError, "paralel is no known option"),
    ],
)
async def test_bad_arguments(client: VoxloudClient, items: Any, options: Any, error: Any, reason: str) -> None:
    with pytest.raises(error, match=reason):
        client.contacts.create_many(items, **options)


async def test_no_items_are_no_outcomes(client: VoxloudClient, sandbox: Sandbox) -> None:
    assert await client.contacts.create_many([]).collect() == []
    assert sandbox.count() == 0


async def test_a_run_tells_what_it_is_for(client: VoxloudClient) -> None:
    assert repr(client.contacts.create_many([ADA])).startswith("<BulkRun to create contacts:")
