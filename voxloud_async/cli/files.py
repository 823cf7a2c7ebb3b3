"""Files that a command writes, which hold personal data or point to it."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO


@contextmanager
def opened(path: Path | None) -> Iterator[BinaryIO]:
    """A file that takes its place only when it is complete and on the disk; standard output without a path.

    A new file can be read by its owner alone; one that replaces another has the mode of that, and where permitted its
    owner.
    """
    if path is None:
        yield sys.stdout.buffer
    elif is_special(path):  # which must stay what it is
        with path.open("wb") as file:
            yield file
    else:
        target = path.resolve()
        part = target.with_name(f".{target.name}.{token_hex(4)}.part")  # two commands may write one file
        try:
            with open(part, "xb", opener=_owner_only) as file:
                yield file
                file.flush()
                _keep_mode(target, part)
                os.fsync(file.fileno())
            part.replace(target)
        except (FileNotFoundError, PermissionError, NotADirectoryError) as error:
            raise OSError(error.errno, error.strerror, str(path)) from None
        finally:
            part.unlink(missing_ok=True)


def is_special(path: Path) -> bool:
    """Whether a path is that of a device, a pipe or a folder."""
    return path.exists() and not path.is_file()


def held(path: Path) -> str | None:
    """Return the text of a file, or None where there is none; its reader rejects what is not text."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None


def _owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _keep_mode(target: Path, part: Path) -> None:
    """Give the new file the owner and mode of the one it replaces."""
    with suppress(FileNotFoundError):
        before = target.stat()
        with suppress(PermissionError, AttributeError):  # only root may give a file away; Windows has no owners
            os.chown(part, before.st_uid, before.st_gid)
        part.chmod(stat.S_IMODE(before.st_mode))
