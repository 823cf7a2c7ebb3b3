"""How long `import voxloud_async` takes beside `import aiohttp`, each in processes of their own.

Run it with `python benchmarks/import_time.py`; it fails where the share is above a tenth.
"""

from __future__ import annotations

import statistics
import subprocess
import sys

ROUNDS = 9
CEILING = 0.1

_PROGRAM = "from time import perf_counter; start = perf_counter(); import {}; print(perf_counter() - start)"


def import_seconds(module: str) -> float:
    """Seconds one fresh process takes for the import, its own start not counted."""
    command = [sys.executable, "-c", _PROGRAM.format(module)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)  # noqa: S603 - own program


def main() -> int:
    """Print both medians and their ratio; 1 where the ratio is above the ceiling."""
    modules = ("voxloud_async", "aiohttp")
    rounds = [tuple(import_seconds(module) for module in modules) for _ in range(ROUNDS + 1)]
    ours, theirs = (statistics.median(times) for times in zip(*rounds[1:], strict=True))  # the first fills the caches
    ratio = ours / theirs
    print(f"voxloud_async {ours * 1e3:.1f} ms, aiohttp {theirs * 1e3:.1f} ms, ratio {ratio:.3f} (ceiling {CEILING})")
    return int(ratio > CEILING)


if __name__ == "__main__":
    sys.exit(main())
