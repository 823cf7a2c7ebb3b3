"""Files: whole or not there, the owner's alone, and whatever happens no part of one is left."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.recordings.bucket import BODY, NEW_BODY, Bucket, Cut, made
from tests.wire.raw_server import reply, until
from voxloud_async.errors import NotFoundError
from voxloud_async.recordings import part_file

if TYPE_CHECKING:
    from voxloud_async.recordings import Recordings


@pytest.mark.parametrize("form", [str, Path])
async def test_only_the_owner_may_read_it(bucket: Bucket, recordings: Recordings, tmp_path: Path, form: Any) -> None:
    target = tmp_path / "call.mp3"
    assert await recordings.save(bucket.url, form(target)) == len(BODY)
    assert target.read_bytes() == BODY
    assert target.stat().st_mode & 0o777 == 0o600
    assert (made(tmp_path), bucket.asked) == (["call.mp3"], 1)


async def test_it_takes_the_place_of_the_one_before(bucket: Bucket, recordings: Recordings, tmp_path: Path) -> None:
    target, link = tmp_path / "call.mp3", tmp_path / "link"
    target.write_bytes(b"of yesterday")
    link.symlink_to(target)
    await recordings.save(bucket.url, link)
    assert link.is_symlink()
    assert target.read_bytes() == BODY
    assert (made(tmp_path), bucket.asked) == (["call.mp3", "link"], 1)


async def test_until_it_is_whole_the_one_before_stays(bucket: Bucket, recordings: Recordings, tmp_path: Path) -> None:
    target = tmp_path / "call.mp3"
    target.write_bytes(b"of yesterday")
    bucket.faults += [Cut(1000), reply(status="404 Not Found")]
    with pytest.raises(NotFoundError):
        await recordings.save(bucket.url, target)
    assert target.read_bytes() == b"of yesterday"
    assert (made(tmp_path), bucket.asked) == (["call.mp3"], 2)


async def test_a_shorter_version_leaves_nothing_of_the_longer(
    bucket: Bucket, recordings: Recordings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part_file, "_BLOCK", 1)
    bucket.headers = ()
    bucket.faults += [Cut(len(BODY) - 1), reply(b"short")]
    assert await recordings.save(bucket.url, tmp_path / "x") == 5
    assert (tmp_path / "x").read_bytes() == b"short"
    assert bucket.asked == 2


@pytest.mark.parametrize("answers", ["half", "whole"])
async def test_cancelled_it_leaves_nothing(
    bucket: Bucket, recordings: Recordings, tmp_path: Path, answers: str
) -> None:
    bucket.hanging = hanging = answers == "half"
    for turns in range(40):
        saving = asyncio.create_task(recordings.save(bucket.url, tmp_path / "x"))
        if hanging:
            await until(lambda: made(tmp_path) != [])
        for _ in range(turns):
            await asyncio.sleep(0.0005)
        saving.cancel()
        with suppress(asyncio.CancelledError):
            await saving
        if made(tmp_path) == ["x"]:
            assert not hanging
            assert (tmp_path / "x").read_bytes() == BODY
            (tmp_path / "x").unlink()
        assert made(tmp_path) == []
    bucket.hanging = False
    assert bucket.asked <= 40
    assert await recordings.save(bucket.url, tmp_path / "x") == len(BODY), "no place was lost"


def is_device(path: Path) -> bool:
    return path.is_char_device()


class Slow(FileIO):
    """A disk that is busy until it is told to go on."""

    writing = threading.Event()
    go_on = threading.Event()

    def write(self, data: Any, /) -> int:
        self.writing.set()
        self.go_on.wait(10)
        return super().write(bytes(data)[:1000])


async def test_a_thread_that_writes_is_waited_for(
    bucket: Bucket, recordings: Recordings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part_file, "FileIO", Slow)
    Slow.writing.clear()
    Slow.go_on.clear()
    saving = asyncio.create_task(recordings.save(bucket.url, tmp_path / "x"))
    await asyncio.to_thread(Slow.writing.wait, 10)
    for _ in range(3):
        saving.cancel()
        await asyncio.sleep(0.01)
    assert not saving.done()
    assert len(made(tmp_path)) == 1, "what is written to is not closed yet"
    Slow.go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await saving
    assert (made(tmp_path), bucket.asked) == ([], 1)


async def test_a_disk_that_takes_little_at_once_gets_all(
    bucket: Bucket, recordings: Recordings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part_file, "FileIO", Slow)
    Slow.go_on.set()
    await recordings.save(bucket.url, tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == BODY
    assert bucket.asked == 1


async def test_a_full_disk_is_told_and_leaves_nothing(
    bucket: Bucket, recordings: Recordings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(FileIO):
        def write(self, _: Any, /) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(part_file, "FileIO", Full)
    with pytest.raises(OSError, match="No space left"):
        await recordings.save(bucket.url, tmp_path / "x")
    assert (made(tmp_path), bucket.asked) == ([], 1)


async def test_a_place_that_cannot_be_taken_is_named(bucket: Bucket, recordings: Recordings, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        await recordings.save(bucket.url, tmp_path / "nowhere" / "x")
    assert caught.value.filename == str(tmp_path / "nowhere" / "x")
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        await recordings.save(bucket.url, tmp_path / "file" / "x")
    assert (made(tmp_path), bucket.asked) == (["file"], 0)


async def test_a_place_that_is_taken_meanwhile_is_named(bucket: Bucket, recordings: Recordings, tmp_path: Path) -> None:
    bucket.hanging = True
    saving = asyncio.create_task(recordings.save(bucket.url, tmp_path / "x"))
    await until(lambda: bucket.asked == 1)
    (tmp_path / "x").mkdir()
    bucket.hanging = False
    for task in tuple(bucket.server._tasks):
        task.cancel()  # the rest comes at the second request
    with pytest.raises(IsADirectoryError) as caught:
        await saving
    assert caught.value.filename == str(tmp_path / "x")
    assert (made(tmp_path), bucket.asked) == (["x"], 2)


async def test_what_is_no_file_stays_what_it_is(bucket: Bucket, recordings: Recordings, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for target in (tmp_path, tmp_path / "pipe", Path(os.devnull), Path()):
        with pytest.raises(ValueError, match="target must be a file, or nothing yet"):
            await recordings.save(bucket.url, target)
    assert (made(tmp_path), bucket.asked) == (["pipe"], 0)
    assert is_device(Path(os.devnull))


async def test_two_at_once_to_one_place_give_one_of_both(
    bucket: Bucket, recordings: Recordings, tmp_path: Path
) -> None:
    bucket.faults.append(reply(NEW_BODY))
    sizes = await asyncio.gather(*[recordings.save(bucket.url, tmp_path / "x") for _ in range(2)])
    assert sorted(sizes) == [len(BODY), len(NEW_BODY)]
    assert (tmp_path / "x").read_bytes() in (BODY, NEW_BODY)
    assert (made(tmp_path), bucket.asked) == (["x"], 2)
