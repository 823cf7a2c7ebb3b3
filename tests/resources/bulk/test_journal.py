"""Runs that were killed and go on: what stands in the journal, and what is looked for, sent and refused then."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from voxloud_async import VoxloudClient
from voxloud_async.errors import AuthenticationError, BadRequestError, OutcomeUnknownError, ResponseLostError
from voxloud_async.resources.bulk import journal as bulk_journal, log_file, settle
from voxloud_async.resources.bulk.outcome import Summary
from voxloud_async.sandbox import Fault, Quirks, Sandbox, Weather
from voxloud_async.testing import FakeTransport, answer

from .samples import contact, contacts, names, once_each

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.resources.conftest import Serve
    from voxloud_async.models import Contact
    from voxloud_async.wire.message import Request, Response

JOHN: Any = {"first_name": "John", "primary_phone": "+390312345678", "company_name": "John&Associates"}
LOST = Fault(cut="inside_headers", executed=True)
UNSENT = Fault(cut="inside_headers")
CONTACT_QUIRKS = {
    *("create_status", "empty_fields", "undocumented_fields", "company_name", "contact_null", "contact_blank"),
    *("phone_search", "contact_order", "contact_filters", "has_next", "duplicate_contact", "invalid_phone"),
}


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "run.journal"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settle, "SETTLED", 0.05)


def read(journal: Path) -> bytes:
    return journal.read_bytes()


def write(journal: Path, content: bytes) -> None:
    journal.write_bytes(content)


def mode(journal: Path) -> int:
    return stat.S_IMODE(journal.stat().st_mode)


def entries(journal: Path) -> list[Any]:
    return [json.loads(line) for line in read(journal).splitlines()][1:]


async def interrupted(client: VoxloudClient, sandbox: Sandbox, items: Sequence[Any], journal: Path) -> None:
    """Run until every item was carried out, and end before one of the answers is heard."""
    sandbox.change_weather(Weather(latency=5.0))
    expected = sandbox.count("POST") + len(items)
    # The first request asks for the time.
    sandbox.fail_next(Fault(delay=0.001), match="GET")
    task = asyncio.create_task(client.contacts.create_many(items, concurrency=99, journal=journal).finish())
    sandbox.change_weather(Weather())
    while sandbox.count("GET") < 1:  # noqa: ASYNC110 - the sandbox tells nobody
        await asyncio.sleep(0.001)
    sandbox.change_weather(Weather(latency=5.0))
    while sandbox.count("POST") < expected:  # noqa: ASYNC110 - the same
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    sandbox.change_weather(Weather())


async def elsewhere(sandbox: Sandbox, fields: Any = JOHN) -> Contact:
    """Somebody else creates a contact."""
    async with VoxloudClient(sandbox.api_key, base_url=sandbox.url, rate=None) as client:
        return await client.contacts.create(**fields)


async def test_what_is_done_is_replayed(client: VoxloudClient, sandbox: Sandbox, journal: Path) -> None:
    first = await client.contacts.create_many(contacts(20), journal=journal).collect()
    again = client.contacts.create_many(contacts(20), journal=str(journal))
    replayed = await again.collect()
    assert again.summary == Summary(done=20, replayed=20)
    assert [outcome.id for outcome in replayed] == [outcome.id for outcome in first]
    assert all(outcome.ok and outcome.replayed and outcome.result is None for outcome in replayed)
    assert names(sandbox) == once_each(20)
    assert sandbox.count("POST") == 20
    assert sandbox.count("GET") == 2  # what time it is


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


async def test_it_waits_before_it_believes_that_nothing_happened(
    client: VoxloudClient, sandbox: Sandbox, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settle, "SETTLED", 1.0)
    sandbox.fail_next(UNSENT, match="POST")
    await client.contacts.create_many([JOHN], journal=journal).finish()
    asked = sandbox.count("GET")
    task = asyncio.create_task(client.contacts.create_many([JOHN], journal=journal).finish())
    while sandbox.count("GET") < asked + 2:  # noqa: ASYNC110 - the time, and the first look
        await asyncio.sleep(0.001)
    late = await elsewhere(sandbox)  # it took effect late
    assert await task == Summary(done=1, total=1)
    assert {*sandbox.state.contacts} == {late.id}


async def test_it_waits_for_what_left_in_the_last_moment_however_old_its_line(
    client: VoxloudClient, sandbox: Sandbox, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settle, "SETTLED", 1.0)
    sandbox.fail_next(UNSENT, match="POST")
    await client.contacts.create_many([JOHN], journal=journal).finish()
    header, (begun,) = read(journal).splitlines()[0], entries(journal)
    begun["at"] -= 60.0  # it waited for the limit, and was sent when the process was killed
    write(journal, header + b"\n" + json.dumps(begun).encode() + b"\n")
    asked = sandbox.count("GET")
    task = asyncio.create_task(client.contacts.create_many([JOHN], journal=journal).finish())
    while sandbox.count("GET") < asked + 2:  # noqa: ASYNC110 - the time, and the first look
        await asyncio.sleep(0.001)
    late = await elsewhere(sandbox)  # it took effect late
    assert (await task).done == 1
    assert {*sandbox.state.contacts} == {late.id}


async def test_a_contact_without_a_time_may_be_it(journal: Path) -> None:
    held = {"id": "1", "first_name": "John", "primary_phone": JOHN["primary_phone"], "company_name": "John&Associates"}
    none, one = (answer({"data": data, "has_next": False}) for data in ([], [held]))
    transport = FakeTransport(none, ResponseLostError("reset"), one, none, one)
    async with VoxloudClient("key", base_url="https://voxloud.test", transport=transport, rate=None) as client:
        for _ in range(2):
            (outcome,) = await client.contacts.create_many([JOHN], journal=journal).collect()
            assert outcome.unknown
    assert [request.method for request in transport.requests] == ["GET", "POST", "GET", "GET", "GET"]


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


async def test_of_equal_items_an_older_one_takes_nothing_of_those_before_and_after_it(
    client: VoxloudClient, sandbox: Sandbox, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settle, "_REMEMBERED", 1)
    monkeypatch.setattr(bulk_journal, "_NEWEST", 1)
    for _ in range(2):
        sandbox.fail_next(UNSENT, match="POST")
    items: list[Any] = [JOHN, JOHN, *[JOHN, contact(1)] * 7]
    for count in (10, len(items)):
        await client.contacts.create_many(items[:count], journal=journal, concurrency=1).finish()
    outcomes = await client.contacts.create_many(items, journal=journal).collect()
    assert len({outcome.id for outcome in outcomes}) == len(outcomes) == len(sandbox.state.contacts)


async def test_what_this_run_made_before_it_is_not_taken_either(
    client: VoxloudClient, sandbox: Sandbox, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settle, "_REMEMBERED", 1)
    sandbox.fail_next(Fault(status=400), n=2, match="POST")
    sandbox.fail_next(UNSENT, match="POST")
    items = [JOHN, contact(1), JOHN]
    first = await client.contacts.create_many(items, journal=journal, concurrency=1).finish()
    assert (first.failed, first.unknown) == (2, 1)
    outcomes = await client.contacts.create_many(items, journal=journal, concurrency=1).collect()
    assert len({outcome.id for outcome in outcomes}) == len(sandbox.state.contacts) == 3


async def test_several_alike_are_never_guessed_at(client: VoxloudClient, sandbox: Sandbox, journal: Path) -> None:
    await interrupted(client, sandbox, [JOHN], journal)
    somebody_elses = await elsewhere(sandbox)
    (outcome,) = await client.contacts.create_many([JOHN], journal=journal).collect()
    assert isinstance(outcome.error, OutcomeUnknownError)
    assert {*outcome.error.candidates} == {*sandbox.state.contacts}
    assert sandbox.count("POST") == 2
    assert outcome.error.resolve is not None
    assert await outcome.error.resolve() is None
    await client.contacts.delete(somebody_elses.id)
    assert (await outcome.error.resolve()).id in sandbox.state.contacts
    assert (await client.contacts.create_many([JOHN], journal=journal).finish()).done == 1
    assert sandbox.count("POST") == 2


async def test_what_is_older_is_not_taken_for_it(client: VoxloudClient, sandbox: Sandbox, journal: Path) -> None:
    old = await elsewhere(sandbox)
    held = sandbox.state.contacts[old.id]
    sandbox.state.contacts[old.id] = evolve(held, created_at=held.created_at - 10_000)
    sandbox.fail_next(UNSENT, match="POST")
    await client.contacts.create_many([JOHN], journal=journal).finish()
    (outcome,) = await client.contacts.create_many([JOHN], journal=journal).collect()
    assert outcome.ok
    assert len(sandbox.state.contacts) == 2


async def test_equal_items_are_as_many_contacts(client: VoxloudClient, sandbox: Sandbox, journal: Path) -> None:
    items = [JOHN] * 6
    sandbox.fail_next(LOST, match="POST")  # the first is found
    sandbox.fail_next(UNSENT, match="POST")  # the second is not
    sandbox.fail_next(Fault(status=404), match="GET /api/v1/contacts")  # the time
    with pytest.raises(Exception, match="404"):
        await client.contacts.create_many(items, journal=journal).finish()
    first = await client.contacts.create_many(items, journal=journal).collect()
    assert [outcome.unknown for outcome in first] == [False, True, False, False, False, False]
    second = await client.contacts.create_many(items, journal=journal).collect()
    assert {outcome.id for outcome in second} == {*sandbox.state.contacts}
    assert len(sandbox.state.contacts) == 6
    assert sandbox.count("POST") == 7


async def test_of_equal_items_left_behind_each_finds_its_own(
    client: VoxloudClient, sandbox: Sandbox, journal: Path
) -> None:
    sandbox.fail_next(LOST, n=3, match="POST")
    sandbox.fail_next(Fault(delay=0.0), match="GET")
    sandbox.fail_next(Fault(status=404), n=3, match="GET")  # no look succeeds
    first = await client.contacts.create_many([JOHN] * 4, journal=journal, concurrency=1).collect()
    assert [outcome.unknown for outcome in first] == [True, True, True, False]
    second = await client.contacts.create_many([JOHN] * 4, journal=journal).collect()
    assert {outcome.id for outcome in second} == {*sandbox.state.contacts}
    assert sandbox.count("POST") == 4


async def test_alike_but_not_equal_items_are_never_guessed_at(
    client: VoxloudClient, sandbox: Sandbox, journal: Path
) -> None:
    items: list[Any] = [JOHN, {**JOHN, "company_name": "John & Associates"}]
    sandbox.fail_next(LOST, n=2, match="POST")
    sandbox.fail_next(Fault(delay=0.0), match="GET")
    sandbox.fail_next(Fault(status=404), n=2, match="GET")
    assert (await client.contacts.create_many(items, journal=journal).finish()).unknown == 2
    outcomes = await client.contacts.create_many(items, journal=journal).collect()
    assert all(outcome.unknown for outcome in outcomes)
    assert sandbox.count("POST") == 2


async def test_a_look_that_fails_leaves_it_unknown(client: VoxloudClient, sandbox: Sandbox, journal: Path) -> None:
    await interrupted(client, sandbox, [JOHN], journal)
    sandbox.fail_next(Fault(delay=0.0), match="GET")
    sandbox.fail_next(Fault(status=404), match="GET")
    (outcome,) = await client.contacts.create_many([JOHN], journal=journal).collect()
    assert outcome.unknown
    sandbox.fail_next(Fault(delay=0.0), match="GET")
    sandbox.fail_next(Fault(status=401), match="GET")
    with pytest.raises(AuthenticationError):
        await client.contacts.create_many([JOHN], journal=journal).finish()
    assert sandbox.count("POST") == 1


async def test_what_failed_is_sent_again_and_may_be_mended(
    client: VoxloudClient, sandbox: Sandbox, journal: Path
) -> None:
    items: list[Any] = [JOHN, {**JOHN, "primary_phone": "031"}, {"first_name": "Bea"}, JOHN]
    first = await client.contacts.create_many(items, journal=journal).collect()
    assert [type(outcome.error) for outcome in first] == [type(None), BadRequestError, TypeError, type(None)]
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


async def test_it_holds_digests_and_ids_and_is_the_owners_alone(
    client: VoxloudClient, sandbox: Sandbox, journal: Path
) -> None:
    await client.contacts.create_many([JOHN, JOHN], journal=journal).finish()
    assert mode(journal) == 0o600
    text = read(journal).decode()
    assert not any(part in text for part in ("John", "Associates", "0312345678"))
    begun, done = ([entry for entry in entries(journal) if name in entry] for name in ("at", "id"))
    assert {entry["id"] for entry in done} == {*sandbox.state.contacts}
    assert len({entry["item"] for entry in (*begun, *done)}) == 1
    assert all(abs(entry["at"] - sandbox._wall()) < 3.0 for entry in begun)  # by the service's clock
    await client.contacts.create_many([JOHN], journal=journal.with_name("other")).finish()
    assert entries(journal.with_name("other"))[0]["item"] != begun[0]["item"]


async def test_an_item_stands_on_the_disk_before_it_is_sent(journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = 0

    def sync(file: int) -> None:
        nonlocal synced
        synced = os.fstat(file).st_size

    def create(request: Request) -> Response:
        number = json.loads(request.body or b"")["first_name"].removeprefix("N")
        assert f'{{"n":{number},' in read(journal)[:synced].decode()
        return answer({"id": f"id-{number}"})

    monkeypatch.setattr(log_file, "_sync", sync)
    transport = FakeTransport(answer({"data": [], "has_next": False}), *[create] * 40)
    async with VoxloudClient("key", base_url="https://voxloud.test", transport=transport, rate=None) as client:
        assert (await client.contacts.create_many(contacts(40), journal=journal).finish()).done == 40
    assert transport.left == 0


async def test_many_share_one_turn_of_the_disk(
    client: VoxloudClient, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: list[int] = []
    monkeypatch.setattr(log_file, "_sync", turns.append)
    await client.contacts.create_many(contacts(200), journal=journal, concurrency=32).finish()
    assert 7 <= len(turns) < 150


async def test_a_disk_that_failed_is_not_believed_again(
    client: VoxloudClient, sandbox: Sandbox, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = 0

    def fail(_: int) -> None:
        nonlocal turns
        turns += 1
        raise OSError("I/O error")

    monkeypatch.setattr(log_file, "_sync", fail)
    with pytest.raises(OSError, match="I/O error"):
        await client.contacts.create_many(contacts(40), journal=journal, concurrency=32).finish()
    assert (turns, sandbox.count("POST")) == (1, 0)


async def test_one_run_at_a_time(client: VoxloudClient, sandbox: Sandbox, journal: Path) -> None:
    async with client.contacts.create_many(contacts(9), journal=journal) as run:
        async for _ in run:
            with pytest.raises(ValueError, match="in use by another run"):
                await client.contacts.create_many(contacts(9), journal=journal).finish()
            code = f"import pathlib, {log_file.__name__} as it; it.LogFile.open(pathlib.Path({str(journal)!r}))"
            process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stderr=subprocess.PIPE)
            assert b"ValueError" in (await process.communicate())[1]
            break
    assert (await client.contacts.create_many(contacts(9), journal=journal).finish()).done == 9
    assert names(sandbox) == once_each(9)


async def test_a_torn_line_is_none(client: VoxloudClient, sandbox: Sandbox, journal: Path) -> None:
    await client.contacts.create_many(contacts(5), journal=journal).finish()
    whole = read(journal)
    for torn in (whole[:-1], whole[:-30], whole + b'{"n":5,"it'):
        write(journal, torn)
        assert (await client.contacts.create_many(contacts(5), journal=journal).finish()).done == 5
    assert names(sandbox) == once_each(5)
    assert (await client.contacts.create_many(contacts(5), journal=journal).finish()).replayed == 5


@pytest.mark.parametrize("length", [0, 1, 20, 60])
async def test_a_journal_that_was_hardly_begun_is_begun_anew(client: VoxloudClient, journal: Path, length: int) -> None:
    await client.contacts.create_many([], journal=journal).finish()
    write(journal, read(journal)[:length])
    assert (await client.contacts.create_many(contacts(2), journal=journal).finish()).done == 2
    assert (await client.contacts.create_many(contacts(2), journal=journal).finish()).replayed == 2


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("first_name,primary_phone\n", "is no journal"),
        ("first_name", "is no journal"),
        ("[]\n", "is no journal"),
        ('{"version":1,"salt":"zz"}\n', "is no journal"),
        ('{"version":2,"purpose":"create contacts","salt":""}\n', "of version 2, which is not known"),
        ('{"version":1,"purpose":"delete contacts","salt":""}\n', "to delete contacts, not to create contacts"),
        ('{"version":1,"purpose":"create contacts at URL","salt":""}\n{"n":0}\n{"m":1}\n', "is damaged in line 3"),
        ('{"version":1,"purpose":"create contacts at URL","salt":""}\n\x00\x00\n', "is damaged in line 2"),
    ],
)
async def test_another_file_is_refused_and_left_alone(
    client: VoxloudClient, sandbox: Sandbox, journal: Path, content: str, reason: str
) -> None:
    content = content.replace("URL", sandbox.url)
    write(journal, content.encode())
    for _ in range(2):  # and the lock is given back
        with pytest.raises(ValueError, match=reason):
            await client.contacts.create_many(contacts(2), journal=journal).finish()
    assert read(journal) == content.encode()
    assert sandbox.count() == 0


async def test_a_folder_that_does_not_exist(client: VoxloudClient, sandbox: Sandbox, journal: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await client.contacts.create_many(contacts(2), journal=journal / "x").finish()
    assert sandbox.count() == 0


@pytest.mark.parametrize("writes", [1, 2, 3, 9])
async def test_a_full_disk_ends_the_run_and_no_contact_is_lost(
    client: VoxloudClient, sandbox: Sandbox, journal: Path, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    left = writes
    write = log_file.OwnerOnly.write

    def full(file: Any, line: bytes) -> int:
        nonlocal left
        left -= 1
        return write(file, line if left >= 0 else line[:10])

    monkeypatch.setattr(log_file.OwnerOnly, "write", full)
    run = client.contacts.create_many(contacts(9), journal=journal, concurrency=2)
    with pytest.raises(OSError, match="could not be written to the end"):
        await run.finish()
    monkeypatch.undo()
    monkeypatch.setattr(settle, "SETTLED", 0.05)
    assert (await client.contacts.create_many(contacts(9), journal=journal).finish()).done == 9
    assert names(sandbox) == once_each(9)


async def test_a_refused_key_is_said_before_anything_is_sent(sandbox: Sandbox, journal: Path) -> None:
    async with VoxloudClient("wrong", base_url=sandbox.url, rate=None) as client:
        with pytest.raises(AuthenticationError):
            await client.contacts.create_many(contacts(9), journal=journal).finish()
    assert sandbox.count("POST") == 0
    assert entries(journal) == []


async def test_what_no_line_can_hold_is_an_outcome(client: VoxloudClient, sandbox: Sandbox, journal: Path) -> None:
    items: list[Any] = [{**JOHN, "first_name": "\ud800"}, JOHN]
    outcomes = await client.contacts.create_many(items, journal=journal).collect()
    assert [type(outcome.error) for outcome in outcomes] == [UnicodeEncodeError, type(None)]
    assert sandbox.count("POST") == 1


async def test_cancelled_while_it_opens_the_journal(client: VoxloudClient, journal: Path) -> None:
    for content in (b"", b"no journal"):
        write(journal, content)
        task = asyncio.create_task(client.contacts.create_many([JOHN], journal=journal).finish())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    write(journal, b"")
    assert (await client.contacts.create_many([JOHN], journal=journal).finish()).done == 1


@pytest.mark.parametrize("phone", ["+39 031 2345678", "00390312345678"])
async def test_a_number_that_the_service_writes_its_own_way_is_not_sent_again(
    serve: Serve, journal: Path, phone: str
) -> None:
    served = await serve(Quirks(invalid_phone="normalised"), contacts=0, events=0)
    items: list[Any] = [{**JOHN, "primary_phone": phone}]
    await interrupted(served.client, served.sandbox, items, journal)
    (outcome,) = await served.client.contacts.create_many(items, journal=journal).collect()
    assert outcome.unknown
    assert len(served.sandbox.state.contacts) == 1


async def test_a_contact_of_its_number_that_differs_leaves_it_unknown(
    client: VoxloudClient, sandbox: Sandbox, journal: Path
) -> None:
    sandbox.fail_next(UNSENT, match="POST")
    await client.contacts.create_many([JOHN], journal=journal).finish()
    other = await elsewhere(sandbox, {**JOHN, "company_name": "Else"})
    await elsewhere(sandbox, {**JOHN, "primary_phone": "+390311111111", "phones": [JOHN["primary_phone"]]})
    (outcome,) = await client.contacts.create_many([JOHN], journal=journal).collect()
    assert isinstance(outcome.error, OutcomeUnknownError)
    assert outcome.error.candidates == (other.id,)
    assert sandbox.count("POST") == 3


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
