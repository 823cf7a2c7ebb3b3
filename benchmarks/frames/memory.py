"""The most memory that one way holds while it makes a table: `python -m benchmarks.frames.memory WAY`. Linux only."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from .contenders import ways
from .pages import books

PAGES = 200
KIND = "events"

_PROCESS = Path("/proc/self")


def peak(name: str) -> int:
    """Bytes a row by which a process of its own grew at the most, the finished table included."""
    command = [sys.executable, "-m", "benchmarks.frames.memory", name]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - this file
    return int(done.stdout)


def _measured(name: str) -> int:
    ways(books(2)[KIND])[name]()  # what is loaded and compiled on first use is not the rows'
    way = ways(books(PAGES)[KIND])[name]
    (_PROCESS / "clear_refs").write_text("5", encoding="ascii")  # makes the peak what is held now
    before = _peak()
    rows = len(way())
    return (_peak() - before) // rows


def _peak() -> int:
    found = re.search(r"VmHWM:\s+(\d+) kB", (_PROCESS / "status").read_text(encoding="ascii"))
    if found is None:
        raise RuntimeError("the kernel tells of no peak")
    return int(found[1]) * 1024


if __name__ == "__main__":
    print(_measured(sys.argv[1]))
