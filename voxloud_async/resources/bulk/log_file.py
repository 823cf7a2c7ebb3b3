"""A file that only grows, for one process at a time: a line survives a kill once written, a power cut once synced."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import Final

from attrs import define, field

from ...errors import InvalidArgumentError

if sys.platform == "win32":
    import msvcrt

    _FAR: Final = 2**40  # such a lock keeps others from reading what it covers

    def claim(file: int) -> None:
        """Lock an open file until its process ends; raises OSError where another process has."""
        os.lseek(file, _FAR, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def claim(file: int) -> None:
        """Lock an open file until its process ends; raises OSError where another process has."""
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


_sync: Final = getattr(os, "fdatasync", os.fsync)


class OwnerOnly(FileIO):
    """A file that only its owner may read, open for reading and for writing at its end."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "a+b", opener=lambda name, flags: os.open(name, flags, 0o600))


@define(eq=False)
class LogFile:
    """Lines of bytes, each written at once and for good."""

    path: Path
    _file: FileIO
    _broken: OSError | None = field(default=None, init=False)
    _syncing: asyncio.Task[None] | None = field(default=None, init=False)
    _next: asyncio.Task[None] | None = field(default=None, init=False)

    @classmethod
    def open(cls, path: Path) -> LogFile:
        """Open it, or make it; raises OSError, and ValueError where it is in use."""
        file = OwnerOnly(path)
        try:
            _claim(file, path)
            return cls(path, file)
        except BaseException:
            file.close()
            raise

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """The whole lines, each with the place at which it begins."""
        place = 0
        with self.path.open("rb") as reader:
            for line in reader:
                if line.endswith(b"\n"):
                    yield place, line
                place += len(line)

    def at(self, place: int) -> bytes:
        """The line that begins there."""
        with self.path.open("rb") as reader:
            reader.seek(place)
            return reader.readline()

    def torn(self) -> bytes:
        """What stands after the last whole line: one that a killed process did not finish."""
        last = b""
        with self.path.open("rb") as reader:
            for line in reader:
                last = line
        return b"" if last.endswith(b"\n") else last

    def mend(self) -> None:
        """Take away what stands after the last whole line."""
        self._file.truncate(self._file.seek(0, os.SEEK_END) - len(self.torn()))

    def append(self, line: bytes) -> int:
        """Write a line and return its place; raises OSError, then and ever after, since a part of it may be written."""
        if self._broken is not None:
            raise self._broken
        try:
            place = self._file.seek(0, os.SEEK_END)
            if self._file.write(line) != len(line):
                raise OSError(f"{self.path} could not be written to the end")  # noqa: TRY301 - as if the system had
        except OSError as error:
            self._broken = error
            raise
        return place

    async def sync(self) -> None:
        """Wait until all that is written is on the disk. Calls that come while the disk is busy share its next sync."""
        if self._next is None:
            self._next = asyncio.create_task(self._sync_after(self._syncing))
        await asyncio.shield(self._next)

    async def aclose(self) -> None:
        """Sync and close."""
        try:
            await self.sync()
        finally:
            self.release()

    def release(self) -> None:
        """Close, and let others open it."""
        self._file.close()

    async def _sync_after(self, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait({before})
        self._syncing, self._next = self._next, None
        if self._broken is not None:
            raise self._broken
        try:
            await asyncio.to_thread(_sync, self._file.fileno())
        except OSError as error:  # the next call would say that all is well: the system forgets what it could not write
            self._broken = error
            raise


def make_durable(folder: Path) -> None:
    """Sync the entry of a new file."""
    with suppress(PermissionError):  # Windows opens no folder
        entry = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(entry)
        finally:
            os.close(entry)


def _claim(file: FileIO, path: Path) -> None:
    try:
        claim(file.fileno())
    except (BlockingIOError, PermissionError):  # POSIX, Windows
        raise InvalidArgumentError("journal", f"{path} is in use by another run") from None
