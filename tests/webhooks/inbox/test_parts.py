"""The parts that stores share: one connection for many calls, and calls that are joined."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from attrs import define, field

from voxloud_async.webhooks.inbox import InboxError, InboxFullError
from voxloud_async.webhooks.inbox.joined import MOST_JOINED, Joined
from voxloud_async.webhooks.inbox.opened import Opened
from voxloud_async.webhooks.inbox.room import RECOUNTED, Room

if TYPE_CHECKING:
    from collections.abc import Sequence


@define
class Door:
    """Opens when it is told to, and counts."""

    go: asyncio.Event = field(factory=asyncio.Event)
    opened: int = 0
    closed: list[int] = field(factory=list)

    async def open(self) -> int:
        self.opened += 1
        await self.go.wait()
        if self.opened == 1:
            raise OSError("shut")
        return self.opened

    async def close(self, number: int) -> None:
        self.closed.append(number)


async def use(opened: Opened[int]) -> int:
    async with opened.use() as number:
        return number


async def test_an_attempt_to_open_is_shared_and_a_failed_one_made_anew() -> None:
    door = Door()
    opened = Opened(door.open, door.close, faults=(OSError,))
    calls = [asyncio.ensure_future(use(opened)) for _ in range(3)]
    await asyncio.sleep(0)
    door.go.set()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [str(each) for each in outcomes] == ["the inbox cannot be used: OSError: shut"] * 3
    assert [*await asyncio.gather(use(opened), use(opened))] == [2, 2]
    await opened.aclose()
    assert door.closed == [2]
    with pytest.raises(InboxError, match="closed"):
        await use(opened)


async def test_closing_waits_for_calls_under_way() -> None:
    door = Door(opened=1)
    opened = Opened(door.open, door.close, faults=(OSError,))
    call = asyncio.ensure_future(use(opened))
    await asyncio.sleep(0)
    closing = asyncio.ensure_future(opened.aclose())
    await asyncio.sleep(0)
    assert not closing.done()
    door.go.set()
    assert await call == 2
    await closing
    assert door.closed == [2]


async def test_what_could_not_be_opened_needs_no_closing() -> None:
    door = Door()
    door.go.set()
    opened = Opened(door.open, door.close, faults=(OSError,))
    with pytest.raises(InboxError):
        await use(opened)
    await opened.aclose()
    assert door.closed == []


@pytest.mark.parametrize(("before", "closed"), [(1, [2]), (0, [])], ids=["opens", "fails"])
async def test_an_opening_that_nobody_waits_for_any_more_is_closed_if_it_opens(before: int, closed: list[int]) -> None:
    door = Door(opened=before)
    opened = Opened(door.open, door.close, faults=(OSError,))
    call = asyncio.ensure_future(use(opened))
    await asyncio.sleep(0)
    call.cancel()
    closing = asyncio.ensure_future(opened.aclose())
    await asyncio.sleep(0.001)
    door.go.set()
    await closing
    assert door.closed == closed


def test_what_went_with_its_event_loop_is_opened_anew_and_not_closed() -> None:
    door = Door(opened=1)
    opened = Opened(door.open, door.close, faults=(OSError,))

    async def look() -> int:
        door.go.set()
        return await use(opened)

    assert [asyncio.run(look()), asyncio.run(look())] == [2, 3]
    asyncio.run(opened.aclose())
    assert door.closed == []


@define
class Work:
    """Doubles numbers, and refuses those that are negative; a zero breaks the whole batch."""

    batches: list[list[int]] = field(factory=list)
    pause: asyncio.Event = field(factory=asyncio.Event)

    async def __call__(self, numbers: Sequence[int]) -> Sequence[int | Exception]:
        self.batches.append(list(numbers))
        await self.pause.wait()
        if 0 in numbers:
            raise ZeroDivisionError
        return [number * 2 if number > 0 else ValueError(number) for number in numbers]


async def test_calls_that_come_meanwhile_are_joined_and_answered_one_by_one() -> None:
    work = Work()
    joined = Joined(work)
    calls = [asyncio.ensure_future(joined(1))]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    calls += [asyncio.ensure_future(joined(number)) for number in (2, -3, 4)]
    await asyncio.sleep(0)
    calls[3].cancel()
    work.pause.set()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert work.batches == [[1], [2, -3]]
    assert outcomes[:2] == [2, 4]
    assert [type(each) for each in outcomes[2:]] == [ValueError, asyncio.CancelledError]


async def test_who_is_cancelled_during_a_batch_is_not_answered_and_a_fault_is_everybodys() -> None:
    work = Work()
    joined = Joined(work)
    calls = [asyncio.ensure_future(joined(number)) for number in (1, 0, 2)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    calls[0].cancel()
    await asyncio.sleep(0)
    work.pause.set()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert work.batches == [[1, 0, 2]]
    assert [type(each) for each in outcomes] == [asyncio.CancelledError, ZeroDivisionError, ZeroDivisionError]
    assert await joined(5) == 10


async def test_a_batch_has_an_end_and_may_be_empty() -> None:
    work = Work()
    work.pause.set()
    joined = Joined(work)
    assert len(await asyncio.gather(*(joined(number) for number in range(1, 2 * MOST_JOINED)))) == 2 * MOST_JOINED - 1
    assert [len(batch) for batch in work.batches] == [MOST_JOINED, MOST_JOINED - 1]
    gone = asyncio.ensure_future(joined(1))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    assert len(work.batches) == 2


def test_room_is_counted_where_it_runs_out_and_each_second() -> None:
    room = Room(5)
    assert room.unsure(1, now=0.0)
    room.count(2, now=0.0)
    room.take(2)
    assert not room.unsure(1, now=RECOUNTED / 2)
    assert room.unsure(2, now=0.0)
    assert room.unsure(1, now=RECOUNTED)
    assert room.unsure(1, now=-1.0), "the clock was set back"
    with pytest.raises(InboxFullError, match="holds 4 deliveries, and may hold 5"):
        room.take(2)
