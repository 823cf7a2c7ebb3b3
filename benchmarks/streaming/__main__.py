"""200 pages of 100 events at 20 ms each: `python -m benchmarks.streaming` writes docs/benchmarks/streaming.md.

With the word `memory` it reads a million rows instead and writes by how much this process grew.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import time
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path

from voxloud_async import VoxloudClient

from .. import page
from ..measure import alternate
from .contenders import PAGE, stainless, voxloud
from .server import service

PAGES, LATENCY, ROUNDS = 200, 0.02, 5
MANY, WARM_UP = 1_000_000, 50_000
SEQUENTIAL, PEER = "voxloud_async, prefetch=1", "openai's paging"

_PAGE = page.BENCHMARKS / "streaming.md"
_MIB = 1024 * 1024

Contender = Callable[[str], Coroutine[None, None, int]]

CONTENDERS: dict[str, Contender] = {
    SEQUENTIAL: partial(voxloud, prefetch=1),
    "voxloud_async, prefetch=4": partial(voxloud, prefetch=4),
    "voxloud_async, prefetch=8": partial(voxloud, prefetch=8),
    "voxloud_async, prefetch=16": partial(voxloud, prefetch=16),
    PEER: stainless,
}


def run(name: str, url: str) -> None:
    """Let one contender read the stream."""
    rows = asyncio.run(CONTENDERS[name](url))
    if rows != PAGES * PAGE:
        raise RuntimeError(f"{name} gave {rows} rows")


async def growth(url: str, prefetch: int) -> float:
    """By how many MiB this process grows from the first rows to the last of a million."""
    held, most, count = 0.0, 0.0, 0
    async with VoxloudClient("key", base_url=url, rate=None) as client:
        async for each in client.telephony_events.query(page_size=PAGE, prefetch=prefetch).pages():
            count += len(each.items)
            most = max(most, _resident())
            held = most if count <= WARM_UP else held
    if count != MANY:
        raise RuntimeError(f"{count} rows came")
    return most - held


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / _MIB


def speed() -> None:
    """Alternate the contenders and write their rows a second."""
    with service(PAGES * PAGE, LATENCY) as url:
        timings = alternate(
            {name: partial(run, name, url) for name in CONTENDERS}, rounds=ROUNDS, clock=time.perf_counter
        )
    rates = {name: PAGES * PAGE / timings.median(name) for name in CONTENDERS}
    rows = [
        [name, f"{rate:,.0f}", f"{1 / timings.ratio(name, SEQUENTIAL):.1f}", f"{1 / timings.ratio(name, PEER):.1f}"]
        for name, rate in rates.items()
    ]
    table = page.table(["contender", "rows a second", "of prefetch=1", "of openai"], rows)
    print(table)
    page.write("streaming", table, _PAGE)
    page.bars(_PAGE.with_suffix(".svg"), [*rates], [page.Chart("rows a second", [*rates.values()])])


def memory() -> None:
    """Read a million rows and write by how much the process grew."""
    with service(MANY, 0.0) as url:
        mib = asyncio.run(growth(url, 8))
    table = page.table(["read", "MiB grown"], [["1,000,000 events, prefetch=8", f"{mib:.1f}"]])
    print(table)
    page.write("memory", table, _PAGE)


if __name__ == "__main__":
    memory() if sys.argv[1:] == ["memory"] else speed()
