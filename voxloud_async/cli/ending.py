"""How a command that runs until it is stopped ends in good order."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM cancel the task, as Ctrl-C does, and go on behind the block once that has put things in order."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None  # noqa: S101 - narrows: a command runs in a task
    came = False

    def end() -> None:
        nonlocal came
        came = True
        task.cancel()

    with suppress(NotImplementedError):  # Windows knows no such thing
        loop.add_signal_handler(signal.SIGTERM, end)
    try:
        yield
    except asyncio.CancelledError:
        if not came:
            raise
        task.uncancel()
    finally:
        with suppress(NotImplementedError):
            loop.remove_signal_handler(signal.SIGTERM)
