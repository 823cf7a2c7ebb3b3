"""`voxloud demo`."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from ..sandbox import Sandbox
from .demonstration import Demonstration, Fact, Stage
from .failure import DONE, NOT_ALL, judge
from .speech import complain
from .terminal import PipedConsole

_STAGES = {
    Stage.KEY: "Check the key",
    Stage.CONTACTS: "Create contacts",
    Stage.RECORDS: "Stream a month of records",
}


_STORY = """\
Creates meet a hidden rate limit, whose refusals (429) name a time to come back.
Records meet a lower one that names none, then a maintenance window (503).
"""


async def demo(*, contacts: int = 300, seed: int = 0) -> int:
    """Show the main job, against a sandbox in bad weather, and count on both sides what came of it.

    Args:
        contacts: Contacts to create.
        seed: Decides everything in the sandbox.
    """
    if contacts < 1:
        raise ValueError("--contacts must be at least 1")
    console = PipedConsole(highlight=False)
    async with Sandbox(seed=seed) as sandbox:
        return await show(Demonstration(sandbox, contacts=contacts), console)


async def show(demonstration: Demonstration, console: Console) -> int:
    """Let a demonstration run before the audience's eyes; 1 where it shows that something was lost."""
    console.print(Text("A sandbox, an API key, and weather that gets worse.", style="bold"))
    console.print(_STORY, style="dim")
    with Progress(*_columns(), console=console) as bars:
        await demonstration.run(Bars(bars))
    console.print()
    facts = demonstration.facts()
    console.print(_table(facts, demonstration.seconds))
    for trouble in demonstration.troubles:
        complain(judge(trouble)[1])
    good = not demonstration.troubles and all(fact.holds for fact in facts)
    console.print(_conclusion(good=good))
    return DONE if good else NOT_ALL


class Bars:
    """One bar for each stage."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[Stage, TaskID] = {}

    def begin(self, stage: Stage) -> None:
        """A stage begins."""
        self._tasks[stage] = self._bars.add_task(_STAGES[stage], total=None, note="")

    def expect(self, stage: Stage, total: int) -> None:
        """It has so many steps."""
        self._bars.update(self._tasks[stage], total=total)

    def advance(self, stage: Stage, steps: int) -> None:
        """Some of its steps are done."""
        self._bars.update(self._tasks[stage], advance=steps)

    def note(self, stage: Stage, text: str) -> None:
        """Something worth knowing happens in it."""
        self._bars.update(self._tasks[stage], note=text)


def _columns() -> tuple[TextColumn | BarColumn | MofNCompleteColumn | TimeElapsedColumn, ...]:
    return (
        TextColumn("{task.description:<25}"),
        BarColumn(bar_width=16),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}", style="yellow"),
    )


def _table(facts: list[Fact], seconds: float) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column("What happened", width=29)
    table.add_column("the client says", justify="right")
    table.add_column("the sandbox counts", justify="right")
    table.add_column("")
    for fact in facts:
        verdict = Text("ok", style="green") if fact.holds else Text("WRONG", style="bold red")
        counted = "" if fact.counted is None else f"{fact.counted:,}"
        table.add_row(fact.name, f"{fact.said:,}", counted, verdict)
    table.add_row("seconds", f"{seconds:.1f}")
    return table


def _conclusion(*, good: bool) -> Text:
    if good:
        return Text("Nothing lost, nothing doubled.", style="bold green")
    return Text("Not everything arrived as it should.", style="bold red")
