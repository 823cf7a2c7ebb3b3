"""Where rich writes."""

from __future__ import annotations

from typing import NoReturn

from rich.console import Console


class PipedConsole(Console):
    """A console whose listener may leave: rich itself would end the process as one that failed."""

    def on_broken_pipe(self) -> NoReturn:
        """Let the root of the console decide."""
        raise BrokenPipeError
