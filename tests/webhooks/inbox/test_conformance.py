"""What every inbox promises, whatever it stores in."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from tests.webhooks.inbox.stores import deliveries, delivery
from voxloud_async.webhooks.inbox import Counts, Delivery, InboxFullError
from voxloud_async.webhooks.inbox.protocol import KEPT, Selection

if TYPE_CHECKING:
    from tests.webhooks.inbox.stores import Store
    from voxloud_async.webhooks.inbox import Inbox, Lease

HOUR = 3600.0
SLACK = 20.0
"""Seconds that a slow machine may take for a test; a server's clock runs meanwhile."""


async def lease_one(inbox: Inbox, seconds: float = HOUR) -> Lease:
    (lease,) = await inbox.lease(1, seconds)
    return lease


async def handle(inbox: Inbox, *keys: str) -> None:
    """Store these and handle them."""
    await inbox.add([delivery(key) for key in keys])
    for lease in await inbox.lease(len(keys), HOUR):
        assert await inbox.done(lease)


async def test_a_new_inbox_is_empty(inbox: Inbox) -> None:
    assert await inbox.counts() == Counts(waiting=0, leased=0, dead=0, done=0)
    assert await inbox.due_in() is None
    assert list(await inbox.lease(10, HOUR)) == []
    assert list(await inbox.dead_letters()) == []
    assert await inbox.known({"a"}) == frozenset()
    assert await inbox.add([]) == frozenset()


async def test_what_was_stored_comes_out_as_it_was(inbox: Inbox, store: Store) -> None:
    stored = Delivery(key="a" * 64, body=bytes(range(256)), origin="backfill", received=1_700_000_000.123457)
    assert await inbox.add([stored]) == {stored.key}
    lease = await lease_one(inbox, 30.0)
    assert lease.delivery == stored
    assert lease.run == 1
    assert lease.until == pytest.approx(store.now() + 30.0, abs=SLACK)


async def test_a_large_body_and_an_empty_one_are_kept(inbox: Inbox) -> None:
    bodies = {"large": b"\x00\xff" * 250_000, "empty": b""}
    await inbox.add([delivery(key, body) for key, body in bodies.items()])
    assert {each.delivery.key: each.delivery.body for each in await inbox.lease(2, HOUR)} == bodies


async def test_a_double_is_not_stored_again(inbox: Inbox) -> None:
    assert await inbox.add([delivery("a", b"1"), delivery("a", b"2"), delivery("b")]) == {"a", "b"}
    assert await inbox.add([delivery("a", b"3"), delivery("c")]) == {"c"}
    assert (await inbox.counts()).waiting == 3
    first = await lease_one(inbox)
    assert first.delivery.key == "a"


async def test_the_key_of_what_was_handled_is_remembered_for_as_long_as_promised(inbox: Inbox, store: Store) -> None:
    await handle(inbox, "a")
    store.advance(KEPT - SLACK)
    assert await inbox.add([delivery("a")]) == frozenset()
    assert await inbox.known(["a", "b"]) == {"a"}
    store.advance(SLACK + 1.0)
    assert await inbox.known(["a"]) == frozenset()
    assert await inbox.add([delivery("a", b"new")]) == {"a"}
    lease = await lease_one(inbox)
    assert (lease.delivery.body, lease.run) == (b"new", 1)


async def test_keys_that_are_too_old_are_forgotten_as_others_come(inbox: Inbox, store: Store) -> None:
    await handle(inbox, *(f"old-{number}" for number in range(20)))
    assert (await inbox.counts()).done == 20
    store.advance(KEPT + 1.0)
    assert (await inbox.counts()).done == 0
    await handle(inbox, *(f"new-{number}" for number in range(20)))
    assert (await inbox.counts()).done == 20


async def test_a_worker_takes_the_types_that_it_asks_for_and_leaves_the_others(inbox: Inbox, store: Store) -> None:
    kinds = ["PHONE_CALL", "FAX_CALL", "CALL_PARKED", "PHONE_CALL"]
    coming = [evolve(delivery(f"{number}"), type=kind) for number, kind in enumerate(kinds)]
    await inbox.add(coming)
    calls, rest = Selection(frozenset({"PHONE_CALL", "NONE"})), Selection(frozenset({"PHONE_CALL"}), others=True)
    assert await inbox.due_in(calls) == 0.0
    assert await inbox.due_in(Selection(frozenset())) is None
    assert [each.delivery.key for each in await inbox.lease(9, HOUR, calls)] == ["0", "3"]
    late = evolve(rest, waited=60.0)
    assert list(await inbox.lease(9, HOUR, late)) == []
    assert await inbox.due_in(late) == pytest.approx(60.0, abs=SLACK)
    store.advance(60.0 + SLACK)
    assert [each.delivery for each in await inbox.lease(9, HOUR, late)] == coming[1:3]


async def test_a_lease_that_is_released_is_due_at_once_and_was_no_run(inbox: Inbox) -> None:
    await inbox.add([delivery("a")])
    for _ in range(12):
        lease = await lease_one(inbox)
        assert lease.run == 1
        assert await inbox.release(lease)
        assert not await inbox.release(lease)
    assert await inbox.due_in() == 0.0


async def test_fingerprints_are_kept_as_long_as_keys(inbox: Inbox, store: Store) -> None:
    await inbox.add([evolve(delivery(key), fingerprint=f"of {key}") for key in ("dead", "done", "waiting")])
    dead, done, _ = await inbox.lease(3, HOUR)
    await inbox.bury(dead, "ValueError")
    await inbox.done(done)
    assert await inbox.fingerprints(["dead", "done", "waiting", "none"]) == {
        "dead": "of dead",
        "done": "of done",
        "waiting": "of waiting",
    }
    store.advance(KEPT + 1.0)
    assert await inbox.fingerprints(["done"]) == {}
    await inbox.add([delivery("done")])
    assert await inbox.fingerprints(["done"]) == {"done": ""}


async def test_a_type_counts_as_handled_for_as_long_as_was_announced(inbox: Inbox, store: Store) -> None:
    await inbox.announce(["PHONE_CALL", "FAX_CALL"], HOUR)
    await inbox.announce(["PHONE_CALL"], 2 * HOUR)
    await inbox.announce(["PHONE_CALL"], 1.0)
    await inbox.announce([], HOUR)
    assert await inbox.announced() == {"PHONE_CALL", "FAX_CALL"}
    store.advance(HOUR + 1.0)
    assert await inbox.announced() == {"PHONE_CALL"}
    store.advance(HOUR + 1.0)
    assert await inbox.announced() == frozenset()


async def test_what_waits_is_leased_or_is_dead_is_known(inbox: Inbox) -> None:
    await inbox.add([delivery("dead")])
    await inbox.bury(await lease_one(inbox), "ValueError")
    await inbox.add([delivery("leased")])
    await lease_one(inbox)
    await inbox.add([delivery("waiting")])
    every = {"dead", "leased", "waiting"}
    assert await inbox.known({*every, "none"}) == every
    assert await inbox.add([delivery(key) for key in every]) == frozenset()


async def test_the_earliest_come_first(inbox: Inbox) -> None:
    await inbox.add([delivery("d"), delivery("b")])
    await inbox.add([delivery("c"), delivery("a")])
    assert [each.delivery.key for each in await inbox.lease(3, HOUR)] == ["d", "b", "c"]
    assert [each.delivery.key for each in await inbox.lease(3, HOUR)] == ["a"]


async def test_a_leased_delivery_is_nobody_elses(inbox: Inbox) -> None:
    await inbox.add([delivery("a")])
    await lease_one(inbox)
    assert list(await inbox.lease(1, HOUR)) == []
    assert await inbox.counts() == Counts(waiting=1, leased=1, dead=0, done=0)
    assert await inbox.due_in() == pytest.approx(HOUR, abs=SLACK)


async def test_a_lease_that_ran_out_is_another_workers(inbox: Inbox, store: Store) -> None:
    await inbox.add([delivery("a")])
    first = await lease_one(inbox)
    store.advance(HOUR + 1.0)
    assert await inbox.due_in() == 0.0
    assert (await inbox.counts()).leased == 0
    second = await lease_one(inbox)
    assert second.token != first.token
    assert second.run == 2
    for refused in (inbox.done(first), inbox.retry(first, 0.0, "E"), inbox.bury(first, "E")):
        assert await refused is False
    assert await inbox.extend(first, HOUR) is None
    assert await inbox.counts() == Counts(waiting=1, leased=1, dead=0, done=0)
    assert await inbox.done(second) is True


async def test_a_lease_that_ran_out_and_that_nobody_took_is_still_its_holders(inbox: Inbox, store: Store) -> None:
    await inbox.add([delivery("a")])
    lease = await lease_one(inbox)
    store.advance(HOUR + 1.0)
    extended = await inbox.extend(lease, HOUR)
    assert extended is not None
    assert extended.until == pytest.approx(store.now() + HOUR, abs=SLACK)
    assert list(await inbox.lease(1, HOUR)) == []
    assert await inbox.done(extended) is True


async def test_what_ran_out_comes_before_what_came_later(inbox: Inbox, store: Store) -> None:
    await inbox.add([delivery("first")])
    await lease_one(inbox)
    store.advance(HOUR + 1.0)
    await inbox.add([delivery("second")])
    assert [each.delivery.key for each in await inbox.lease(2, HOUR)] == ["first", "second"]


async def test_done_keeps_the_key_alone(inbox: Inbox) -> None:
    await inbox.add([delivery("a")])
    lease = await lease_one(inbox)
    assert await inbox.done(lease) is True
    assert await inbox.done(lease) is False
    assert await inbox.counts() == Counts(waiting=0, leased=0, dead=0, done=1)
    assert await inbox.due_in() is None


async def test_a_retry_is_due_after_its_delay(inbox: Inbox, store: Store) -> None:
    await inbox.add([delivery("a", b"body")])
    lease = await lease_one(inbox)
    assert await inbox.retry(lease, HOUR, "ValueError") is True
    assert await inbox.done(lease) is False
    assert await inbox.counts() == Counts(waiting=1, leased=0, dead=0, done=0)
    assert list(await inbox.lease(1, HOUR)) == []
    assert await inbox.due_in() == pytest.approx(HOUR, abs=SLACK)
    store.advance(HOUR + 1.0)
    again = await lease_one(inbox)
    assert (again.run, again.delivery) == (2, lease.delivery)


async def test_a_retry_without_delay_is_due_at_once(inbox: Inbox) -> None:
    await inbox.add([delivery("a")])
    await inbox.retry(await lease_one(inbox), 0.0, "ValueError")
    assert (await lease_one(inbox)).run == 2


async def test_dead_letters_are_listed_the_latest_first(inbox: Inbox, store: Store) -> None:
    for key in ("a", "b", "c"):
        await inbox.add([delivery(key, key.encode())])
        assert await inbox.bury(await lease_one(inbox), f"{key.upper()}Error") is True
        store.advance(1.0)
    letters = await inbox.dead_letters()
    assert [(each.delivery.key, each.delivery.body, each.error, each.runs) for each in letters] == [
        ("c", b"c", "CError", 1),
        ("b", b"b", "BError", 1),
        ("a", b"a", "AError", 1),
    ]
    assert [each.died for each in letters] == pytest.approx([store.now() - age for age in (1, 2, 3)], abs=SLACK)
    assert [each.delivery.key for each in await inbox.dead_letters(2)] == ["c", "b"]
    assert await inbox.counts() == Counts(waiting=0, leased=0, dead=3, done=0)


async def test_a_dead_letter_is_replayed_with_its_runs_counted_anew(inbox: Inbox) -> None:
    await inbox.add([delivery("a", b"body"), delivery("b")])
    for lease in await inbox.lease(2, HOUR):
        await inbox.bury(lease, "ValueError")
    assert await inbox.replay(["a", "a", "nobody"]) == 1
    assert await inbox.replay(["a"]) == 0
    assert await inbox.replay([]) == 0
    lease = await lease_one(inbox)
    assert (lease.delivery.key, lease.delivery.body, lease.run) == ("a", b"body", 1)
    assert await inbox.done(lease) is True
    assert [each.delivery.key for each in await inbox.dead_letters()] == ["b"]


async def bury(inbox: Inbox, *keys: str) -> None:
    """Store these and give them up."""
    await inbox.add([delivery(key, b"body of " + key.encode()) for key in keys])
    for lease in await inbox.lease(len(keys), HOUR):
        assert await inbox.bury(lease, "ValueError")


async def test_a_dead_letter_is_discarded_for_good(inbox: Inbox) -> None:
    await bury(inbox, "a", "b", "c")
    assert await inbox.discard(["a", "b", "a", "nobody"]) == 2
    assert await inbox.discard(["a"]) == 0
    assert await inbox.discard([]) == 0
    assert await inbox.replay(["a", "b"]) == 0
    assert [each.delivery.key for each in await inbox.dead_letters()] == ["c"]
    assert await inbox.counts() == Counts(waiting=0, leased=0, dead=1, done=2)
    assert await inbox.due_in() is None


async def test_what_was_discarded_is_known_for_as_long_as_what_was_done(inbox: Inbox, store: Store) -> None:
    await bury(inbox, "a")
    store.advance(KEPT)
    assert await inbox.discard(["a"]) == 1
    store.advance(KEPT - SLACK)
    assert await inbox.known(["a"]) == {"a"}
    assert await inbox.add([delivery("a")]) == frozenset()
    store.advance(SLACK + 1.0)
    assert await inbox.known(["a"]) == frozenset()
    assert await inbox.add([delivery("a", b"new")]) == {"a"}
    lease = await lease_one(inbox)
    assert (lease.delivery.body, lease.run) == (b"new", 1)


async def test_dead_letters_alone_are_discarded(inbox: Inbox, store: Store) -> None:
    await handle(inbox, "done")
    await inbox.add([delivery("leased")])
    lease = await lease_one(inbox)
    await inbox.add([delivery("waiting")])
    assert await inbox.discard(["done", "leased", "waiting"]) == 0
    assert await inbox.counts() == Counts(waiting=2, leased=1, dead=0, done=1)
    assert await inbox.bury(lease, "ValueError")
    other = store.open() if store.kind != "memory" else inbox
    assert await other.discard(["leased"]) == 1
    assert await inbox.done(lease) is False
    assert await inbox.bury(lease, "ValueError") is False
    assert await inbox.counts() == Counts(waiting=1, leased=0, dead=0, done=2)


async def test_of_replays_and_discards_at_once_one_has_each_letter(inbox: Inbox) -> None:
    keys = [f"key-{number}" for number in range(50)]
    await bury(inbox, *keys)
    ways = [inbox.replay, inbox.discard] * 4
    counts = await asyncio.gather(*(way(keys[::step]) for way, step in zip(ways, (1, -1) * 4, strict=True)))
    held = await inbox.counts()
    assert sum(counts) == 50
    assert (held.waiting, held.done, held.dead) == (sum(counts[::2]), sum(counts[1::2]), 0)


async def test_a_full_inbox_takes_all_of_a_call_or_nothing(store: Store) -> None:
    inbox = store.open(max_waiting=3)
    await inbox.add([delivery("a"), delivery("b")])
    with pytest.raises(InboxFullError):
        await inbox.add([delivery("c"), delivery("d")])
    assert await inbox.known(["c", "d"]) == frozenset()
    assert await inbox.add([delivery("a"), delivery("c")]) == {"c"}
    assert await inbox.add([delivery("a")]) == frozenset(), "what is stored already needs no room"
    with pytest.raises(InboxFullError):
        await inbox.add([delivery("d")])
    await inbox.done(await lease_one(inbox))
    assert await inbox.add([delivery("d")]) == {"d"}


async def test_many_that_store_at_once_do_not_overfill_it(store: Store) -> None:
    inbox = store.open(max_waiting=25)
    calls = (inbox.add([delivery(f"{number}-{part}") for part in "ab"]) for number in range(40))
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(each, InboxFullError) for each in outcomes) == 28
    assert (await inbox.counts()).waiting == 24


async def test_of_many_that_store_the_same_one_is_told_that_it_was_new(inbox: Inbox) -> None:
    answers = await asyncio.gather(*(inbox.add(deliveries(5)) for _ in range(20)))
    assert sorted(len(each) for each in answers) == [*[0] * 19, 5]


async def test_many_workers_lease_each_delivery_once(inbox: Inbox) -> None:
    every = deliveries(200)
    await inbox.add(every)
    leased: list[Lease] = []

    async def work() -> None:
        while batch := await inbox.lease(7, HOUR):
            leased.extend(batch)
            assert all(await asyncio.gather(*(inbox.done(each) for each in batch)))

    await asyncio.gather(*(work() for _ in range(8)))
    assert sorted(each.delivery.key for each in leased) == [each.key for each in every]
    assert await inbox.counts() == Counts(waiting=0, leased=0, dead=0, done=200)


async def test_a_cancelled_add_is_stored_whole_or_not_at_all(inbox: Inbox) -> None:
    await inbox.add([delivery("first")])
    tasks = [asyncio.ensure_future(inbox.add(deliveries(4, f"batch-{number}"))) for number in range(40)]
    for number, task in enumerate(tasks):
        await asyncio.sleep(0)
        if number % 2:
            task.cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    for number, answer in enumerate(answers):
        keys = frozenset(each.key for each in deliveries(4, f"batch-{number}"))
        assert await inbox.known(keys) in (keys, frozenset())
        if not isinstance(answer, asyncio.CancelledError):
            assert answer == keys == await inbox.known(keys)


async def test_what_is_under_way_ends_well_when_it_is_closed(store: Store) -> None:
    inbox = store.open()
    await inbox.add([delivery("first")])
    calls = [asyncio.ensure_future(inbox.add(deliveries(2, f"batch-{number}"))) for number in range(20)]
    await asyncio.sleep(0)
    await inbox.aclose()
    answers = await asyncio.gather(*calls)
    assert [len(each) for each in answers] == [2] * 20


async def test_an_inbox_may_be_closed_twice_and_unused(store: Store) -> None:
    unused, used = store.open(), store.open()
    await used.due_in()
    for inbox in (unused, used):
        await asyncio.gather(inbox.aclose(), inbox.aclose())
        await inbox.aclose()
