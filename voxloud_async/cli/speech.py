"""What the console says beside its data: on standard error, one line at a time."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol


def complain(line: str) -> None:
    """Say what went wrong, always; a full disk behind standard error must not stop an import halfway."""
    try:
        print(f"voxloud: {printable(line)}", file=sys.stderr)  # noqa: T201 - this is the console
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise


def remark(line: str) -> None:
    """Say something helpful, to a terminal only."""
    if sys.stderr.isatty():
        complain(line)


def printable(text: str) -> str:
    """A text in one line that cannot steer a terminal, whatever a stranger wrote into it."""
    return "".join(
        letter if letter.isprintable() else " " if letter.isspace() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )


@contextmanager
def warnings_in_one_line() -> Iterator[None]:
    """Show the client's warnings without the place in the code they come from."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = _show
        yield


class Advance(Protocol):
    """Moves a bar on; `total` is what it will come to, where that is known by now."""

    def __call__(self, steps: float, total: float | None = None) -> None:
        """Go on by so many steps."""
        ...


@contextmanager
def progress(title: str) -> Iterator[Advance]:
    """A bar on standard error, where that is a terminal; call what it gives with each step."""
    from rich.console import Console  # noqa: PLC0415 - most commands show no bar
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    disable = not sys.stderr.isatty()
    with Progress(*columns, console=console, transient=True, redirect_stdout=False, disable=disable) as bars:
        task = bars.add_task(title, total=None)

        def advance(steps: float, total: float | None = None) -> None:
            bars.update(task, advance=steps, total=total)

        yield advance


def _show(message: Warning | str, *_: Any, **__: Any) -> None:
    complain(f"warning: {message}")
