"""The page that the benchmarks write: each its own part, between two comments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from attrs import frozen
from matplotlib.axes import Axes
from matplotlib.figure import Figure

BENCHMARKS = Path(__file__).parents[2] / "docs" / "benchmarks"

_OURS, _OTHERS = "#3f51b5", "#9e9e9e"


@frozen
class Row:
    """What a contender made of the storm."""

    contender: str
    retry_after: bool
    succeeded: int
    seconds: float
    refused: float


def write(part: str, text: str, page: Path = BENCHMARKS / "storm.md") -> None:
    """Put a text in the place of a part of the page."""
    opening, closing = f"<!-- {part} -->\n", f"<!-- end of {part} -->"
    held = page.read_text(encoding="utf-8")
    changed, n = re.subn(f"{opening}.*?{closing}", lambda _: f"{opening}\n{text}\n\n{closing}", held, flags=re.DOTALL)
    if n != 1:
        raise ValueError(f"{page.name} must have one part {part}")
    page.write_text(changed, encoding="utf-8")


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose first column is text and whose others are numbers."""
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def plot(rows: Sequence[Row], calls: int) -> None:
    """Draw how many calls came through, how long they took and what was refused."""
    with mpl.rc_context({"svg.hashsalt": "storm", "svg.fonttype": "none"}):
        figure = Figure(figsize=(9.0, 0.4 * len(rows) + 1.2), layout="constrained")
        ax_calls, ax_seconds, ax_refused = figure.subplots(1, 3, sharey=True)
        _bars(ax_calls, rows, [row.succeeded for row in rows], f"calls of {calls} that came through")
        _bars(ax_seconds, rows, [row.seconds for row in rows], "seconds")
        _bars(ax_refused, rows, [row.refused for row in rows], "requests refused")
        figure.savefig(BENCHMARKS / "storm.svg", metadata={"Date": None})


def _bars(axes: Axes, rows: Sequence[Row], values: Sequence[float], title: str) -> None:
    names = [f"{row.contender}{', Retry-After' if row.retry_after else ''}" for row in rows]
    colours = [_OURS if row.contender.startswith("voxloud") else _OTHERS for row in rows]
    bars = axes.barh(names, values, color=colours)
    axes.bar_label(bars, fmt="{:.4g}", padding=2, fontsize=8)
    axes.set_title(title, fontsize=9)
    axes.margins(x=0.2)
    if not axes.yaxis_inverted():
        axes.invert_yaxis()
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
