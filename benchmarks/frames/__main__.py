"""Pages from bytes to a table: `python -m benchmarks.frames`; `--write` writes docs/benchmarks/frames.md."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from ..measure import Timings, alternate
from ..page import BENCHMARKS, Chart, bars, table, write
from .contenders import OURS, ways
from .memory import peak
from .pages import books

ROUNDS = 9
PAGES = 20

PAGE = BENCHMARKS / "frames.md"


def main(*, written: bool) -> None:
    """Measure and tell."""
    measured = {name: alternate(ways(book), rounds=ROUNDS) for name, book in books(PAGES).items()}
    names = [*next(iter(measured.values())).seconds]
    peaks = {name: peak(name) for name in names}
    text = _table(names, measured, peaks)
    print(text)
    if not written:
        return
    write("frames", text, PAGE)
    charts = [
        Chart(f"{kind}, time / frame", [timings.ratio(name, OURS) for name in names])
        for kind, timings in measured.items()
    ]
    charts.append(Chart("KiB a row", [each / 1024 for each in peaks.values()]))
    bars(PAGE.with_suffix(".svg"), names, charts)


def _table(names: list[str], measured: Mapping[str, Timings], peaks: Mapping[str, int]) -> str:
    heads = [*(f"{kind}, µs" for kind in measured), *(f"{kind} / frame" for kind in measured), "peak, bytes a row"]
    rows = [
        [
            name,
            *(f"{timings.median(name) / PAGES * 1e6:,.0f}" for timings in measured.values()),
            *(f"{timings.ratio(name, OURS):.2f}" for timings in measured.values()),
            f"{peaks[name]:,}",
        ]
        for name in names
    ]
    return table(["from bytes to a table, a page of 100 rows", *heads], rows)


if __name__ == "__main__":
    main(written="--write" in sys.argv[1:])
