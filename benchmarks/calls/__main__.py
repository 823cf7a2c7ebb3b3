"""CPU time of one call, in one process: `python -m benchmarks.calls`; `--write` writes docs/benchmarks/calls.md.

`--only NAME ...` measures some of the contenders.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence

from benchmarks.decode.pages import CONTACT
from benchmarks.generated_client import generated_client
from benchmarks.measure import Timings, alternate
from benchmarks.page import BENCHMARKS, Chart, bars, table, write
from benchmarks.raw_server import answering

from .contenders import BASE, OURS, Get, contenders
from .rounds import a_round

CALLS = {1: 128, 64: 512}
"""Calls of one round, by how many are under way at once."""
GOALS = {1: 1.15, 64: 1.25}
ROUNDS = 21

PAGE = BENCHMARKS / "calls.md"


def main(arguments: Sequence[str]) -> None:
    """Measure and tell."""
    only = set(arguments[1:]) if arguments[:1] == ["--only"] else None
    with generated_client(), answering(json.dumps(CONTACT).encode()) as url:
        measured = _measured(url, only)
    text = _table(measured)
    print(text)
    for at_once, timings in measured.items():
        print(f"{at_once} at once: {timings.ratio(OURS, BASE):.2f} times {BASE} (goal {GOALS[at_once]})")
    if "--write" in arguments:
        write("calls", text, PAGE)
        names = [*measured[1].seconds]
        charts = [
            Chart(f"CPU time / {BASE}, {at_once} at once", [timings.ratio(name, BASE) for name in names])
            for at_once, timings in measured.items()
        ]
        bars(PAGE.with_suffix(".svg"), names, charts)


def _measured(url: str, only: set[str] | None) -> dict[int, Timings]:
    """One loop for all, entered anew for each round of each contender."""
    with asyncio.Runner() as runner:
        made = contenders(url, CONTACT["id"])
        clients = runner.run(made.__aenter__())
        wanted = {name: get for name, get in clients.items() if only is None or name in only | {BASE, OURS}}
        try:
            return {at_once: _turns(runner, wanted, at_once) for at_once in CALLS}
        finally:
            runner.run(made.__aexit__(None, None, None))


def _turns(runner: asyncio.Runner, wanted: Mapping[str, Get], at_once: int) -> Timings:
    rounds = {name: a_round(runner, get, CALLS[at_once], at_once) for name, get in wanted.items()}
    return alternate(rounds, rounds=ROUNDS)


def _table(measured: dict[int, Timings]) -> str:
    rows = []
    for name in measured[1].seconds:
        micro = [f"{timings.median(name) / CALLS[n] * 1e6:.0f}" for n, timings in measured.items()]
        ratios = [f"{timings.ratio(name, BASE):.2f}" for timings in measured.values()]
        rows.append([name, *micro, *ratios])
    heads = [f"{n} at once, µs" for n in measured] + [f"{n} at once / aiohttp" for n in measured]
    return table(["CPU time of one GET", *heads], rows)


if __name__ == "__main__":
    main(sys.argv[1:])
