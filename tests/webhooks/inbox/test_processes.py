"""Several processes on one inbox, and what a SIGKILL leaves of their work."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.webhooks.inbox.stores import deliveries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.webhooks.inbox.stores import Store

WORKER = Path(__file__).with_name("worker.py")
ROOT = WORKER.parents[3]
HOUR = 3600.0
PIPES: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}


@contextmanager
def worker(job: str, store: Store) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, str(WORKER), job, store.kind, store.place, store.name]
    process = subprocess.Popen(command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, **PIPES)  # noqa: S603 - own program
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdin
        assert process.stdout
        process.stdin.close()
        process.stdout.close()


def first_lines(process: subprocess.Popen[str], count: int) -> list[str]:
    assert process.stdout
    return [process.stdout.readline().strip() for _ in range(count)]


def start(process: subprocess.Popen[str]) -> None:
    assert process.stdin
    process.stdin.write("go\n")
    process.stdin.flush()


def all_lines(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout
    return process.stdout.read().split()


def killed(process: subprocess.Popen[str]) -> list[str]:
    """End it with a SIGKILL and return what it had still said."""
    process.kill()
    return all_lines(process)


async def test_all_that_was_acknowledged_before_a_sigkill_is_there(shared: Store) -> None:
    acknowledged: list[str] = []
    for _ in range(3):
        with worker("fill", shared) as process:
            acknowledged += first_lines(process, 60)
            acknowledged += killed(process)
    assert len(set(acknowledged)) == len(acknowledged) >= 180
    inbox = shared.open()
    there: set[str] = set()
    while leases := await inbox.lease(500, HOUR):
        there.update(lease.delivery.key for lease in leases)
    assert set(acknowledged) <= there
    calls = [key.rpartition("-")[0] for key in there]
    assert {calls.count(call) for call in calls} == {3}, "a call is stored whole or not at all"


async def test_what_a_killed_worker_held_comes_back(shared: Store) -> None:
    inbox = shared.open()
    await inbox.add(deliveries(1))
    with worker("hold", shared) as process:
        (key,) = first_lines(process, 1)
        assert list(await inbox.lease(1, HOUR)) == []
        killed(process)
    assert list(await inbox.lease(1, HOUR)) == []
    shared.advance(HOUR + 1.0)
    (lease,) = await inbox.lease(1, HOUR)
    assert (lease.delivery.key, lease.run) == (key, 2)
    assert await inbox.done(lease)


async def test_processes_that_contend_lease_each_delivery_once(shared: Store) -> None:
    inbox = shared.open()
    every = deliveries(1000)
    await inbox.add(every)
    with worker("drain", shared) as one, worker("drain", shared) as two, worker("drain", shared) as three:
        processes = (one, two, three)
        assert [first_lines(process, 1) for process in processes] == [["ready"]] * 3
        for process in processes:
            start(process)
        said = [all_lines(process) for process in processes]
    assert sorted(key for keys in said for key in keys) == [each.key for each in every]
    counts = await inbox.counts()
    assert (counts.waiting, counts.done) == (0, 1000)
    assert all(said), "each process had its share"


async def test_processes_that_open_a_store_at_once_make_it_once(shared: Store) -> None:
    with worker("fill", shared) as one, worker("fill", shared) as two, worker("fill", shared) as three:
        processes = (one, two, three)
        keys = {key for process in processes for key in first_lines(process, 3)}
        keys |= {key for process in processes for key in killed(process)}
    assert len({key.partition("-")[0] for key in keys}) == 3
    assert await shared.open().known(list(keys)[:900]) == set(list(keys)[:900])
