"""The learned limiter against hidden limits, in virtual time: `python -m benchmarks.storm.simulate [case ...]`.

Without a case it runs all of them and writes them to docs/benchmarks/storm.md.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import sys
from collections import deque
from collections.abc import Iterator, Sequence

from attrs import astuple, evolve, field, frozen

from voxloud_async import VoxloudClient
from voxloud_async._clock import LoopClock
from voxloud_async.errors import VoxloudError
from voxloud_async.sandbox import FixedWindow, Limit, SlidingWindow, TokenBucket

from . import virtual
from .service import WORK, Service, Span

WORKERS = 64
SEEDS = 3
WARM_UP = 30.0
"""Seconds after which a run counts as steady."""


@frozen(kw_only=True)
class Case:
    """A hidden limit of `rate` requests a second, and what else happens."""

    limit: Limit
    rate: float
    requests: int = 1000
    retry_after: bool = False
    maintenance: Sequence[Span] = ()
    one_way: Span = (0.015, 0.030)

    def service(self, seed: int) -> Service:
        return Service(
            limit=self.limit,
            seed=seed,
            retry_after=self.retry_after,
            maintenance=self.maintenance,
            one_way=self.one_way,
        )

    def up(self, at: float) -> float:
        """The first moment from then on that is no maintenance."""
        for start, length in self.maintenance:
            at = start + length if start <= at < start + length else at
        return at

    def down(self, start: float, end: float) -> float:
        """Seconds of maintenance between two times."""
        return sum(max(0.0, min(at + length, end) - max(at, start)) for at, length in self.maintenance)


@frozen
class Figures:
    """Shares of the best possible, percent of the attempts, seconds, counts."""

    good: float
    steady: float
    refused: float
    p99: float
    p99_over_p50: float
    steady_p99_over_p50: float
    best_p99_over_p50: float
    jain: float
    failed: float
    unavailable: float


Wait = tuple[float, float]
"""When a call began and how many seconds it took."""


@frozen
class Run:
    """What the callers of one run saw."""

    seconds: float
    waits: Sequence[Wait] = ()
    done: list[int] = field(factory=list)
    failed: int = 0


async def run(service: Service, requests: int, workers: int = WORKERS) -> Run:
    """Let workers make the requests among them, each one after another."""
    loop = asyncio.get_running_loop()
    clock, chance = LoopClock(), random.Random(service.seed).random
    client = VoxloudClient("key", transport=service, clock=clock, chance=chance, max_concurrency=workers)
    left = iter(range(requests))
    waits: list[Wait] = []

    async def work() -> tuple[int, int]:
        done = failed = 0
        for _ in left:
            started = loop.time()
            try:
                await client.validate_auth()
                done += 1
            except VoxloudError:
                failed += 1
            waits.append((started, loop.time() - started))
        return done, failed

    shares = await asyncio.gather(*(work() for _ in range(workers)))
    return Run(loop.time(), waits, [done for done, _ in shares], sum(failed for _, failed in shares))


def measure(case: Case, seed: int) -> Figures:
    """One run of a case."""
    service = case.service(seed)
    seen = virtual.run(run(service, case.requests))
    end = service.accepted[-1]
    steady = sum(at > WARM_UP for at in service.accepted)
    steady_seconds = end - WARM_UP - case.down(WARM_UP, end)
    waits = sorted(seconds for _, seconds in seen.waits)
    steady_waits = sorted(seconds for started, seconds in seen.waits if started > WARM_UP)
    return Figures(
        good=(case.requests / case.rate + case.down(0.0, end)) / seen.seconds,
        steady=steady / case.rate / steady_seconds,
        refused=100 * len(service.refused) / service.attempts,
        p99=_p99(waits),
        p99_over_p50=_ratio(waits),
        steady_p99_over_p50=_ratio(steady_waits),
        best_p99_over_p50=_ratio(sorted(clairvoyant(case))),
        jain=sum(seen.done) ** 2 / (len(seen.done) * sum(done**2 for done in seen.done)),
        failed=seen.failed,
        unavailable=len(service.unavailable),
    )


def clairvoyant(case: Case) -> Iterator[float]:
    """The waits of workers who know the limit and each outage, and spread their requests evenly."""
    trip = sum(case.one_way) + statistics.mean(WORK)
    began, at = deque([0.0] * WORKERS), -1.0 / case.rate
    for _ in range(case.requests):
        at = case.up(max(at + 1.0 / case.rate, began[0]))
        began.append(at + trip)
        yield at + trip - began.popleft()


def _p99(waits: Sequence[float]) -> float:
    return waits[int(len(waits) * 0.99)]


def _ratio(waits: Sequence[float]) -> float:
    return _p99(waits) / statistics.median(waits)


def mean(case: Case, seeds: int = SEEDS) -> Figures:
    """The mean of some runs."""
    runs = [astuple(measure(case, seed)) for seed in range(seeds)]
    return Figures(*(statistics.mean(column) for column in zip(*runs, strict=True)))


_A = Case(limit=FixedWindow(10), rate=10)
_B = Case(limit=TokenBucket(10, 10), rate=10)
_OUTAGES = ((20.0, 5.0), (50.0, 5.0), (80.0, 5.0))
_MINUTE = Case(limit=FixedWindow(600, 60), rate=10, requests=4000)

CASES = {
    "A fixed 10 per 1 s": _A,
    "A with Retry-After": evolve(_A, retry_after=True),
    "B bucket 10/s, burst 10": _B,
    "B with Retry-After": evolve(_B, retry_after=True),
    "C bucket 10/s, burst 1": Case(limit=TokenBucket(10, 1), rate=10),
    "E sliding 10 per 1 s": Case(limit=SlidingWindow(10), rate=10),
    "F = A with three outages": evolve(_A, maintenance=_OUTAGES),
    "F with Retry-After": evolve(_A, maintenance=_OUTAGES, retry_after=True),
    "100 per 10 s": Case(limit=FixedWindow(100, 10), rate=10, requests=2000),
    "300 per 10 s": Case(limit=FixedWindow(300, 10), rate=30, requests=4000),
    "600 per 60 s": _MINUTE,
    "600 per 60 s, twice as long": evolve(_MINUTE, requests=8000),
    "600 per 60 s with Retry-After": evolve(_MINUTE, retry_after=True),
    "20 per 1 s": Case(limit=FixedWindow(20), rate=20, requests=2000),
    "50 per 1 s": Case(limit=FixedWindow(50), rate=50, requests=5000),
    "100 per 1 s, 0.3 s round trip": Case(limit=FixedWindow(100), rate=100, requests=8000, one_way=(0.14, 0.16)),
    "2 per 1 s": Case(limit=FixedWindow(2), rate=2, requests=300),
    "1 per 1 s": Case(limit=FixedWindow(1), rate=1, requests=200),
}


HEADS = [
    "limit",
    "good",
    "steady",
    "429 %",
    "p99 s",
    "p99/p50",
    "p99/p50 steady",
    "p99/p50 best",
    "Jain",
    "failed",
    "503",
]


def main(wanted: Sequence[str]) -> None:
    """Print the figures of the cases whose name begins with a wanted word, or print and write all."""
    rows = []
    for name, case in CASES.items():
        if not wanted or name.startswith(tuple(wanted)):
            rows.append([name, *_cells(mean(case))])
            print(*rows[-1], sep="  ", flush=True)
    if not wanted:
        from benchmarks.page import table, write  # noqa: PLC0415 - it loads matplotlib, which the figures do not need

        from .report import PAGE  # noqa: PLC0415 - the same

        write("simulation", table(HEADS, rows), PAGE)


def _cells(f: Figures) -> list[str]:
    shares = [f"{f.good:.3f}", f"{f.steady:.3f}", f"{f.refused:.2f}"]
    ratios = [f"{each:.2f}" for each in (f.p99_over_p50, f.steady_p99_over_p50, f.best_p99_over_p50)]
    return [*shares, f"{f.p99:.1f}", *ratios, f"{f.jain:.3f}", f"{f.failed:.0f}", f"{f.unavailable:.0f}"]


if __name__ == "__main__":
    main(sys.argv[1:])
