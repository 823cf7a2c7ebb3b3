"""The SQLite file: whose it is, what else may lie there, and what becomes of a fault."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tests.webhooks.inbox.stores import deliveries, delivery
from voxloud_async.webhooks.inbox import InboxError, sqlite_file, writer
from voxloud_async.webhooks.inbox.sqlite import SqliteInbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "inbox.db"


@pytest.fixture
async def inbox(path: Path) -> AsyncIterator[SqliteInbox]:
    inbox = SqliteInbox(path)
    yield inbox
    await inbox.aclose()


def run(path: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        return connection.execute(statement).fetchall()


def put(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def move_away(path: Path) -> None:
    path.rename(path.with_suffix(".moved"))


def content_of(path: Path) -> bytes:
    return path.read_bytes()


async def refused(path: Path) -> str:
    inbox = SqliteInbox(path)
    with pytest.raises(InboxError) as caught:
        await inbox.add([delivery("a")])
    await inbox.aclose()
    return str(caught.value)


async def test_the_files_are_their_owners_alone(inbox: SqliteInbox, path: Path) -> None:
    before = os.umask(0)
    try:
        await inbox.add([delivery("a")])
    finally:
        os.umask(before)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == {"inbox.db": 0o600, "inbox.db-wal": 0o600, "inbox.db-shm": 0o600}


async def test_a_commit_reaches_the_disk_before_it_is_acknowledged(inbox: SqliteInbox) -> None:
    values = await inbox._writer.run(
        lambda db: [db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "fullfsync")]
    )
    assert values == ["wal", 2, 1]


async def test_the_body_of_what_was_handled_is_gone(inbox: SqliteInbox, path: Path) -> None:
    await inbox.add([delivery("a", b"body")])
    (lease,) = await inbox.lease(1, 60.0)
    await inbox.done(lease)
    assert run(path, "SELECT key, body, token FROM inbox") == [("a", None, None)]


LETTER = b"+390312345678"


async def bury_all(inbox: SqliteInbox, sizes: Sequence[int]) -> list[str]:
    bodies = {f"key-{number:05}": LETTER * size for number, size in enumerate(sizes)}
    await inbox.add([delivery(key, body) for key, body in bodies.items()])
    for lease in await inbox.lease(len(bodies), 60.0):
        await inbox.retry(lease, 0.0, "ValueError")  # so that older versions of the row lie about
    for lease in await inbox.lease(len(bodies), 60.0):
        await inbox.bury(lease, "ValueError")
    return list(bodies)


def holds_letters(path: Path) -> dict[str, bool]:
    return {file.name: LETTER in file.read_bytes() for file in path.parent.iterdir() if file.name != "inbox.db-shm"}


async def test_no_byte_of_what_was_discarded_is_left_in_the_files(inbox: SqliteInbox, path: Path) -> None:
    keys = await bury_all(inbox, [1, 40, 250, 2000] * 50)
    assert holds_letters(path) == {"inbox.db": True, "inbox.db-wal": True}
    await inbox.add(deliveries(50, "other"))
    assert await inbox.discard(keys) == 200
    assert holds_letters(path) == {"inbox.db": False, "inbox.db-wal": False}
    assert run(path, "SELECT DISTINCT body, error, token FROM inbox WHERE state = 'done'") == [(None, None, None)]
    assert (await inbox.counts()).waiting == 50


async def test_a_log_that_another_reads_is_cut_once_that_has_ended(
    inbox: SqliteInbox, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keys = await bury_all(inbox, [40] * 5)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM inbox").fetchall()
        discarding = asyncio.create_task(inbox.discard(keys))
        while (await inbox.counts()).dead:
            pass
        assert await asyncio.wait_for(inbox.add([delivery("a")]), 4.0) == {"a"}, "who writes is not held up"
        assert not discarding.done()
        other.execute("COMMIT")
        assert await discarding == 5
    assert holds_letters(path) == {"inbox.db": False, "inbox.db-wal": False}
    assert caplog.messages == []


async def test_a_log_that_cannot_be_cut_is_told(
    inbox: SqliteInbox, path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    keys = await bury_all(inbox, [40] * 5)
    monkeypatch.setattr(sqlite_file, "BUSY", 0.05)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM inbox").fetchall()
        assert await inbox.discard(keys[:2]) == 2
    move_away(path)
    assert await inbox.discard(keys[2:]) == 3
    assert set(holds_letters(path)) == {"inbox.moved", "inbox.db-wal"}, "no new one is made"
    assert caplog.messages == ["bodies that were discarded stay in the log of the inbox for now: it cannot be cut"] * 2


async def test_what_is_no_database_is_left_alone(path: Path) -> None:
    put(path, b"a letter to a friend" * 100)
    assert await refused(path) == f"{path} cannot be used as an inbox: file is not a database"
    assert content_of(path) == b"a letter to a friend" * 100


@pytest.mark.parametrize("statement", ["CREATE TABLE books (title)", "PRAGMA application_id = 7"])
async def test_the_database_of_another_program_is_left_alone(path: Path, statement: str) -> None:
    run(path, statement)
    before = content_of(path)
    assert await refused(path) == f"{path} is a database of another program"
    assert content_of(path) == before


async def test_an_inbox_of_another_version_is_left_alone(inbox: SqliteInbox, path: Path) -> None:
    await inbox.due_in()
    await inbox.aclose()
    run(path, "PRAGMA user_version = 3")
    assert await refused(path) == f"{path} is an inbox of version 3, and this release knows version 2"


async def test_a_damaged_inbox_is_told(inbox: SqliteInbox, path: Path) -> None:
    await inbox.add(deliveries(2000))
    await inbox.aclose()
    content = bytearray(content_of(path))
    content[4096:] = b"\xff" * (len(content) - 4096)
    put(path, bytes(content))
    assert "malformed" in await refused(path)


async def test_a_path_that_cannot_be_is_told(tmp_path: Path) -> None:
    assert "No such file or directory" in await refused(tmp_path / "nowhere" / "inbox.db")
    assert "Is a directory" in await refused(tmp_path)


async def test_where_it_cannot_write_ahead_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_file, "_write_ahead", lambda _: "delete")
    assert "write-ahead logging" in await refused(path)


async def test_the_next_call_after_a_fault_may_do_well(inbox: SqliteInbox, path: Path) -> None:
    put(path, b"a letter to a friend" * 100)
    with pytest.raises(InboxError):
        await inbox.add([delivery("a")])
    put(path, b"")
    assert await inbox.add([delivery("a")]) == {"a"}


async def test_who_writes_for_too_long_is_told(inbox: SqliteInbox, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await inbox.add([delivery("a")])
    monkeypatch.setattr(sqlite_file, "BUSY", 0.05)
    other = SqliteInbox(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(InboxError, match="the inbox cannot be used: database is locked"):
            await other.add([delivery("b")])
        assert await other.known(["a", "b"]) == {"a"}, "readers need not wait"
        connection.execute("ROLLBACK")
    assert await other.add([delivery("b")]) == {"b"}
    await other.aclose()


async def test_the_change_to_write_ahead_is_waited_for(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_file, "BUSY", 0.05)
    run(path, f"PRAGMA application_id = {sqlite_file.APPLICATION}")
    run(path, f"PRAGMA user_version = {sqlite_file.VERSION}")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT * FROM sqlite_master").fetchall()
        assert await refused(path) == f"{path} cannot be used as an inbox: database is locked"


def test_whoever_writes_meanwhile_is_looked_for_every_millisecond(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paused: list[float] = []
    with closing(sqlite_file.connect(path)) as ours, closing(sqlite3.connect(path, isolation_level=None)) as theirs:
        theirs.execute("BEGIN IMMEDIATE")

        def pause(seconds: float) -> None:
            paused.append(seconds)
            if len(paused) == 300:
                theirs.execute("COMMIT")

        monkeypatch.setattr("voxloud_async.webhooks.inbox.sqlite_file.time.sleep", pause)
        sqlite_file.begin_to_write(ours)
        assert ours.in_transaction
        assert paused == [0.001] * 300
        assert ours.execute("PRAGMA busy_timeout").fetchone() == (5000,)


def test_what_waiting_cannot_mend_is_not_waited_for(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paused: list[float] = []
    monkeypatch.setattr("voxloud_async.webhooks.inbox.sqlite_file.time.sleep", paused.append)
    with closing(sqlite_file.connect(path)) as connection:
        connection.execute("BEGIN")
        with pytest.raises(sqlite3.OperationalError, match="within a transaction"):
            sqlite_file.begin_to_write(connection)
    assert paused == []


class Hurried:
    """Refuses once, as SQLite does at once where two processes change the journal of a new file."""

    def __init__(self) -> None:
        locked = sqlite3.OperationalError("database is locked")
        locked.sqlite_errorcode = sqlite3.SQLITE_BUSY
        self.answers: list[str | Exception] = ["wal", locked]

    def execute(self, _: str) -> Hurried:
        answer = self.answers.pop()
        if isinstance(answer, Exception):
            raise answer
        return self

    def fetchone(self) -> tuple[str]:
        return ("wal",)


def test_the_change_to_write_ahead_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    paused: list[float] = []
    monkeypatch.setattr("voxloud_async.webhooks.inbox.sqlite_file.time.sleep", paused.append)
    hurried: Any = Hurried()
    assert sqlite_file._write_ahead(hurried) == "wal"
    assert len(paused) == 1


async def test_an_inbox_that_another_process_made_meanwhile_is_taken_as_it_is(inbox: SqliteInbox, path: Path) -> None:
    await inbox.add([delivery("a")])
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        sqlite_file._make(connection, path)
    assert await inbox.known(["a"]) == {"a"}


async def test_calls_at_once_share_their_commits(inbox: SqliteInbox, monkeypatch: pytest.MonkeyPatch) -> None:
    await inbox.due_in()
    joined: list[int] = []
    transact = writer.Writer._transact

    def counted(self: writer.Writer, jobs: list[writer._Job]) -> list[object]:
        joined.append(len(jobs))
        return transact(self, jobs)

    monkeypatch.setattr(writer.Writer, "_transact", counted)
    await asyncio.gather(*(inbox.add([each]) for each in deliveries(2000)))
    assert sum(joined) == 2000
    assert max(joined) <= writer.MOST_JOINED
    assert len(joined) < 1000


async def test_a_fault_within_a_transaction_undoes_all_of_it(inbox: SqliteInbox) -> None:
    await inbox.due_in()

    def fail(_: sqlite3.Connection) -> None:
        raise LookupError("a bug")

    calls = [inbox.add([delivery("a")]), inbox._writer.run(fail), inbox.add([delivery("b")])]
    first, second, third = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(second, LookupError)
    stored = await inbox.known(["a", "b"])
    for key, answer in {"a": first, "b": third}.items():
        assert (key in stored) is (answer == frozenset({key}))


async def test_a_closed_inbox_says_so(inbox: SqliteInbox) -> None:
    await inbox.aclose()
    with pytest.raises(InboxError, match="the inbox is closed"):
        await inbox.due_in()


async def test_a_forked_process_is_told_to_open_its_own(inbox: SqliteInbox, monkeypatch: pytest.MonkeyPatch) -> None:
    await inbox.add([delivery("a")])
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: -1)
        with pytest.raises(InboxError, match="before this process was forked"):
            await inbox.add([delivery("b")])
        await inbox.aclose()  # the thread is the parent's


def test_one_inbox_serves_one_event_loop_after_the_other(path: Path) -> None:
    inbox = SqliteInbox(path)
    assert asyncio.run(inbox.add([delivery("a")])) == {"a"}
    assert asyncio.run(inbox.known(["a"])) == {"a"}
    asyncio.run(inbox.aclose())
