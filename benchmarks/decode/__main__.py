"""Pages of 100 rows from bytes to objects: `python -m benchmarks.decode`; `--write` writes docs/benchmarks/decode.md.

It fails where a promise is broken that does not depend on the machine: four times as fast as the detailed hooks of
cattrs, and faster than pydantic.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

from benchmarks.generated_client import generated_client
from benchmarks.measure import Timings, alternate
from benchmarks.page import BENCHMARKS, Chart, bars, table, write

from .contenders import BASE, CATTRS, OURS, PYDANTIC, Way, ways
from .pages import ROWS, pages

ROUNDS = 15
REPEAT = 10
GOALS = {"events": 2.3, "contacts": 2.7, "query rows": 3.2}
SPEED_UP = 4.0

PAGE = BENCHMARKS / "decode.md"


def main(*, written: bool) -> int:
    """Measure, tell, and say with the exit code whether what is promised holds."""
    with generated_client():
        known = {name: _measured(ways(page)) for name, page in pages().items()}
        unknown = {name: _measured(ways(page.with_unknown_field())) for name, page in pages().items()}
    parts = {"decode": _table(known), "unknown": _table(unknown)}
    for text in parts.values():
        print(text, end="\n\n")
    if written:
        for part, text in parts.items():
            write(part, text, PAGE)
        names = [*next(iter(known.values())).seconds]
        charts = [
            Chart(f"{name} / orjson", [each.ratio(way, BASE) for way in names], logarithmic=True)
            for name, each in known.items()
        ]
        bars(PAGE.with_suffix(".svg"), names, charts)
    broken = [name for name, timings in known.items() if _judged(name, timings)]
    return int(bool(broken))


def _measured(every: Mapping[str, Way]) -> Timings:
    return alternate({name: _repeated(way) for name, way in every.items()}, rounds=ROUNDS)


def _repeated(way: Way) -> Way:
    def run() -> None:
        for _ in range(REPEAT):
            way()

    return run


def _table(measured: Mapping[str, Timings]) -> str:
    rows = []
    for name in next(iter(measured.values())).seconds:
        micro = [f"{timings.median(name) / REPEAT * 1e6:.0f}" for timings in measured.values()]
        ratios = [f"{timings.ratio(name, BASE):.2f}" for timings in measured.values()]
        rows.append([name, *micro, *ratios])
    heads = [f"{page}, µs" for page in measured] + [f"{page} / orjson" for page in measured]
    return table([f"from bytes to objects, {ROWS} rows", *heads], rows)


def _judged(name: str, timings: Timings) -> bool:
    """Whether a promise is broken."""
    cost, speed_up = timings.ratio(OURS, BASE), timings.ratio(CATTRS, OURS)
    pydantic = timings.ratio(OURS, PYDANTIC)
    print(
        f"{name}: {cost:.2f} times orjson (goal {GOALS[name]}), {speed_up:.2f} times as fast as cattrs (goal ", end=""
    )
    print(f"{SPEED_UP}), {pydantic:.2f} times pydantic")
    return speed_up < SPEED_UP or pydantic > 1.0


if __name__ == "__main__":
    sys.exit(main(written="--write" in sys.argv[1:]))
