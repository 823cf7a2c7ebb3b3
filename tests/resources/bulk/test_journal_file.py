"""The file of a journal: what stands in it and when, and what happens where it cannot be read or written."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from voxloud_async import VoxloudClient
from voxloud_async.errors import InvalidArgumentError
from voxloud_async.resources.bulk import change, log_file
from voxloud_async.sandbox import Sandbox
from voxloud_async.testing import FakeTransport, answer

from .journals import JOHN, entries, mode, read, write
from .samples import contacts, names, once_each

if TYPE_CHECKING:
    from pathlib import Path

    from voxloud_async.wire.message import Request, Response

pytestmark = pytest.mark.usefixtures("soon")


async def test_it_holds_digests_and_ids_and_is_the_owners_alone(
    client: VoxloudClient, sandbox: Sandbox, journal: Path
) -> None:
    await client.contacts.create_many([JOHN, JOHN], journal=journal).finish()
    assert mode(journal) == 0o600
    text = read(journal).decode()
    assert not any(part in text for part in ("John", "Associates", "0312345678"))
    begun, done = ([entry for entry in entries(journal) if name in entry] for name in ("key", "id"))
    assert {entry["id"] for entry in done} == {*sandbox.state.contacts}
    assert len({entry["item"] for entry in (*begun, *done)}) == 1
    await client.contacts.create_many([JOHN], journal=journal.with_name("other")).finish()
    assert entries(journal.with_name("other"))[-1]["item"] != begun[0]["item"]


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
            assert b"InvalidArgumentError" in (await process.communicate())[1]
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
        ('{"version":2,"salt":"zz"}\n', "is no journal"),
        ('{"version":1,"purpose":"create contacts","salt":""}\n', "of version 1, which is not known"),
        ('{"version":2,"purpose":"delete contacts","salt":""}\n', "to delete contacts, not to create contacts"),
        ('{"version":2,"purpose":"create contacts at URL","salt":""}\n{"n":0}\n{"m":1}\n', "is damaged in line 3"),
        ('{"version":2,"purpose":"create contacts at URL","salt":""}\n\x00\x00\n', "is damaged in line 2"),
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
    monkeypatch.setattr(change, "SETTLED", 0.05)
    assert (await client.contacts.create_many(contacts(9), journal=journal).finish()).done == 9
    assert names(sandbox) == once_each(9)


async def test_what_no_line_can_hold_is_an_outcome(client: VoxloudClient, sandbox: Sandbox, journal: Path) -> None:
    items: list[Any] = [{**JOHN, "first_name": "\ud800"}, JOHN]
    outcomes = await client.contacts.create_many(items, journal=journal).collect()
    assert [type(outcome.error) for outcome in outcomes] == [InvalidArgumentError, type(None)]
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
