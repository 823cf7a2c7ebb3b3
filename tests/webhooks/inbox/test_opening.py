"""`open_inbox`: which store a path or a URL names, and what is missing where it cannot be opened."""

from __future__ import annotations

import asyncio
import importlib
import sys
from pathlib import Path

import pytest

from tests.webhooks.inbox.stores import delivery
from voxloud_async.webhooks.inbox import Inbox, open_inbox
from voxloud_async.webhooks.inbox.postgres import PostgresInbox
from voxloud_async.webhooks.inbox.redis import RedisInbox
from voxloud_async.webhooks.inbox.sqlite import SqliteInbox


@pytest.mark.parametrize(
    ("where", "kind"),
    [
        ("inbox.db", SqliteInbox),
        (Path("inbox.db"), SqliteInbox),
        ("sqlite:///inbox.db", SqliteInbox),
        ("postgresql://localhost/pbx", PostgresInbox),
        ("postgres://localhost/pbx", PostgresInbox),
        ("redis://localhost", RedisInbox),
        ("rediss://localhost", RedisInbox),
        ("unix:///run/redis.sock", RedisInbox),
    ],
)
def test_a_path_or_a_url_names_a_store(where: str | Path, kind: type) -> None:
    assert type(open_inbox(where)) is kind


@pytest.mark.parametrize(
    ("where", "file"),
    [
        ("sqlite:///here%20now.db", "here now.db"),
        ("sqlite:///{folder}/there.db", "there.db"),
        ("path.db", "path.db"),
    ],
)
def test_a_path_is_absolute_with_four_slashes_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, file: str
) -> None:
    monkeypatch.chdir(tmp_path)
    asyncio.run(store_and_close(open_inbox(where.format(folder=tmp_path))))
    assert (tmp_path / file).stat().st_size > 0


async def store_and_close(inbox: Inbox) -> None:
    await inbox.add([delivery("a")])
    await inbox.aclose()


@pytest.mark.parametrize("where", ["", ":memory:", "sqlite:///", "sqlite://host/file", "mysql://user:secret@host/db"])
def test_what_names_no_store_is_refused(where: str) -> None:
    with pytest.raises(ValueError, match=r"path|host") as caught:
        open_inbox(where)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("where", ["inbox.db", "postgresql://localhost", "redis://localhost"])
def test_an_inbox_that_takes_nothing_is_refused(where: str) -> None:
    with pytest.raises(ValueError, match="max_waiting must be at least 1"):
        open_inbox(where, max_waiting=0)


@pytest.mark.parametrize(
    ("where", "library", "extra"),
    [("postgresql://u:secret@host/db", "asyncpg", "postgres"), ("redis://:secret@host", "redis", "redis")],
)
def test_a_missing_library_is_named_with_its_extra(
    where: str, library: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.delitem(sys.modules, f"voxloud_async.webhooks.inbox.{extra}")
    with pytest.raises(ImportError, match=rf"needs {library}: pip install 'voxloud_async\[{extra}\]'") as caught:
        open_inbox(where)
    assert "secret" not in str(caught.value)
    monkeypatch.undo()
    importlib.import_module(f"voxloud_async.webhooks.inbox.{extra}")
