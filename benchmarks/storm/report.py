"""The page of the storm."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from benchmarks.page import BENCHMARKS, Chart, bars

PAGE = BENCHMARKS / "storm.md"


@frozen
class Row:
    """What a contender made of the storm."""

    contender: str
    retry_after: bool
    succeeded: int
    seconds: float
    refused: float


def plot(rows: Sequence[Row], calls: int) -> None:
    """Draw how many calls came through, how long they took and what was refused."""
    names = [f"{row.contender}{', Retry-After' if row.retry_after else ''}" for row in rows]
    charts = [
        Chart(f"calls of {calls} that came through", [row.succeeded for row in rows]),
        Chart("seconds", [row.seconds for row in rows]),
        Chart("requests refused", [row.refused for row in rows]),
    ]
    bars(PAGE.with_suffix(".svg"), names, charts)
