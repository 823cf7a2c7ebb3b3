"""A store of each kind, empty; the servers run once for all tests of a process."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from benchmarks import free_port
from tests.servers import PostgresServer, RedisServer, need_postgres, need_redis
from tests.webhooks.inbox.stores import EVERY, SHARED, Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from voxloud_async.webhooks.inbox import Inbox


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """Outside pytest's own, which nobody but its owner may enter."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def postgres(folder: Path) -> Iterator[PostgresServer]:
    need_postgres()
    server = PostgresServer(folder / "postgres", free_port())
    server.folder.mkdir()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def redis(folder: Path) -> Iterator[RedisServer]:
    need_redis()
    server = RedisServer(folder / "redis", free_port())
    server.folder.mkdir()
    server.start()
    yield server
    server.stop()


def empty_store(kind: str, request: pytest.FixtureRequest) -> Store:
    place = str(request.getfixturevalue("tmp_path") / "inbox.db")
    if kind in ("postgres", "redis"):
        place = request.getfixturevalue(kind).url
    return Store(kind, place, f"test_{uuid4().hex}")


@pytest.fixture(params=EVERY)
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    store = empty_store(request.param, request)
    yield store
    for inbox in store.opened:
        await inbox.aclose()


@pytest.fixture(params=SHARED)
async def shared(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    store = empty_store(request.param, request)
    yield store
    for inbox in store.opened:
        await inbox.aclose()


@pytest.fixture
def inbox(store: Store) -> Inbox:
    return store.open()
