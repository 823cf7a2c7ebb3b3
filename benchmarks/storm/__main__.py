"""200 calls at once against a hidden 20 a second: `python -m benchmarks.storm` writes docs/benchmarks/storm.md."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from attrs import frozen

from voxloud_async.sandbox import TokenBucket

from .contenders import CONTENDERS
from .server import Storm, service

CALLS = 200
LIMIT = TokenBucket(20, 20)
FLOOR = (CALLS - LIMIT.burst) / LIMIT.rate
ROUNDS = 3
DOCS = Path(__file__).parents[2] / "docs" / "benchmarks"


@frozen
class Result:
    """One contender's round."""

    succeeded: int
    seconds: float
    refused: int


def run(name: str, storm: Storm) -> Result:
    """Let one contender through the storm."""
    storm.tally()
    started = time.perf_counter()
    succeeded = CONTENDERS[name](storm.url, CALLS)
    seconds = time.perf_counter() - started
    return Result(succeeded, seconds, storm.tally().refused)


def main() -> None:
    """Alternate the contenders, round by round, and write what each of them did."""
    table = ["| contender | Retry-After | came through | seconds | refused |", "|---|---|---:|---:|---:|"]
    for retry_after in (False, True):
        results: dict[str, list[Result]] = {name: [] for name in CONTENDERS}
        with service(LIMIT, retry_after=retry_after) as storm:
            for _ in range(ROUNDS):
                for name in CONTENDERS:
                    results[name].append(run(name, storm))
                    print(name, retry_after, results[name][-1], flush=True)
        table += [_row(name, retry_after=retry_after, rounds=rounds) for name, rounds in results.items()]
    _write(table)


def _row(name: str, *, retry_after: bool, rounds: list[Result]) -> str:
    succeeded = min(each.succeeded for each in rounds)
    seconds = statistics.median(each.seconds for each in rounds)
    refused = statistics.median(each.refused for each in rounds)
    sent = "sent" if retry_after else "not sent"
    return f"| {name} | {sent} | {succeeded} of {CALLS} | {seconds:.1f} | {refused:.0f} |"


def _write(table: list[str]) -> None:
    DOCS.mkdir(exist_ok=True)
    intro = (
        f"# The storm\n\n{CALLS} calls at once against a service that allows {LIMIT.rate:g} a second and {LIMIT.burst} at"
        f" once, and says so nowhere. Nobody can be done before {FLOOR:.1f} s. Medians of {ROUNDS} alternated rounds;"
        " of those that came through, the worst round. Written by `python -m benchmarks.storm`.\n\n"
    )
    (DOCS / "storm.md").write_text(intro + "\n".join(table) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
