"""SIGKILL, for real: a process that creates contacts is killed three times, goes on, and no contact is doubled."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from voxloud_async.sandbox import Sandbox, Weather, in_background

from .samples import names, once_each

pytestmark = pytest.mark.acceptance

ITEMS, KILLS, SECONDS = 300, 3, 30.0
WORKER = Path(__file__).with_name("worker.py")


def started(sandbox: Sandbox, journal: Path) -> subprocess.Popen[str]:
    command = [sys.executable, str(WORKER), sandbox.url, sandbox.api_key, str(journal), str(ITEMS)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - own program


def wait_until(sandbox: Sandbox, contacts: int) -> None:
    deadline = time.monotonic() + SECONDS
    while len(sandbox.state.contacts) < contacts:
        assert time.monotonic() < deadline
        time.sleep(0.0005)


@pytest.mark.parametrize("seed", range(2))
def test_killed_three_times_it_comes_to_one_contact_an_item(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    journal = tmp_path / "journal"
    weather = Weather(latency=0.005, jitter=0.03)
    with in_background(Sandbox(seed=seed, contacts=0, events=0, weather=weather)) as sandbox:
        for kills in range(1, KILLS + 1):
            process = started(sandbox, journal)
            wait_until(sandbox, chance.randrange(ITEMS * (kills - 1) // (KILLS + 1), ITEMS * kills // (KILLS + 1)) + 1)
            time.sleep(chance.random() * 0.05)
            process.kill()
            assert process.communicate(timeout=SECONDS)[0] == ""
        process = started(sandbox, journal)
        out, _ = process.communicate(timeout=SECONDS)
        assert out.split() == [str(ITEMS), "0", "0"]
        assert names(sandbox) == once_each(ITEMS)
        assert sandbox.count("POST") == ITEMS  # what had arrived was found, and what had not was sent
