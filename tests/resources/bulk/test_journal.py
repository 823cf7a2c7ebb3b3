"""Runs that were killed and go on: what stands in the journal, and what is looked for, sent and refused then."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest

from voxloud_async import RetryPolicy, VoxloudClient
from voxloud_async.errors import (
    ArgumentTypeError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    OutcomeUnknownError,
    RequestNotSentError,
    ServerError,
)
from voxloud_async.resources.bulk import change
from voxloud_async.resources.bulk.outcome import Summary
from voxloud_async.sandbox import Fault, Quirks, Sandbox, Weather

from .journals import JOHN, LOST, UNSENT, elsewhere, entries, interrupted, many_elsewhere
from .samples import contact, contacts, names, once_each

if TYPE_CHECKING:
    from pathlib import Path

    from tests.resources.conftest import Serve

pytestmark = pytest.mark.usefixtures("soon")

CONTACT_QUIRKS = {
    *("create_status", "empty_fields", "undocumented_fields", "company_name", "contact_null", "contact_blank"),
    *("phone_search", "contact_order", "contact_filters", "has_next", "duplicate_contact", "invalid_phone"),
}


async def test_what_is_done_is_replayed(client: VoxloudClient, sandbox: Sandbox, journal: Path) -> None:
    first = await client.contacts.create_many(contacts(20), journal=journal).collect()
    again = client.contacts.create_many(contacts(20), journal=str(journal))
    replayed = await again.collect()
    assert again.summary == Summary(done=20, replayed=20)
    assert [outcome.id for outcome in replayed] == [outcome.id for outcome in first]
    assert all(outcome.ok and outcome.replayed and outcome.result is None for outcome in replayed)
    assert names(sandbox) == once_each(20)
    assert sandbox.count("POST") == 20
    assert sandbox.count("GET") == 1  # what existed before


async def test_a_longer_list_goes_on_where_the_shorter_ended(
    client: VoxloudClient, sandbox: Sandbox, journal: Path
) -> None:
    await client.contacts.create_many(contacts(5), journal=journal).finish()
    summary = await client.contacts.create_many(contacts(9), journal=journal).finish()
    assert summary == Summary(done=9, replayed=5)
    assert names(sandbox) == once_each(9)


async def test_what_was_carried_out_unheard_is_found(client: VoxloudClient, sandbox: Sandbox, journal: Path) -> None:
    items = [*contacts(10)]
    await interrupted(client, sandbox, items, journal)
    assert names(sandbox) == once_each(10)
    outcomes = await client.contacts.create_many(items, journal=journal).collect()
    assert {outcome.id for outcome in outcomes} == {*sandbox.state.contacts}
    assert all(outcome.ok and not outcome.replayed and outcome.result for outcome in outcomes)
    assert sandbox.count("POST") == 10


async def test_what_was_not_carried_out_is_sent(client: VoxloudClient, sandbox: Sandbox, journal: Path) -> None:
    sandbox.fail_next(UNSENT, match="POST")
    sandbox.fail_next(Fault(status=500), match="POST")
    first = await client.contacts.create_many(contacts(5), journal=journal).collect()
    assert [outcome.index for outcome in first if outcome.unknown] == [0, 1]
    assert await client.contacts.create_many(contacts(5), journal=journal).finish() == Summary(done=5, replayed=3)
    assert names(sandbox) == once_each(5)
    assert sandbox.count("POST") == 7


async def test_it_waits_until_what_was_sent_has_taken_effect(
    client: VoxloudClient, sandbox: Sandbox, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change, "SETTLED", 0.5)
    sandbox.fail_next(UNSENT, match="POST")
    await client.contacts.create_many([JOHN], journal=journal).finish()
    started = time.monotonic()
    task = asyncio.create_task(client.contacts.create_many([JOHN], journal=journal).finish())
    late = await elsewhere(sandbox)  # it took effect late
    assert await task == Summary(done=1, total=1)
    assert time.monotonic() - started >= 0.5
    assert {*sandbox.state.contacts} == {late.id}


async def test_where_searches_lag_behind_nothing_is_taken_for_not_made(
    client: VoxloudClient, sandbox: Sandbox, journal: Path
) -> None:
    """The contact that was made last is not in the list: nor need the lost one be that was made with it."""
    sandbox.change_weather(Weather(search_delay=60.0))
    sandbox.fail_next(LOST, match="POST")
    items = [JOHN, contact(1)]
    assert (await client.contacts.create_many(items, journal=journal, concurrency=1).finish()).unknown == 1
    for _ in range(2):
        (lost, _) = await client.contacts.create_many(items, journal=journal).collect()
        assert lost.unknown
        assert isinstance(lost.error, OutcomeUnknownError)
        assert isinstance(lost.error.__cause__, ConflictError)
    sandbox.change_weather(Weather())
    assert await client.contacts.create_many(items, journal=journal).finish() == Summary(done=2, replayed=1, total=2)
    assert sandbox.count("POST") == len(sandbox.state.contacts) == 2


async def test_a_contact_that_was_deleted_meanwhile_is_no_sign_of_a_lag(
    client: VoxloudClient, sandbox: Sandbox, journal: Path
) -> None:
    sandbox.fail_next(UNSENT, match="POST")
    items = [JOHN, contact(1)]
    assert (await client.contacts.create_many(items, journal=journal, concurrency=1).finish()).unknown == 1
    sandbox.state.contacts.clear()
    assert (await client.contacts.create_many(items, journal=journal).finish()).done == 2
    assert sandbox.count("POST") == 3


async def test_what_is_refused_when_it_is_sent_again_may_be_mended(
    client: VoxloudClient, sandbox: Sandbox, journal: Path
) -> None:
    sandbox.fail_next(UNSENT, match="POST")
    assert (await client.contacts.create_many([JOHN], journal=journal).finish()).unknown == 1
    sandbox.fail_next(Fault(status=400), match="POST")
    assert (await client.contacts.create_many([JOHN], journal=journal).finish()).failed == 1
    assert (await client.contacts.create_many(contacts(1), journal=journal).finish()).done == 1
    assert names(sandbox) == once_each(1)


async def test_a_journal_of_another_service_is_refused(serve: Serve, client: VoxloudClient, journal: Path) -> None:
    await client.contacts.create_many([JOHN], journal=journal).finish()
    other = await serve(contacts=0, events=0)
    with pytest.raises(ValueError, match=f"that was to create contacts at http.*, not to .* at {other.sandbox.url}"):
        await other.client.contacts.create_many([JOHN], journal=journal).finish()
    assert other.sandbox.count() == 0


async def test_the_folder_may_change_meanwhile(
    client: VoxloudClient, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(journal.parent)
    await client.contacts.create_many(contacts(5), journal=journal.name).finish()
    run = client.contacts.create_many(contacts(5), journal=journal.name, concurrency=1)
    async for _ in run:
        monkeypatch.chdir("/")
    assert run.summary.replayed == 5


async def test_what_failed_is_sent_again_and_may_be_mended(
    client: VoxloudClient, sandbox: Sandbox, journal: Path
) -> None:
    items: list[Any] = [JOHN, {**JOHN, "primary_phone": "031"}, {"first_name": "Bea"}, JOHN]
    first = await client.contacts.create_many(items, journal=journal).collect()
    assert [type(outcome.error) for outcome in first] == [type(None), BadRequestError, ArgumentTypeError, type(None)]
    mended = [contact(number) if number in {1, 2} else JOHN for number in range(4)]
    assert await client.contacts.create_many(mended, journal=journal).finish() == Summary(done=4, replayed=2, total=4)
    assert len(sandbox.state.contacts) == 4


async def test_other_items_are_refused(client: VoxloudClient, sandbox: Sandbox, journal: Path) -> None:
    await client.contacts.create_many(contacts(5), journal=journal).finish()
    others = [contact(0), contact(1), JOHN, *contacts(9)]
    run = client.contacts.create_many(others, journal=journal, concurrency=12)
    with pytest.raises(ValueError, match=r"run.journal is of other items: item 2 was another one"):
        await run.finish()
    assert sandbox.count("POST") == 5
    sandbox.fail_next(UNSENT, match="POST")
    other_journal = journal.with_name("other")
    await client.contacts.create_many([JOHN], journal=other_journal).finish()
    with pytest.raises(ValueError, match="item 0 was another one"):
        await client.contacts.create_many(contacts(1), journal=other_journal).finish()
    assert sandbox.count("POST") == 6


async def test_updates_and_deletes_go_on_too(client: VoxloudClient, sandbox: Sandbox, journal: Path) -> None:
    made = [str(outcome.id) for outcome in await client.contacts.create_many(contacts(3)).collect()]
    changes: list[Any] = [(identifier, JOHN) for identifier in made]
    sandbox.fail_next(Fault(status=400, executed=True), match="PUT")
    assert (await client.contacts.update_many(changes, journal=journal).finish()).failed == 1
    assert (await client.contacts.update_many(changes, journal=journal).finish()).replayed == 2
    assert sandbox.count("PUT") == 4
    deletes = journal.with_name("deletes")
    assert (await client.contacts.delete_many(made[:2], journal=deletes).finish()).done == 2
    assert await client.contacts.delete_many(made, journal=deletes).finish() == Summary(done=3, replayed=2, total=3)
    assert (sandbox.state.contacts, sandbox.count("DELETE"), sandbox.count("GET")) == ({}, 3, 0)


async def test_a_delete_that_happened_unheard_is_done(client: VoxloudClient, sandbox: Sandbox, journal: Path) -> None:
    made = await client.contacts.create(**JOHN)
    task = asyncio.create_task(client.contacts.delete_many([made.id], journal=journal).finish())
    sandbox.change_weather(Weather(latency=5.0))
    while sandbox.count("DELETE") < 1:  # noqa: ASYNC110 - the sandbox tells nobody
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    sandbox.change_weather(Weather())
    assert await client.contacts.delete_many([made.id], journal=journal).finish() == Summary(done=1, total=1)
    assert sandbox.state.contacts == {}


async def test_a_refused_key_is_said_before_anything_is_sent(sandbox: Sandbox, journal: Path) -> None:
    async with VoxloudClient("wrong", base_url=sandbox.url, rate=None) as client:
        with pytest.raises(AuthenticationError):
            await client.contacts.create_many(contacts(9), journal=journal).finish()
    assert sandbox.count("POST") == 0
    assert entries(journal) == []


async def test_where_what_exists_cannot_be_read_nothing_is_sent(
    client: VoxloudClient, sandbox: Sandbox, journal: Path
) -> None:
    once = client.with_options(retry=RetryPolicy(max_attempts=1))
    sandbox.fail_next(Fault(status=500), match="GET")
    run = once.contacts.create_many(contacts(9), journal=journal)
    with pytest.raises(ServerError):
        await run.finish()
    assert run.summary == Summary()
    assert sandbox.count() == 1
    assert entries(journal) == []
    assert (await once.contacts.create_many(contacts(9), journal=journal).finish()).done == 9


@pytest.mark.parametrize("quirk", ["many", "filter wanted"])
async def test_where_too_much_exists_each_item_is_looked_up_before_it_is_sent(
    client: VoxloudClient, sandbox: Sandbox, journal: Path, quirk: str
) -> None:
    old = await elsewhere(sandbox)
    if quirk == "many":
        await many_elsewhere(sandbox)
    else:
        sandbox.fail_next(Fault(status=400), match="GET")
    asked = sandbox.count("GET")
    for _ in range(2):
        sandbox.fail_next(UNSENT, match="POST")
        (outcome,) = await client.contacts.create_many([JOHN], journal=journal).collect()
        assert isinstance(outcome.error, OutcomeUnknownError)
        assert outcome.error.candidates == ()  # the old one was there before
    (outcome,) = await client.contacts.create_many([JOHN], journal=journal).collect()
    assert outcome.id in {*sandbox.state.contacts} - {old.id}
    assert names(sandbox)["John"] == 2
    assert sandbox.count("GET") - asked >= 6
    assert entries(journal)[0] == {"key": entries(journal)[1]["key"], "ids": [old.id]}


async def test_a_look_before_a_create_that_fails_leaves_the_item_unsent(
    client: VoxloudClient, sandbox: Sandbox, journal: Path
) -> None:
    await many_elsewhere(sandbox)
    posts = sandbox.count("POST")

    def fail(status: int) -> None:
        for fault in (Fault(delay=0.0), Fault(delay=0.0), Fault(status=status)):  # the list, two pages of it, the look
            sandbox.fail_next(fault, match="GET")

    fail(404)
    (outcome,) = await client.contacts.create_many([JOHN], journal=journal).collect()
    assert isinstance(outcome.error, RequestNotSentError)
    assert (outcome.unknown, outcome.ok) == (False, False)
    fail(401)
    with pytest.raises(AuthenticationError):
        await client.contacts.create_many([JOHN], journal=journal).finish()
    assert sandbox.count("POST") == posts
    assert (await client.contacts.create_many([JOHN], journal=journal).finish()).done == 1


@pytest.mark.parametrize(
    "quirks",
    [each for each in Quirks.every() if {*each.changed()} & CONTACT_QUIRKS],
    ids=lambda quirks: str(quirks.changed()),
)
async def test_it_goes_on_under_every_reading(serve: Serve, journal: Path, quirks: Quirks) -> None:
    served = await serve(quirks, contacts=0, events=0)
    items: list[Any] = [
        {**contact(number), "last_name": "", "company_name": "A&B", "website": None if nulls else "x"}
        for number, nulls in enumerate([quirks.contact_null == "clears"] * 4)
    ]
    await interrupted(served.client, served.sandbox, items, journal)
    summary = await served.client.contacts.create_many(items, journal=journal).finish()
    assert summary.done == 4
    assert names(served.sandbox) == once_each(4)
    assert served.sandbox.count("POST") == 4
