"""The keys in Redis: their slot, their version, and what becomes of faults."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from redis.crc import key_slot

from benchmarks import free_port
from tests.servers import RedisServer
from tests.webhooks.inbox.stores import deliveries, delivery
from voxloud_async.webhooks.inbox import Counts, InboxError
from voxloud_async.webhooks.inbox.redis import MOST_ARGUMENTS, RedisInbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

HOUR = 3600.0


@pytest.fixture
def name() -> str:
    return f"test-{uuid4().hex}"


@pytest.fixture
async def inbox(redis: RedisServer, name: str) -> AsyncIterator[RedisInbox]:
    inbox = RedisInbox(redis.url, name=name)
    yield inbox
    await inbox.aclose()


@pytest.mark.parametrize("name", ["", "a b", "a}b", "x" * 51])
def test_a_name_that_would_break_the_keys_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name must be"):
        RedisInbox("redis://localhost", name=name)


async def test_all_keys_lie_in_one_slot(inbox: RedisInbox, redis: RedisServer, name: str) -> None:
    await inbox.add(deliveries(4))
    first, second, *_ = await inbox.lease(3, HOUR)
    await inbox.done(first)
    await inbox.bury(second, "ValueError")
    await inbox.announce(["PHONE_CALL"], HOUR)
    keys = {key.decode() for key in redis.client.keys(f"*{name}*")}
    queues = {f"voxloud:{{{name}}}:waiting:unknown"}
    assert keys - queues <= set(inbox._keys)
    assert queues <= keys
    assert len({key_slot(key.encode()) for key in keys}) == 1


async def test_nothing_but_the_key_is_left_of_what_was_handled_or_discarded(
    inbox: RedisInbox, redis: RedisServer, name: str
) -> None:
    await inbox.add([delivery("a"), delivery("b")])
    handled, dead = await inbox.lease(2, HOUR)
    await inbox.done(handled)
    await inbox.bury(dead, "ValueError")
    await inbox.discard(["b"])
    assert await inbox.lease(1, HOUR) == []
    assert redis.client.zrange(f"voxloud:{{{name}}}:done", 0, -1) == [b"a", b"b"]
    assert {key.decode() for key in redis.client.keys(f"*{name}*")} == {
        f"voxloud:{{{name}}}:done",
        f"voxloud:{{{name}}}:version",
    }


@pytest.fixture
def full(folder: Path) -> Iterator[RedisServer]:
    """A server of a test's own, that the test makes too small for what it holds."""
    server = RedisServer(folder / f"full-{uuid4().hex}", free_port(), durable=True)
    server.folder.mkdir()
    server.start()
    yield server
    server.stop()


async def test_a_full_server_can_be_opened_and_drained_after_a_restart(full: RedisServer) -> None:
    server, inbox = full, RedisInbox(full.url)
    coming = [delivery(f"{number:05}", b"x" * 2000) for number in range(500)]
    await inbox.add(coming)
    _, dead = await inbox.lease(2, 0.0)
    await inbox.bury(dead, "ValueError")
    await inbox.aclose()
    server.stop()
    server.start()
    server.client.config_set("maxmemory-policy", "noeviction")
    server.client.config_set("maxmemory", server.client.info("memory")["used_memory"] - 200_000)
    inbox = RedisInbox(server.url)
    with pytest.raises(InboxError, match="maxmemory"):
        await inbox.add([delivery("new")])
    await inbox.announce(["PHONE_CALL"], HOUR)
    assert await inbox.replay([dead.delivery.key]) == 1
    again, late, retried, buried = await inbox.lease(4, HOUR)
    assert (await inbox.extend(again, HOUR)) is not None
    assert await inbox.release(again)
    assert await inbox.done(late)
    assert await inbox.retry(retried, 0.0, "ValueError")
    assert await inbox.bury(buried, "ValueError")
    assert await inbox.discard([buried.delivery.key]) == 1
    while leases := await inbox.lease(50, HOUR):
        assert all([await inbox.done(each) for each in leases])
    assert await inbox.counts() == Counts(waiting=0, leased=0, dead=0, done=500)
    assert await inbox.add([delivery("new")]) == {"new"}
    await inbox.aclose()


async def test_the_version_is_recorded_and_another_refused(inbox: RedisInbox, redis: RedisServer, name: str) -> None:
    redis.client.set(f"voxloud:{{{name}}}:version", 3)
    with pytest.raises(InboxError, match=f"the inbox {name} is of version 3, and this release knows version 2"):
        await inbox.add([delivery("a")])
    redis.client.delete(f"voxloud:{{{name}}}:version")
    assert await inbox.add([delivery("a")]) == {"a"}, "the next call tries anew"
    assert redis.client.get(f"voxloud:{{{name}}}:version") == b"2"


async def test_the_keys_of_others_are_told(inbox: RedisInbox, redis: RedisServer, name: str) -> None:
    redis.client.set(f"voxloud:{{{name}}}:done", "a letter")
    with pytest.raises(InboxError, match="WRONGTYPE"):
        await inbox.add([delivery("a")])


async def test_a_server_that_is_not_there_is_told_without_the_password() -> None:
    inbox = RedisInbox(f"redis://:secret@127.0.0.1:{free_port()}")
    with pytest.raises(InboxError, match="the inbox cannot be used: ConnectionError") as caught:
        await inbox.add([delivery("a")])
    assert "secret" not in str(caught.value)
    await inbox.aclose()


async def test_scripts_that_the_server_forgot_are_sent_again(inbox: RedisInbox, redis: RedisServer) -> None:
    await inbox.add([delivery("a")])
    redis.client.script_flush()
    assert await inbox.known(["a"]) == {"a"}


async def test_what_a_script_cannot_take_at_once_is_taken_in_parts_or_refused(inbox: RedisInbox) -> None:
    most = deliveries(MOST_ARGUMENTS)
    more = [*most, delivery("one-more")]
    assert len(await inbox.add(most)) == MOST_ARGUMENTS
    with pytest.raises(ValueError, match="must be 1000 at most"):
        await inbox.add(more)
    await inbox.add([delivery("one-more")])
    every = {each.key for each in more}
    assert await inbox.known(every) == every
    for lease in await inbox.lease(len(more), HOUR):
        await inbox.bury(lease, "ValueError")
    assert await inbox.replay(every) == MOST_ARGUMENTS + 1
    for lease in await inbox.lease(len(more), HOUR):
        await inbox.bury(lease, "ValueError")
    assert await inbox.discard(every) == MOST_ARGUMENTS + 1


async def test_the_first_calls_at_once_open_it_once(inbox: RedisInbox, redis: RedisServer) -> None:
    before = int(redis.client.info("stats")["total_connections_received"])
    await asyncio.gather(*(inbox.add([each]) for each in deliveries(200)))
    assert int(redis.client.info("stats")["total_connections_received"]) - before <= 16
    assert (await inbox.counts()).waiting == 200


async def test_a_cancelled_first_call_does_not_spoil_the_others(inbox: RedisInbox) -> None:
    first, second = (asyncio.ensure_future(inbox.add([delivery(key)])) for key in "ab")
    await asyncio.sleep(0)
    first.cancel()
    assert await second == {"b"}


async def test_calls_of_a_closed_inbox_are_refused(inbox: RedisInbox) -> None:
    await inbox.aclose()
    with pytest.raises(InboxError, match="the inbox is closed"):
        await inbox.due_in()
