"""What the inbox in memory promises beyond the protocol: its bounds."""

from __future__ import annotations

from typing import Any

import pytest

from tests.webhooks.deliveries import incoming, stored
from voxloud_async.webhooks.inbox import memory
from voxloud_async.webhooks.inbox.memory import MemoryInbox
from voxloud_async.webhooks.inbox.protocol import KEPT, Counts, Delivery, InboxFullError


class Wall:
    """A clock on the wall."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def wall() -> Wall:
    return Wall()


def several(count: int, prefix: str = "c") -> list[Delivery]:
    return [stored(incoming(f"{prefix}{n}")) for n in range(count)]


async def test_a_delivery_lives_from_its_lease_to_its_key(wall: Wall) -> None:
    inbox = MemoryInbox(wall=wall)
    first, second = several(2)
    assert await inbox.add([first, second, first]) == {first.key, second.key}
    assert await inbox.add([first]) == frozenset()
    leases = await inbox.lease(1, 10.0)
    assert [(lease.delivery, lease.run, lease.until) for lease in leases] == [(first, 1, 1010.0)]
    assert await inbox.counts() == Counts(waiting=2, leased=1, dead=0, done=0)
    assert await inbox.done(leases[0])
    assert not await inbox.done(leases[0])
    assert await inbox.add([first]) == frozenset()
    assert await inbox.known([first.key, second.key, "other"]) == {first.key, second.key}
    wall.now += KEPT + 1
    assert await inbox.known([first.key, second.key]) == {second.key}
    assert await inbox.add([first]) == {first.key}
    await inbox.aclose()


async def test_a_lease_that_ran_out_is_due_again_and_its_holder_too_late(wall: Wall) -> None:
    inbox = MemoryInbox(wall=wall)
    await inbox.add(several(1))
    (first,) = await inbox.lease(5, 10.0)
    assert await inbox.lease(5, 10.0) == []
    assert await inbox.due_in() == 10.0
    extended = await inbox.extend(first, 20.0)
    assert extended is not None
    assert (extended.until, await inbox.due_in()) == (1020.0, 20.0)
    wall.now += 20.0
    (second,) = await inbox.lease(5, 10.0)
    assert second.run == 2
    late: Any = [inbox.done(first), inbox.retry(first, 0.0, "E"), inbox.bury(first, "E")]
    assert [await each for each in late] == [False, False, False]
    assert await inbox.extend(first, 5.0) is None
    assert await inbox.done(second)
    assert await inbox.due_in() is None


async def test_what_is_retried_is_due_after_its_delay_and_what_is_dead_can_be_replayed(wall: Wall) -> None:
    inbox = MemoryInbox(wall=wall)
    first, second = several(2)
    await inbox.add([first, second])
    for lease in await inbox.lease(2, 10.0):
        assert await inbox.retry(lease, 5.0, "E")
    assert await inbox.lease(2, 10.0) == []
    wall.now += 5.0
    for lease in await inbox.lease(2, 10.0):
        wall.now += 1.0
        assert await inbox.bury(lease, "E")
    letters = await inbox.dead_letters()
    assert [(letter.delivery, letter.runs, letter.error, letter.died) for letter in letters] == [
        (second, 2, "E", 1007.0),
        (first, 2, "E", 1006.0),
    ]
    assert await inbox.dead_letters(1) == letters[:1]
    assert await inbox.counts() == Counts(waiting=0, leased=0, dead=2, done=0)
    assert await inbox.add([first]) == frozenset()
    assert await inbox.replay([first.key, first.key, "other"]) == 1
    (again,) = await inbox.lease(2, 10.0)
    assert (again.delivery, again.run) == (first, 1)


async def test_it_holds_so_many_deliveries(wall: Wall) -> None:
    inbox = MemoryInbox(limit=3, wall=wall)
    await inbox.add(several(3))
    with pytest.raises(InboxFullError):
        await inbox.add(several(1, "d"))
    assert await inbox.add(several(3)) == frozenset()
    for lease in await inbox.lease(1, 10.0):
        await inbox.done(lease)
    with pytest.raises(InboxFullError):
        await inbox.add(several(2, "d"))
    assert (await inbox.counts()).waiting == 2
    assert len(await inbox.add(several(1, "d"))) == 1


async def test_it_holds_so_many_bytes(wall: Wall) -> None:
    large = stored(incoming("large", more="x" * 1000))
    inbox = MemoryInbox(max_bytes=len(large.body) + 100, wall=wall)
    await inbox.add([large])
    with pytest.raises(InboxFullError):
        await inbox.add(several(1))
    for lease in await inbox.lease(1, 10.0):
        await inbox.done(lease)
    assert len(await inbox.add(several(1))) == 1


async def test_dead_letters_give_way_to_what_comes_in_and_their_loss_is_told(
    wall: Wall, caplog: pytest.LogCaptureFixture
) -> None:
    inbox = MemoryInbox(limit=3, wall=wall)
    await inbox.add(several(3))
    for lease in await inbox.lease(2, 10.0):
        await inbox.bury(lease, "E")
    with pytest.raises(InboxFullError):
        await inbox.add(several(3, "d"))
    assert (await inbox.counts()).dead == 2, "what does not fit in any case costs nothing"
    assert len(await inbox.add(several(1, "d"))) == 1
    counts = await inbox.counts()
    assert (counts.waiting, counts.dead) == (2, 1)
    assert caplog.messages == ["dead letters are lost, as the inbox in memory is full: 1 so far"]
    assert [letter.delivery.key for letter in await inbox.dead_letters()] == [several(2)[1].key]


async def test_the_loss_of_many_dead_letters_writes_a_few_lines(wall: Wall, caplog: pytest.LogCaptureFixture) -> None:
    inbox = MemoryInbox(limit=100, wall=wall)
    await inbox.add(several(100))
    for lease in await inbox.lease(100, 10.0):
        await inbox.bury(lease, "E")
    await inbox.add(several(100, "d"))
    assert (len(caplog.messages), (await inbox.counts()).dead) == (10, 0)


async def test_what_is_discarded_makes_room(wall: Wall) -> None:
    large = stored(incoming("large", more="x" * 1000))
    inbox = MemoryInbox(limit=2, max_bytes=len(large.body) + 100, wall=wall)
    await inbox.add([large])
    for lease in await inbox.lease(1, 10.0):
        await inbox.bury(lease, "E")
    assert await inbox.discard([large.key]) == 1
    assert inbox._dead_bytes == 0
    assert await inbox.add([large]) == frozenset()
    (other,) = several(1)
    assert await inbox.add([other]) == {other.key}
    assert await inbox.counts() == Counts(waiting=1, leased=0, dead=0, done=1)


async def test_dead_letters_count_with_their_bytes(wall: Wall) -> None:
    large = stored(incoming("large", more="x" * 1000))
    inbox = MemoryInbox(max_bytes=len(large.body) + 100, wall=wall)
    for _ in range(2):
        await inbox.add([large])
        for lease in await inbox.lease(1, 10.0):
            await inbox.bury(lease, "E")
        assert await inbox.replay([large.key]) == 1
        with pytest.raises(InboxFullError):
            await inbox.add(several(1))
        for lease in await inbox.lease(1, 10.0):
            await inbox.bury(lease, "E")
        assert len(await inbox.add(several(1))) == 1
        assert (await inbox.counts()).dead == 0
        for lease in await inbox.lease(1, 10.0):
            await inbox.done(lease)
        wall.now += KEPT


async def test_it_remembers_so_many_keys(wall: Wall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_REMEMBERED", 2)
    inbox = MemoryInbox(wall=wall)
    deliveries = several(4)
    await inbox.add(deliveries)
    for lease in await inbox.lease(4, 10.0):
        await inbox.done(lease)
    assert (await inbox.counts()).done == 2
    assert await inbox.known([each.key for each in deliveries]) == {each.key for each in deliveries[2:]}
