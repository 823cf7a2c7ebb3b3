"""The pages that the benchmarks write: each its own part, between two comments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from attrs import frozen
from matplotlib.axes import Axes
from matplotlib.figure import Figure

BENCHMARKS = Path(__file__).parents[1] / "docs" / "benchmarks"

_OURS, _OTHERS = "#3f51b5", "#9e9e9e"


@frozen
class Chart:
    """One row of bars: a title, and a value for each contender."""

    title: str
    values: Sequence[float]
    logarithmic: bool = False


def write(part: str, text: str, page: Path) -> None:
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


def bars(file: Path, contenders: Sequence[str], charts: Sequence[Chart]) -> None:
    """Draw charts side by side, a bar for each contender; those of this project have its colour."""
    with mpl.rc_context({"svg.hashsalt": file.stem, "svg.fonttype": "none"}):
        figure = Figure(figsize=(9.0, 0.4 * len(contenders) + 1.2), layout="constrained")
        row = figure.subplots(1, len(charts), sharey=True, squeeze=False)[0]
        for axes, chart in zip(row, charts, strict=True):
            _draw(axes, contenders, chart)
        figure.savefig(file, metadata={"Date": None})


def _draw(axes: Axes, contenders: Sequence[str], chart: Chart) -> None:
    colours = [_OURS if name.startswith("voxloud") else _OTHERS for name in contenders]
    drawn = axes.barh(contenders, chart.values, color=colours, log=chart.logarithmic)
    axes.bar_label(drawn, fmt="{:.4g}", padding=2, fontsize=8)
    axes.set_title(chart.title, fontsize=9)
    axes.margins(x=0.2)
    if not axes.yaxis_inverted():
        axes.invert_yaxis()
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
