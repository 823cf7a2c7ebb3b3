"""Files that a command writes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO


@contextmanager
def opened(path: Path | None, *, private: bool = False) -> Iterator[BinaryIO]:
    """A file that takes its place only when it is complete; standard output without a path.

    One that is `private` is for its owner alone, and on the disk before it takes its place.
    """
    if path is None:
        yield sys.stdout.buffer
    elif path.exists() and not path.is_file():  # a device or a pipe, which must stay what it is
        with path.open("wb") as file:
            yield file
    else:
        target = path.resolve()
        part = target.with_name(f".{target.name}.{token_hex(4)}.part")  # two commands may write one file
        try:
            with open(part, "xb", opener=_owner_only if private else None) as file:
                yield file
                if private:
                    file.flush()
                    os.fsync(file.fileno())
            part.replace(target)
        except (FileNotFoundError, PermissionError, NotADirectoryError) as error:
            raise OSError(error.errno, error.strerror, str(path)) from None
        finally:
            part.unlink(missing_ok=True)


def held(path: Path) -> str | None:
    """The text of a file, or None where there is none; what is no text is told by who reads it."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None


def _owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
