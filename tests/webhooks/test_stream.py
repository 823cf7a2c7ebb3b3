from __future__ import annotations

import asyncio
import gc
import logging

import pytest

from tests.webhooks.deliveries import incoming
from tests.webhooks.desk import Desk, virtually
from voxloud_async.models import CallEvent
from voxloud_async.webhooks import EventStream, Received, handling
from voxloud_async.webhooks.notices import Dropped, Unhandled


async def call_ids(stream: EventStream) -> list[str]:
    return [event.call_id async for event in stream if isinstance(event, CallEvent)]


def test_every_stream_gets_each_event_until_the_receiver_stops() -> None:
    async def main() -> None:
        desk = Desk(concurrency=1)
        streams = [desk.receiver.events() for _ in range(3)]
        readers = [asyncio.create_task(call_ids(stream)) for stream in streams]
        async with desk.receiver:
            await desk.deliver(*(incoming(f"c{n}") for n in range(10)))
            await desk.settled()
        assert [await reader for reader in readers] == [[f"c{n}" for n in range(10)]] * 3
        assert await call_ids(streams[0]) == []
        assert desk.told(Unhandled) == [Unhandled("CALL_INCOMING")] * 10

    virtually(main)


def test_an_event_that_is_handled_again_is_told_once() -> None:
    async def main() -> None:
        desk = Desk()
        stream, runs = desk.receiver.events(), []

        @desk.receiver.on()
        async def fail(_event: object, received: Received) -> None:
            runs.append(received.run)
            if received.run < 3:
                raise ValueError

        async with desk.receiver:
            await desk.deliver(incoming())
            await desk.settled()
        assert (await call_ids(stream), runs) == (["c1"], [1, 2, 3])
        assert desk.receiver._lifetime.desk.streamed == {}

    virtually(main)


def test_what_never_ends_here_is_not_remembered_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        desk = Desk(concurrency=1)
        stream = desk.receiver.events()

        @desk.receiver.on()
        async def fail(_event: object) -> None:
            raise ValueError

        async with desk.receiver:
            await desk.deliver(*(incoming(f"c{n}") for n in range(5)))
            await asyncio.sleep(0.5)
            assert len(desk.receiver._lifetime.desk.streamed) == 3
        assert stream.dropped == 0

    monkeypatch.setattr(handling, "_MOST_STREAMED", 3)
    virtually(main)


def test_who_reads_too_slowly_loses_the_oldest_and_is_told(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        desk = Desk(concurrency=1)
        slow, quick = desk.receiver.events(buffer=3), desk.receiver.events()
        async with desk.receiver:
            await desk.deliver(*(incoming(f"c{n}") for n in range(10)))
            await desk.settled()
            assert (slow.dropped, quick.dropped, desk.receiver.stats.dropped) == (7, 0, 7)
            first = await anext(slow)
            assert isinstance(first, CallEvent)
            assert first.call_id == "c7"
            await desk.deliver(*(incoming(f"d{n}") for n in range(2)))
            await desk.settled()
        assert await call_ids(slow) == ["c9", "d0", "d1"]
        assert len(await call_ids(quick)) == 12
        assert [notice.first for notice in desk.told(Dropped)] == [True] + [False] * 6 + [True]

    with caplog.at_level(logging.WARNING, "voxloud_async.webhooks"):
        virtually(main)
    assert [entry.getMessage() for entry in caplog.records].count(
        "a stream of events is read too slowly and loses its oldest"
    ) == 2


def test_a_stream_that_nobody_holds_is_forgotten() -> None:
    async def main() -> None:
        desk = Desk()
        desk.receiver.events()
        gc.collect()
        async with desk.receiver:
            await desk.deliver(incoming())
            await desk.settled()
        assert desk.told(Unhandled) == []
        assert desk.receiver.stats.buried == 1

    virtually(main)


@pytest.mark.parametrize("buffer", [0, -1])
def test_a_stream_has_room_for_one_at_least(buffer: int) -> None:
    with pytest.raises(ValueError, match="buffer must be at least 1"):
        Desk().receiver.events(buffer=buffer)
