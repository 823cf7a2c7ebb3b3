"""One process at a time: a lock on an open file, which ends with the process however that ends."""

from __future__ import annotations

import sys
from typing import Final

if sys.platform == "win32":
    import msvcrt
    import os

    _FAR: Final = 2**40  # such a lock keeps others from reading what it covers

    def claim(file: int) -> None:
        """Lock an open file; raises OSError where somebody else has."""
        os.lseek(file, _FAR, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def claim(file: int) -> None:
        """Lock an open file; raises OSError where somebody else has."""
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
