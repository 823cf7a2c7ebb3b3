"""200 calls at once against a hidden 20 a second: `python -m benchmarks.storm` writes docs/benchmarks/storm.md."""

from __future__ import annotations

import statistics
import time

from attrs import frozen

from benchmarks.page import table, write
from voxloud_async.sandbox import TokenBucket

from .contenders import CONTENDERS
from .report import PAGE, Row, plot
from .server import Storm, service

CALLS = 200
LIMIT = TokenBucket(20, 20)
ROUNDS = 3


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
    rows = []
    for retry_after in (False, True):
        results: dict[str, list[Result]] = {name: [] for name in CONTENDERS}
        with service(LIMIT, retry_after=retry_after) as storm:
            for _ in range(ROUNDS):
                for name in CONTENDERS:
                    results[name].append(run(name, storm))
                    print(name, retry_after, results[name][-1], flush=True)
        rows += [_row(name, retry_after=retry_after, rounds=rounds) for name, rounds in results.items()]
    heads = ["contender", "Retry-After", "came through", "seconds", "refused"]
    write("storm", table(heads, [_cells(row) for row in rows]), PAGE)
    plot(rows, CALLS)


def _row(name: str, *, retry_after: bool, rounds: list[Result]) -> Row:
    return Row(
        name,
        retry_after,
        succeeded=min(each.succeeded for each in rounds),
        seconds=statistics.median(each.seconds for each in rounds),
        refused=statistics.median(each.refused for each in rounds),
    )


def _cells(row: Row) -> list[str]:
    sent = "sent" if row.retry_after else "not sent"
    return [row.contender, sent, f"{row.succeeded} of {CALLS}", f"{row.seconds:.1f}", f"{row.refused:.0f}"]


if __name__ == "__main__":
    main()
