"""Streams: read once, by one task at a time; cut off, they continue; closed early, they never look complete."""

from __future__ import annotations

import asyncio
import re
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from tests.virtual_time import run_virtual
from voxloud_async import VoxloudClient
from voxloud_async._streams import Stream
from voxloud_async.errors import UsageError
from voxloud_async.sandbox import Sandbox, Weather

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


class Numbers(Stream[int]):
    """The numbers to 6, three at a time, each time after a second."""

    def __init__(self) -> None:
        self.steps = self.released = 0
        self.error: Exception | None = None

    async def _advance(self) -> bool:
        await asyncio.sleep(1.0)
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        if self.steps == 2:
            return False
        self._items = iter(range(self.steps * 3, self.steps * 3 + 3))
        self.steps += 1
        return True

    async def _release(self) -> None:
        self.released += 1


def test_it_is_read_once() -> None:
    async def main() -> None:
        numbers = Numbers()
        assert aiter(numbers) is numbers
        assert [number async for number in numbers] == list(range(6))
        assert numbers.released == 1
        for _ in range(2):
            with pytest.raises(StopAsyncIteration):
                await anext(numbers)
        with pytest.raises(UsageError, match="read once"):
            aiter(numbers)

    run_virtual(main())


def test_a_loop_that_is_left_may_be_taken_up_again() -> None:
    async def main() -> list[int]:
        numbers = Numbers()
        async for number in numbers:
            if number == 3:
                break
        return [number async for number in numbers]

    assert run_virtual(main()) == [4, 5]


@pytest.mark.parametrize("taken", [0, 2])
def test_closed_early_it_does_not_look_complete(taken: int) -> None:
    async def main() -> None:
        async with Numbers() as numbers:
            for _ in range(taken):
                await anext(numbers)
        for _ in range(2):
            with pytest.raises(UsageError, match="closed before its end"):
                await anext(numbers)
        with pytest.raises(UsageError, match="read once"):
            aiter(numbers)
        await numbers.aclose()

    run_virtual(main())


def test_closed_at_its_end_it_has_ended() -> None:
    async def main() -> None:
        async with Numbers() as numbers:
            assert [number async for number in numbers] == list(range(6))
        with pytest.raises(StopAsyncIteration):
            await anext(numbers)

    run_virtual(main())


def test_a_timeout_loses_nothing() -> None:
    async def main() -> list[int]:
        numbers, found, timeouts = Numbers(), list[int](), 0
        while len(found) < 6:
            try:
                async with asyncio.timeout(0.7 if timeouts < 5 else 1.5):
                    found.append(await anext(numbers))
            except TimeoutError:
                timeouts += 1
        assert timeouts == 5
        return found

    assert run_virtual(main()) == list(range(6))


def test_after_an_error_it_continues() -> None:
    async def main() -> list[int]:
        numbers = Numbers()
        found = [await anext(numbers) for _ in range(3)]
        numbers.error = ZeroDivisionError()
        with pytest.raises(ZeroDivisionError):
            await anext(numbers)
        return [*found, *[number async for number in numbers]]

    assert run_virtual(main()) == list(range(6))


def test_one_task_reads_it_at_a_time() -> None:
    async def main() -> None:
        numbers = Numbers()
        first = asyncio.ensure_future(anext(numbers))
        await asyncio.sleep(0)
        for refused in (anext(numbers), numbers.aclose()):
            with pytest.raises(UsageError, match="another task"):
                await refused
        assert await first == 0
        await numbers.aclose()

    run_virtual(main())


def test_its_errors_show_none_of_its_frames() -> None:
    async def main() -> None:
        async with Numbers() as numbers:
            pass
        with pytest.raises(UsageError) as caught:
            await anext(numbers)
        assert {frame.name for frame in traceback.extract_tb(caught.value.__traceback__)} == {"main"}

    run_virtual(main())


# The streams of the client

STREAMS: dict[str, Callable[[VoxloudClient], Stream[Any]]] = {
    "query": lambda client: client.telephony_events.query(page_size=50),
    "pages": lambda client: client.telephony_events.query(page_size=50).pages(),
    "raw pages": lambda client: client.telephony_events.query(page_size=50).pages(raw=True),
    "incremental": lambda client: client.telephony_events.incremental(page_size=50),
    "export_csv": lambda client: client.telephony_events.export_csv(page_size=50),
    "search": lambda client: client.contacts.search(page_size=50),
    "create_many": lambda client: client.contacts.create_many(
        [{"first_name": "Ada", "primary_phone": f"+3903123{number:05}"} for number in range(40)]
    ),
    "watch": lambda client: client.webhook_subscriptions.watch(every=0.001),
}

each_stream = pytest.mark.parametrize("name", STREAMS)


@pytest.fixture
async def client() -> AsyncIterator[VoxloudClient]:
    async with (
        Sandbox(events=300, contacts=150, weather=Weather(latency=0.01)) as sandbox,
        VoxloudClient(sandbox.api_key, base_url=sandbox.url, rate=None) as client,
    ):
        yield client


async def read(stream: Stream[Any], timeout: float | None, most: int) -> list[Any]:  # noqa: ASYNC109 - around `anext`
    found: list[Any] = []
    while len(found) < most:
        try:
            async with asyncio.timeout(timeout):
                found.append(await anext(stream))
        except TimeoutError:
            continue
        except StopAsyncIteration:
            return found
    return found


@each_stream
async def test_p8_a_timeout_around_a_step_loses_nothing(client: VoxloudClient, name: str) -> None:
    if name == "watch":  # it has no end: its first look is what may be lost
        stream = STREAMS[name](client)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(stream), 0.001)
        await stream.aclose()
        return
    whole = await read(STREAMS[name](client), None, 10_000)
    cut = await read(STREAMS[name](client), 0.002, 10_000)
    assert len(cut) == len(whole) > 3
    if name in {"query", "search", "pages"}:
        assert [getattr(item, "id", getattr(item, "items", None)) for item in cut] == [
            getattr(item, "id", getattr(item, "items", None)) for item in whole
        ]


@each_stream
async def test_p8_closed_early_none_looks_complete_and_nothing_is_left(client: VoxloudClient, name: str) -> None:
    stream = STREAMS[name](client)
    assert aiter(stream) is stream
    async with stream:
        if name != "watch":
            await anext(stream)
    assert [task for task in asyncio.all_tasks() if re.search("Prefetcher|Pool|one_of", repr(task))] == []
    with pytest.raises(UsageError, match="closed before its end"):
        await anext(stream)
    await stream.aclose()


def test_a_caller_s_stop_iteration_does_not_look_like_the_end() -> None:
    def stop(_: object) -> None:
        raise StopAsyncIteration

    async def main() -> None:
        async with (
            Sandbox(contacts=30, events=0) as sandbox,
            VoxloudClient(sandbox.api_key, base_url=sandbox.url) as client,
        ):
            with pytest.raises(RuntimeError, match="StopAsyncIteration"):
                await client.contacts.search(on_progress=stop).collect()

    asyncio.run(main())
