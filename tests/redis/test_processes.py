"""Four real processes share a limit, and one of them is killed."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from voxloud_async.sandbox import FixedWindow, Sandbox, Weather, in_background

if TYPE_CHECKING:
    from tests.servers import RedisServer

WORKER = Path(__file__).with_name("worker.py")
ROOT = WORKER.parents[2]


def jain(shares: list[int]) -> float:
    """1 where all have the same, 1/n where one has everything."""
    return sum(shares) ** 2 / (len(shares) * sum(share**2 for share in shares))


@pytest.mark.acceptance
def test_the_death_of_one_process_is_nobody_elses(redis_server: RedisServer) -> None:
    with in_background(Sandbox(weather=Weather(limits=(FixedWindow(20),), latency=0.02))) as sandbox:
        command = [sys.executable, str(WORKER), sandbox.url, sandbox.api_key, redis_server.url, "8", "4"]
        workers = [
            subprocess.Popen(  # noqa: S603 - own program
                command,
                cwd=ROOT,
                env={"PYTHONPATH": str(ROOT)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(4)
        ]
        for worker in workers:  # their seconds begin together, however long a busy machine takes to start them
            assert worker.stdout
            assert worker.stdout.readline() == "ready\n"
        for worker in workers:
            assert worker.stdin
            worker.stdin.write("begin\n")
            worker.stdin.flush()
        time.sleep(4.0)
        workers[0].kill()
        shares = [int(worker.communicate(timeout=30)[0] or 0) for worker in workers]
        statuses = [received.status for received in sandbox.requests]
    assert [worker.returncode for worker in workers[1:]] == [0, 0, 0]
    assert jain(shares[1:]) >= 0.9
    assert sum(shares) >= 40
    assert statuses.count(429) <= 0.2 * len(statuses)
