"""Bulk creates, killed and resumed, and their speed: `python -m benchmarks.bulk` writes docs/benchmarks/bulk.md."""

from __future__ import annotations

import asyncio
import sys
import time
from functools import partial

from voxloud_async.sandbox import Weather

from .. import page
from ..measure import Timings, alternate
from . import crash
from .contenders import CONTENDERS
from .service import Service, service

ROUNDS, ITEMS, LATENCY = 5, 500, 0.02
SEEDS = range(3)
_PAGE = page.BENCHMARKS / "bulk.md"


def _run(name: str, sandbox: Service) -> None:
    sandbox.clear()
    asyncio.run(CONTENDERS[name](sandbox, ITEMS))
    if sandbox.contacts() != ITEMS:
        raise RuntimeError(f"{name} created {sandbox.contacts()} contacts of {ITEMS}")


def _speed() -> Timings:
    with service(Weather(latency=LATENCY)) as sandbox:
        runs = {name: partial(_run, name, sandbox) for name in CONTENDERS}
        return alternate(runs, rounds=ROUNDS, clock=time.perf_counter)


def _write_speed(timings: Timings) -> None:
    base = "aiohttp, gather"
    rows = [
        [name, f"{ITEMS / timings.median(name):.0f}", f"{1 / timings.ratio(name, base):.2f}"] for name in CONTENDERS
    ]
    page.write("speed", page.table(["contender", "contacts a second", "of gather"], rows), _PAGE)
    charts = [page.Chart("contacts a second", [ITEMS / timings.median(name) for name in CONTENDERS])]
    page.bars(_PAGE.with_suffix(".svg"), [*CONTENDERS], charts)


def _write_crash(results: list[crash.Result]) -> None:
    heads = ["seed", "contacts at the kills", "contacts at the end", "one of each item"]
    rows = [
        [str(each.seed), ", ".join(map(str, each.held_at_kills)), str(each.held), "yes" if each.exact else "no"]
        for each in results
    ]
    page.write("crash", page.table(heads, rows), _PAGE)


def main() -> int:
    """Measure both and write the page; 1 where a contact was lost or doubled."""
    results = crash.main(SEEDS)
    _write_crash(results)
    timings = _speed()
    for name in CONTENDERS:
        print(name, timings.median(name), flush=True)
    _write_speed(timings)
    return int(not all(each.exact for each in results))


if __name__ == "__main__":
    sys.exit(main())
