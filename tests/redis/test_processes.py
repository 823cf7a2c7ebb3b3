"""Four real processes share a limit, and one of them is killed."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from voxloud_async.sandbox import FixedWindow, Sandbox, Weather, in_background

if TYPE_CHECKING:
    from tests.servers import RedisServer

WORKER = Path(__file__).with_name("worker.py")
ROOT = WORKER.parents[2]


def jain(shares: list[int]) -> float:
    """1 where all have the same, 1/n where one has everything."""
    return sum(shares) ** 2 / (len(shares) * sum(share**2 for share in shares))


def test_the_death_of_one_process_is_nobody_elses(redis_server: RedisServer) -> None:
    with in_background(Sandbox(weather=Weather(limits=(FixedWindow(20),), latency=0.02))) as sandbox:
        command = [sys.executable, str(WORKER), sandbox.url, sandbox.api_key, redis_server.url, "8", "4"]
        workers = [
            subprocess.Popen(command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True)  # noqa: S603 - own program
            for _ in range(4)
        ]
        time.sleep(4.0)
        workers[0].kill()
        shares = [int(worker.communicate(timeout=30)[0] or 0) for worker in workers]
        statuses = [received.status for received in sandbox.requests]
    assert [worker.returncode for worker in workers[1:]] == [0, 0, 0]
    assert jain(shares[1:]) >= 0.9
    assert sum(shares) >= 40
    assert statuses.count(429) <= 0.2 * len(statuses)
