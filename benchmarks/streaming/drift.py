"""10,000 drawn schedules of a moving list: `python -m benchmarks.streaming.drift` writes what was lost and doubled."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from attrs import define

from benchmarks import page
from benchmarks.streaming.shifting import Schedule, Verdict, drawn, read, read_naively
from voxloud_async.errors import ConflictError

SCHEDULES = 10_000


@define
class Sum:
    """What all reads of one kind came to."""

    wrong: int = 0
    lost: int = 0
    doubled: int = 0
    conflicts: int = 0
    requests: int = 0
    repaired: int = 0

    def add(self, verdict: Verdict) -> None:
        self.wrong += bool(verdict.lost or verdict.doubled)
        self.lost += verdict.lost
        self.doubled += verdict.doubled
        self.requests += verdict.requests
        self.repaired += verdict.repaired

    def cells(self, name: str) -> list[str]:
        values = (self.wrong, self.lost, self.doubled, self.conflicts, self.repaired, self.requests)
        return [name, *(f"{value:,}" for value in values)]


async def judged(reader: Callable[[Schedule], Awaitable[Verdict]]) -> Sum:
    total = Sum()
    for seed in range(SCHEDULES):
        try:
            total.add(await reader(drawn(seed)))
        except ConflictError:
            total.conflicts += 1
    return total


def main() -> None:
    rows = [asyncio.run(judged(read)).cells("voxloud_async"), asyncio.run(judged(read_naively)).cells("page by page")]
    heads = ["read", "wrong reads", "lost", "doubled", "ConflictError", "repaired", "requests"]
    print(page.table(heads, rows))
    page.write("drift", page.table(heads, rows), page.BENCHMARKS / "streaming.md")


if __name__ == "__main__":
    main()
