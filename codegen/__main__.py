"""`python -m codegen` writes the models and `voxloud.json`; `python -m codegen --check` checks that they are fresh."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from . import render

PACKAGE = Path(__file__).parent.parent / "voxloud_async"


def main(arguments: list[str] | None = None, folder: Path = PACKAGE) -> int:
    """Write or check the files of `folder`; 1 if a check finds one that differs."""
    parser = argparse.ArgumentParser(prog="python -m codegen", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if a file differs")
    check = parser.parse_args(arguments).check
    stale = [name for name, code in render.files().items() if _differs(folder / name, code, write=not check)]
    for name in stale:
        sys.stderr.write(f"{'differs' if check else 'written'}: {folder / name}\n")
    return 1 if check and stale else 0


def _differs(path: Path, code: str, *, write: bool) -> bool:
    wanted = code.encode()
    if path.is_file() and path.read_bytes() == wanted:
        return False
    if write:
        path.write_bytes(wanted)
    return True


if __name__ == "__main__":
    sys.exit(main())
