"""Files that a command writes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def opened(path: Path | None) -> Iterator[BinaryIO]:
    """A file that takes its place only when it is complete; standard output without a path."""
    if path is None:
        yield sys.stdout.buffer
    elif path.exists() and not path.is_file():  # a device or a pipe, which must stay what it is
        with path.open("wb") as file:
            yield file
    else:
        target = path.resolve()
        part = target.with_name(f".{target.name}.part")
        try:
            with part.open("wb") as file:
                yield file
            part.replace(target)
        except (FileNotFoundError, PermissionError, NotADirectoryError) as error:
            raise OSError(error.errno, error.strerror, str(path)) from None
        finally:
            part.unlink(missing_ok=True)
