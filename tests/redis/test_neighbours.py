"""An endpoint that fails without end beside others, over real sockets: one process, and three on one Redis."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from benchmarks.storm.neighbours import CALLS, FAULTS, PROCESSES, in_processes, service, work

if TYPE_CHECKING:
    from tests.servers import RedisServer

pytestmark = [pytest.mark.acceptance, pytest.mark.long]


@pytest.mark.parametrize("fault", FAULTS)
def test_l1_in_one_process(fault: str) -> None:
    with service(fault) as server:
        result = asyncio.run(work(server.url, ""))
        failing, _ = server.requests()
    assert result.succeeded == CALLS
    assert result.median < 1.0
    assert failing <= 100


@pytest.mark.parametrize("fault", FAULTS)
def test_l1_in_three_processes(redis_server: RedisServer, fault: str) -> None:
    with service(fault) as server:
        results = in_processes(server.url, redis_server.url)
        failing, others = server.requests()
    assert [result.succeeded for result in results] == [CALLS] * PROCESSES
    assert max(result.median for result in results) < 1.0
    assert redis_server.calls("evalsha") <= 1.2 * (failing + others)
