"""Events that no handler survives, errors that no store takes, and stores that fail: nothing goes round for ever."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tests.webhooks.deliveries import incoming, stored
from tests.webhooks.desk import Desk, VirtualClock, virtually
from voxloud_async.webhooks.inbox.checks import check_error
from voxloud_async.webhooks.inbox.memory import MemoryInbox
from voxloud_async.webhooks.inbox.protocol import EVERY, InboxError, Selection
from voxloud_async.webhooks.notices import Buried, InboxFailed

if TYPE_CHECKING:
    from voxloud_async.webhooks.inbox.protocol import Lease


def test_an_event_that_ends_its_process_every_time_becomes_a_dead_letter() -> None:
    async def main() -> None:
        desk, runs = Desk(max_runs=3), []

        @desk.receiver.on()
        async def note(event: object) -> None:
            runs.append(event)

        await _died_with(desk, incoming(), times=3)
        async with asyncio.timeout(600), desk.receiver:
            await desk.settled()
        assert runs == []
        (letter,) = await desk.inbox.dead_letters()
        assert (letter.runs, letter.error) == (4, "UnsettledError")
        assert [(notice.type, notice.runs, notice.error) for notice in desk.told(Buried)] == [
            ("CALL_INCOMING", 4, "UnsettledError")
        ]

    virtually(main)


def test_an_event_whose_process_died_has_the_runs_that_are_left() -> None:
    async def main() -> None:
        desk, runs = Desk(max_runs=3), []

        @desk.receiver.on()
        async def note(event: object) -> None:
            runs.append(event)

        await _died_with(desk, incoming(), times=2)
        async with asyncio.timeout(600), desk.receiver:
            await desk.settled()
        assert len(runs) == 1
        assert (await desk.inbox.counts()).done == 1

    virtually(main)


async def _died_with(desk: Desk, body: bytes, *, times: int) -> None:
    """A delivery that processes leased and never gave back."""
    await desk.inbox.add([stored(body)])
    for _ in range(times):
        assert await desk.inbox.lease(1, 1.0)
        await asyncio.sleep(1.5)


class Strict(MemoryInbox):
    """Takes the errors that the stores on disk take."""

    async def retry(self, lease: Lease, delay: float, error: str) -> bool:
        check_error(error)
        return await super().retry(lease, delay, error)

    async def bury(self, lease: Lease, error: str) -> bool:
        check_error(error)
        return await super().bury(lease, error)


def test_an_error_with_a_name_that_no_store_takes_is_retried_and_buried_like_others() -> None:
    async def main() -> None:
        odd = type("Odd\n" + "x" * 300, (Exception,), {})
        desk = Desk(Strict(wall=VirtualClock().wall), max_runs=2)

        @desk.receiver.on()
        async def fail(_event: object) -> None:
            raise odd

        async with asyncio.timeout(600), desk.receiver:
            await desk.deliver(incoming())
            await desk.settled()
        assert desk.told(InboxFailed) == []
        (letter,) = await desk.inbox.dead_letters()
        assert letter.error.startswith("Odd\\nxxx")

    virtually(main)


class FullDisk(MemoryInbox):
    """It can be read and not be written."""

    full = True
    asked = 0

    async def lease(self, limit: int, seconds: float, of: Selection = EVERY) -> Any:
        self.asked += 1
        if self.full:
            raise InboxError("the disk is full")
        return await super().lease(limit, seconds, of)


def test_a_store_that_can_only_be_read_is_asked_once_a_second() -> None:
    async def main() -> None:
        inbox = FullDisk(wall=VirtualClock().wall)
        desk = Desk(inbox)

        @desk.receiver.on()
        async def take(_event: object) -> None: ...

        async with asyncio.timeout(600), desk.receiver:
            await desk.deliver(incoming())
            await asyncio.sleep(20)
            assert 15 <= inbox.asked <= 25
            inbox.full = False
            await desk.settled()
        assert desk.receiver.stats.handled == 1

    virtually(main)


class Forgetful(MemoryInbox):
    """Its marks are lost the first time."""

    lost = 0

    async def done(self, lease: Lease) -> bool:
        if not self.lost:
            self.lost += 1
            raise InboxError("out of reach")
        return await super().done(lease)


def test_an_event_whose_mark_was_lost_is_in_a_stream_once() -> None:
    async def main() -> None:
        desk = Desk(Forgetful(wall=VirtualClock().wall), lease=3.0)
        stream = desk.receiver.events()
        async with asyncio.timeout(600), desk.receiver:
            await desk.deliver(incoming())
            await desk.settled()
        assert len([event async for event in stream]) == 1
        assert (desk.receiver.stats.handled, desk.receiver.stats.unhandled) == (0, 1)

    virtually(main)
