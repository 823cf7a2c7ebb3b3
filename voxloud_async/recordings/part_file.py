"""A file that takes its place only when it is complete, and that nobody but its owner may read."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from io import FileIO
from pathlib import Path
from secrets import token_hex
from typing import TypeVar

from attrs import define, field

from ..errors import InvalidArgumentError

T = TypeVar("T")

_BLOCK = 256 * 1024
"""Bytes written at once: a turn of a thread for each small piece would take longer than to write it."""


@asynccontextmanager
async def part_of(target: Path) -> AsyncIterator[PartFile]:
    """What is written in the block becomes `target` at its end, and nothing where the block fails.

    Raises ValueError where `target` is something else than a file, and OSError.
    """
    part = PartFile(target)
    try:
        await _in_thread(part.open)
        yield part
        await _in_thread(part.finish)
        await _in_thread(part.put_in_place)
    finally:
        part.discard()


@define(eq=False)
class PartFile:
    """The file before it is complete, in the folder of its target."""

    target: Path
    _path: Path | None = field(default=None, init=False)
    _file: FileIO | None = field(default=None, init=False)
    _waiting: list[bytes] = field(factory=list, init=False, repr=False)
    _size: int = field(default=0, init=False)

    async def write(self, piece: bytes) -> None:
        """Write these bytes behind the others."""
        self._waiting.append(piece)
        self._size += len(piece)
        if self._size >= _BLOCK:
            await _in_thread(self._flush)

    async def clear(self) -> None:
        """Begin anew."""
        self._forget()
        await _in_thread(self._truncate)

    def open(self) -> None:
        """Make it; blocks."""
        try:
            target = self.target.resolve()
            if target.exists() and not target.is_file():
                raise InvalidArgumentError("target", "must be a file, or nothing yet")
            path = target.with_name(f".{token_hex(8)}.part")
            self._file = FileIO(path, "x", opener=_owner_only)
        except OSError as error:
            raise self._named(error) from None
        self.target, self._path = target, path

    def finish(self) -> None:
        """Write the last bytes; blocks."""
        assert self._file is not None  # noqa: S101 - it is open
        self._flush()
        self._file.close()

    def put_in_place(self) -> None:
        """Take the place of the target; blocks."""
        assert self._path is not None  # noqa: S101 - it was open
        try:
            self._path.replace(self.target)
        except OSError as error:
            raise self._named(error) from None

    def discard(self) -> None:
        """Leave nothing behind but the target."""
        if self._file is not None and self._path is not None:
            self._file.close()
            self._path.unlink(missing_ok=True)

    def _flush(self) -> None:
        assert self._file is not None  # noqa: S101 - it is open
        rest = memoryview(b"".join(self._waiting))
        self._forget()
        while rest:
            rest = rest[self._file.write(rest) :]

    def _truncate(self) -> None:
        assert self._file is not None  # noqa: S101 - it is open
        self._file.seek(0)
        self._file.truncate()

    def _forget(self) -> None:
        self._waiting.clear()
        self._size = 0

    def _named(self, error: OSError) -> OSError:
        """The error with the name that the caller knows."""
        return OSError(error.errno, error.strerror, str(self.target))


def _owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


async def _in_thread(work: Callable[[], T]) -> T:
    """Blocking work, which is over when this ends, also by a cancellation: a thread does not hear of one."""
    under_way = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(under_way)
    except asyncio.CancelledError:
        while not under_way.done():
            with suppress(asyncio.CancelledError):  # another one; the first is raised
                await asyncio.wait({under_way})
        raise
