"""How a command ends on a signal: as on Ctrl-C, after it has cleaned up."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = ("SIGTERM", "SIGHUP")  # Windows has no SIGHUP


@contextmanager
def stopped_by_signals() -> Iterator[list[int]]:
    """Let SIGTERM and SIGHUP raise KeyboardInterrupt as Ctrl-C does, and yield the list of those received.

    A second one is ignored, since it would interrupt the clean-up; one that the parent process ignores (`nohup`) stays
    ignored.
    """
    received: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        if not received:
            received.append(number)
            interrupt = signal.getsignal(signal.SIGINT)  # asyncio has put its own in place, which cancels the task
            (interrupt if callable(interrupt) else signal.default_int_handler)(number, frame)

    numbers = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
    handled = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]
    for number in handled:
        signal.signal(number, stop)
    try:
        yield received
    finally:
        for number in handled:
            signal.signal(number, signal.SIG_DFL)
