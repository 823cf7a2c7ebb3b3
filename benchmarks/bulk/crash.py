"""`python -m benchmarks.bulk.crash`: 5,000 creates at 32 at once, killed with SIGKILL three times, and resumed.

It ends with exit code 1 unless there are exactly 5,000 contacts then, one of each item.
"""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from attrs import frozen

from voxloud_async import VoxloudClient
from voxloud_async.sandbox import Weather

from .items import contact, contacts
from .service import Service, service

ITEMS, CONCURRENCY, KILLS = 5_000, 32, 3
WEATHER = Weather(latency=0.01, jitter=0.02)
_SECONDS = 600.0


@frozen
class Result:
    """What a run came to: contacts held at each kill, what the last process said, and what the sandbox holds."""

    seed: int
    held_at_kills: tuple[int, ...]
    done: int
    replayed: int
    unknown: int
    failed: int
    held: int
    exact: bool


def run(seed: int) -> Result:
    """Kill it at moments that the seed chooses, and let it end."""
    chance = random.Random(seed)
    moments = sorted(chance.sample(range(1, ITEMS), KILLS))
    with service(WEATHER) as sandbox, tempfile.TemporaryDirectory() as folder:
        journal = Path(folder) / "journal"
        held = tuple(_killed(sandbox, journal, moment, chance.random() * 0.05) for moment in moments)
        out, _ = _started(sandbox, journal).communicate(timeout=_SECONDS)
        names = sandbox.names()
    done, replayed, unknown, failed = map(int, out.split())
    exact = names == Counter(contact(number)["first_name"] for number in range(ITEMS))
    return Result(seed, held, done, replayed, unknown, failed, names.total(), exact)


def _started(sandbox: Service, journal: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", __spec__.name, sandbox.url, sandbox.key, str(journal)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - own program


def _killed(sandbox: Service, journal: Path, moment: int, later: float) -> int:
    """Start it and kill it a little after there are so many contacts; how many there were then."""
    process = _started(sandbox, journal)
    while sandbox.contacts() < moment:
        if process.poll() is not None:
            raise RuntimeError("it ended before it was killed")
        time.sleep(0.001)
    time.sleep(later)
    process.kill()
    process.communicate()
    return sandbox.contacts()


async def work(url: str, key: str, journal: str) -> None:
    """One process: create the contacts, or go on."""
    async with VoxloudClient(key, base_url=url, rate=None) as client:
        run = client.contacts.create_many(contacts(ITEMS), concurrency=CONCURRENCY, journal=journal)
        summary = await run.finish()
    print(summary.done, summary.replayed, summary.unknown, summary.failed)


def main(seeds: range = range(1)) -> list[Result]:
    """Run it for each seed."""
    results = []
    for seed in seeds:
        results.append(run(seed))
        print(results[-1], flush=True)
    return results


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asyncio.run(work(*sys.argv[1:]))
    else:
        sys.exit(not all(result.exact for result in main()))
