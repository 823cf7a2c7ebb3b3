"""The table in PostgreSQL: its name, whose it is, and what becomes of faults."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import asyncpg  # type: ignore[import-untyped]  # it ships no types
import pytest

from benchmarks import free_port
from tests.webhooks.inbox.stores import Store, deliveries, delivery
from voxloud_async.webhooks.inbox import InboxError, postgres_statements
from voxloud_async.webhooks.inbox.postgres import PostgresInbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.servers import PostgresServer

HOUR = 3600.0


@pytest.fixture
def table() -> str:
    return f"test_{uuid4().hex}"


@pytest.fixture
async def db(postgres: PostgresServer) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(postgres.url)
    yield connection
    await connection.close()


@pytest.fixture
async def inbox(postgres: PostgresServer, table: str) -> AsyncIterator[PostgresInbox]:
    inbox = PostgresInbox(postgres.url, table=table)
    yield inbox
    await inbox.aclose()


async def value(db: Any, statement: str, table: str) -> Any:
    return await db.fetchval(statement.format(table))


@pytest.mark.parametrize("name", ["", "Inbox", "a b", 'x"; DROP TABLE y; --', "a.b.c", "1st", "x" * 51])
def test_a_name_that_would_have_to_be_quoted_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="table must be a name"):
        PostgresInbox("postgresql://localhost", table=name)


async def test_a_table_may_be_in_a_schema(postgres: PostgresServer, db: Any, table: str) -> None:
    await db.execute(f"CREATE SCHEMA {table}")
    inbox = PostgresInbox(postgres.url, table=f"{table}.deliveries")
    await inbox.add([delivery("a")])
    await inbox.aclose()
    assert await value(db, "SELECT key FROM {}.deliveries", table) == "a"


async def test_the_table_says_what_it_is(inbox: PostgresInbox, db: Any, table: str) -> None:
    await inbox.due_in()
    note = await db.fetchval("SELECT obj_description(to_regclass($1), 'pg_class')", table)
    assert note == "voxloud_async inbox, version 2"


@pytest.mark.parametrize(
    ("note", "told"),
    [
        (None, "belongs to another program"),
        ("the books of a friend", "belongs to another program"),
        ("voxloud_async inbox, version 3", "is of another version"),
    ],
)
async def test_the_table_of_others_is_left_alone(
    inbox: PostgresInbox, db: Any, table: str, note: str | None, told: str
) -> None:
    await db.execute(f"CREATE TABLE {table} (key text)")
    if note:
        await db.execute(f"COMMENT ON TABLE {table} IS '{note}'")
    with pytest.raises(InboxError, match=f"the table {table} {told}"):
        await inbox.add([delivery("a")])
    await db.execute(f"DROP TABLE {table}")
    assert await inbox.add([delivery("a")]) == {"a"}, "the next call tries anew"


async def test_who_may_not_make_tables_may_use_one(
    postgres: PostgresServer, inbox: PostgresInbox, db: Any, table: str
) -> None:
    await inbox.due_in()
    await db.execute(f"CREATE ROLE {table} LOGIN; GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {table}")
    humble = PostgresInbox(postgres.url.replace("voxloud@", f"{table}@"), table=table)
    assert await humble.add([delivery("a")]) == {"a"}
    await humble.aclose()
    other = PostgresInbox(postgres.url.replace("voxloud@", f"{table}@"), table=f"{table}_2")
    with pytest.raises(InboxError, match="InsufficientPrivilegeError: permission denied for schema public"):
        await other.add([delivery("a")])
    await other.aclose()


async def test_nothing_but_the_key_is_left_of_what_was_discarded(inbox: PostgresInbox, db: Any, table: str) -> None:
    await inbox.add([delivery("a", b"body")])
    (lease,) = await inbox.lease(1, HOUR)
    await inbox.bury(lease, "ValueError")
    await inbox.discard(["a"])
    assert await value(db, "SELECT (state, body, token, error) FROM {}", table) == ("done", None, None, None)


async def test_a_commit_waits_for_the_disk_whatever_the_database_is_set_to(inbox: PostgresInbox, db: Any) -> None:
    await db.execute("ALTER ROLE voxloud SET synchronous_commit = off")
    await inbox.due_in()
    async with inbox._opened.use() as database, database.use() as connection:
        assert await connection.fetchval("SHOW synchronous_commit") == "on"
    await db.execute("ALTER ROLE voxloud RESET synchronous_commit")


async def test_a_server_that_is_not_there_is_told_without_the_password() -> None:
    inbox = PostgresInbox(f"postgresql://somebody:secret@127.0.0.1:{free_port()}/pbx")
    for _ in range(2):
        with pytest.raises(InboxError, match="the inbox cannot be used: ConnectionRefusedError") as caught:
            await inbox.add([delivery("a")])
        assert "secret" not in str(caught.value)
    await inbox.aclose()


async def test_a_connection_that_was_cut_is_made_anew(inbox: PostgresInbox, db: Any) -> None:
    await inbox.add([delivery("a")])
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'voxloud_async'"
    await db.execute(cut)
    for _ in range(20):  # the first calls may still meet the dead connections
        try:
            assert await inbox.known(["a"]) == {"a"}
        except InboxError:
            continue
        break
    assert await inbox.known(["a"]) == {"a"}


async def test_a_fault_is_each_joined_callers_own(inbox: PostgresInbox, db: Any, table: str) -> None:
    await inbox.due_in()
    await db.execute(f"ALTER TABLE {table} RENAME TO {table}_gone")
    calls = (inbox.add([delivery(key)]) for key in "abc")
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(each) for each in outcomes] == [InboxError] * 3
    assert len({id(each) for each in outcomes}) == 3
    assert "UndefinedTableError" in str(outcomes[0])


async def test_calls_at_once_share_their_statements(inbox: PostgresInbox, db: Any, table: str) -> None:
    await asyncio.gather(*(inbox.add([each]) for each in deliveries(500)))
    assert await value(db, "SELECT count(*) FROM {}", table) == 500
    transactions = await value(db, "SELECT count(DISTINCT xmin::text) FROM {}", table)
    assert transactions <= 10


async def test_two_that_store_the_same_do_not_wait_for_each_other_in_a_circle(
    postgres: PostgresServer, inbox: PostgresInbox, table: str
) -> None:
    other = PostgresInbox(postgres.url, table=table)
    for number in range(20):
        same = deliveries(50, f"{number}")
        one, two = await asyncio.gather(inbox.add(same), other.add(same[::-1]))
        assert one | two == {each.key for each in same}
        assert not one & two
    await other.aclose()


async def test_what_is_due_is_found_by_the_index(inbox: PostgresInbox, db: Any, table: str) -> None:
    await inbox.add(deliveries(5000))
    await db.execute(f"ANALYZE {table}")
    select = postgres_statements.on_table(
        "SELECT key FROM {table} WHERE state = 'waiting' AND at <= {now} ORDER BY at LIMIT 10", table
    )
    plan = await db.fetch(f"EXPLAIN {select.replace('$1', '0')}")
    assert "Index Scan" in "\n".join(row[0] for row in plan)


async def test_several_that_open_it_at_once_make_the_table_once(postgres: PostgresServer, table: str) -> None:
    for number in range(10):
        inboxes = [PostgresInbox(postgres.url, table=f"{table}_{number}", connections=1) for _ in range(4)]
        assert await asyncio.gather(*(inbox.due_in() for inbox in inboxes)) == [None] * 4
        for inbox in inboxes:
            await inbox.aclose()


async def test_calls_of_a_closed_inbox_are_refused(inbox: PostgresInbox) -> None:
    await inbox.aclose()
    with pytest.raises(InboxError, match="the inbox is closed"):
        await inbox.add([delivery("a")])


async def test_two_inboxes_share_what_may_wait(postgres: PostgresServer, table: str) -> None:
    store = Store("postgres", postgres.url, table)
    one, two = store.open(max_waiting=10), store.open(max_waiting=10)
    await one.add(deliveries(10))
    with pytest.raises(InboxError):
        await two.add([delivery("a")])
    await one.aclose()
    await two.aclose()
