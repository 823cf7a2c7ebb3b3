"""A real Redis for each test, with nothing saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks import free_port
from tests.servers import RedisServer, need_redis

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    need_redis()
    server = RedisServer(tmp_path, free_port())
    server.start()
    yield server
    server.stop()
