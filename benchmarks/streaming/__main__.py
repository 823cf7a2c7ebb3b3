"""200 pages of 100 events at 20 ms each: `python -m benchmarks.streaming` writes docs/benchmarks/streaming.md."""

from __future__ import annotations

import asyncio
import resource
import statistics
import sys
import time
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.storm.report import BENCHMARKS, table, write
from voxloud_async import VoxloudClient

from .contenders import PAGE, stainless, voxloud
from .server import service

PAGES, LATENCY, ROUNDS = 200, 0.02, 5
MANY, WARM_UP = 1_000_000, 50_000
SEQUENTIAL, PEER = "voxloud_async, prefetch=1", "openai's paging"
MIB = 1024 * 1024

Contender = Callable[[str], Coroutine[None, None, int]]

CONTENDERS: dict[str, Contender] = {
    SEQUENTIAL: partial(voxloud, prefetch=1),
    "voxloud_async, prefetch=4": partial(voxloud, prefetch=4),
    "voxloud_async, prefetch=8": partial(voxloud, prefetch=8),
    "voxloud_async, prefetch=16": partial(voxloud, prefetch=16),
    PEER: stainless,
}


def rate(contender: Contender, url: str) -> float:
    """Rows a second of one read."""
    started = time.perf_counter()
    rows = asyncio.run(contender(url))
    if rows != PAGES * PAGE:
        raise ValueError(f"{rows} rows came")
    return rows / (time.perf_counter() - started)


async def growth(url: str, prefetch: int) -> float:
    """By how many MiB this process grows from the first rows to the last of a million."""
    held, most = 0.0, 0.0
    async with VoxloudClient("key", base_url=url, rate=None) as client:
        count = 0
        async for page in client.telephony_events.query(page_size=PAGE, prefetch=prefetch).pages():
            count += len(page.items)
            if count <= WARM_UP:
                held = max(held, _resident())
            most = max(most, _resident())
    if count != MANY:
        raise ValueError(f"{count} rows came")
    return most - held


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / MIB


def main() -> None:
    """Alternate the contenders, round by round, and write what each of them did."""
    rates: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    with service(PAGES * PAGE, LATENCY) as url:
        for _ in range(ROUNDS):
            for name, contender in CONTENDERS.items():
                rates[name].append(rate(contender, url))
                print(f"{name}: {rates[name][-1]:,.0f} rows/s", flush=True)
    medians = {name: statistics.median(each) for name, each in rates.items()}
    rows = [[name, f"{each:,.0f}", *_ratios(rates, name)] for name, each in medians.items()]
    write("streaming", table(["contender", "rows/s", "of prefetch=1", "of openai"], rows), BENCHMARKS / "streaming.md")
    plot(medians)


def memory() -> None:
    """Read a million rows and write by how much the process grew."""
    with service(MANY, 0.0) as url:
        mib = asyncio.run(growth(url, 8))
    print(f"{mib:.1f} MiB")
    rows = [["1,000,000 events, prefetch=8", f"{mib:.1f}"]]
    write("memory", table(["read", "MiB grown"], rows), BENCHMARKS / "streaming.md")


def _ratios(rates: dict[str, list[float]], name: str) -> list[str]:
    """Medians over the rounds of what stands beside it in the same round."""
    return [
        f"{statistics.median(a / b for a, b in zip(rates[name], rates[base], strict=True)):.1f}"
        for base in (SEQUENTIAL, PEER)
    ]


def plot(medians: dict[str, float]) -> None:
    """Draw the rows a second."""
    with mpl.rc_context({"svg.hashsalt": "streaming", "svg.fonttype": "none"}):
        figure = Figure(figsize=(7.0, 2.4), layout="constrained")
        axes = figure.subplots()
        colours = ["#9e9e9e" if name == PEER else "#3f51b5" for name in medians]
        bars = axes.barh(list(medians), list(medians.values()), color=colours)
        axes.bar_label(bars, fmt="{:,.0f}", padding=2, fontsize=8)
        axes.set_title("rows a second", fontsize=9)
        axes.margins(x=0.15)
        axes.invert_yaxis()
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(BENCHMARKS / "streaming.svg", metadata={"Date": None})


if __name__ == "__main__":
    memory() if sys.argv[1:] == ["memory"] else main()
