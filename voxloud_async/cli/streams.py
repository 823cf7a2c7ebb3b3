"""The three standard streams, checked once at the start of the process.

Schedulers and daemons start programs with some of them closed (`>&-`). Python then sets `sys.stdout` to None, and the
next file or socket that is opened gets the free descriptor: what is written to it by number ends up in that file.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

_STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


class ClosedStream(io.TextIOWrapper):
    """Stands in for a standard stream that was closed: reads as empty, and drops what is written."""

    def __init__(self, mode: str) -> None:
        super().__init__(Path(os.devnull).open(f"{mode}b"), encoding="utf-8")  # noqa: SIM115 - open until the process ends


def replace_closed_streams() -> None:
    """Put a `ClosedStream` in place of each standard stream that cannot be used, and occupy its descriptor."""
    for descriptor, (name, mode) in enumerate(_STREAMS):
        _occupy(descriptor)
        if getattr(sys, name) is None or not _is_open_for(descriptor, mode, getattr(sys, name)):
            setattr(sys, name, ClosedStream(mode))


def require_stdout() -> None:
    """Raise ValueError where standard output is closed: a result that cannot be written is not worth a request."""
    if isinstance(sys.stdout, ClosedStream):
        raise ValueError(  # noqa: TRY004 - wrong usage, not a wrong type
            "standard output is closed and the result would be lost: redirect it, or to /dev/null"
        )


def _occupy(descriptor: int) -> None:
    try:
        os.fstat(descriptor)
    except OSError:
        os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free, and those below are taken


def _is_open_for(descriptor: int, mode: str, stream: io.TextIOBase) -> bool:
    """Whether a stream of a descriptor can be read or written, as `mode` asks; `1< file` can only be read."""
    if sys.platform == "win32":
        return True
    import fcntl  # noqa: PLC0415 - not on Windows

    try:
        if stream.fileno() != descriptor:
            return True
    except OSError:  # a stream of another kind, which has no descriptor
        return True
    wrong = os.O_WRONLY if mode == "r" else os.O_RDONLY
    return fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE != wrong
