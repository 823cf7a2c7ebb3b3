"""The console script `voxloud`, also `python -m voxloud_async`."""

from __future__ import annotations

import sys
from typing import NoReturn

_EXTRA = frozenset({"cyclopts", "rich"})


def main() -> NoReturn:
    """Run the console; an installation without its extra says what to install."""
    try:
        from .cli.app import run  # noqa: PLC0415 - the extra may be missing

        code = run()
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        sys.exit("voxloud: the console is not installed: pip install 'voxloud_async[cli]'")
    sys.exit(code)


if __name__ == "__main__":
    main()
