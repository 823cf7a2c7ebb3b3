"""The receiver, killed and timed: `python -m benchmarks.webhooks` writes docs/benchmarks/webhooks.md."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from .. import page
from . import crash, speed

_PAGE = page.BENCHMARKS / "webhooks.md"
_BARE = "FastAPI, parses alone"


def _write_crash(results: Sequence[crash.Result]) -> None:
    heads = ["", *(f"{each.concurrency} at once" for each in results)]
    facts = {
        "deliveries sent": "deliveries",
        "acknowledged": "acknowledged",
        "of which doubled": "doubled",
        "records of the sandbox": "records",
        "kills": "kills",
        "records back-filled": "back_filled",
        "events handled": "handled",
        "extra runs": "extra_runs",
        "most extra runs of one event": "most_extra_of_one",
        "lost": "lost",
    }
    rows = [[head, *(f"{getattr(each, name):,}" for each in results)] for head, name in facts.items()]
    page.write("crash", page.table(heads, rows), _PAGE)


def _write_speed(rounds: Mapping[str, list[speed.Round]]) -> None:
    heads = ["contender", "p50 ms", "p99 ms", "best", "CPU ms", "deliveries a second", "of bare", "load", "sync ms"]
    rows = [
        [
            name,
            f"{speed.median([each.steady.median for each in found]):.1f}",
            f"{speed.median([each.steady.p99 for each in found]):.1f}",
            f"{min(each.steady.p99 for each in found):.1f}",
            f"{speed.median([each.cpu for each in found]):.2f}",
            f"{_a_second(found):,.0f}",
            f"{speed.ratio(found, rounds[_BARE]):.2f}",
            f"{speed.median([each.load_average for each in found]):.1f}",
            f"{speed.median([each.sync for each in found]):.1f}",
        ]
        for name, found in rounds.items()
    ]
    page.write("speed", page.table(heads, rows), _PAGE)
    charts = [page.Chart("deliveries a second", [_a_second(found) for found in rounds.values()])]
    page.bars(_PAGE.with_suffix(".svg"), [*rounds], charts)


def _a_second(found: Sequence[speed.Round]) -> float:
    return speed.median([each.flat_out.count / each.flat_out.seconds for each in found])


def main() -> int:
    """Measure both and write the page; 1 where something was lost."""
    results = crash.main()
    _write_crash(results)
    _write_speed(speed.measure())
    return int(not all(each.is_good for each in results))


if __name__ == "__main__":
    sys.exit(main())
