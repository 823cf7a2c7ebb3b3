"""Files that a command writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voxloud_async.cli.files import opened

if TYPE_CHECKING:
    from pathlib import Path


def test_two_commands_that_write_one_file_leave_a_whole_one(tmp_path: Path) -> None:
    target = tmp_path / "records.csv"
    with opened(target) as first:
        first.write(b"first\n")
        with opened(target) as second:
            second.write(b"second\n")
        assert target.read_bytes() == b"second\n"
        first.write(b"and on\n")
    assert target.read_bytes() == b"first\nand on\n"
    assert [*tmp_path.iterdir()] == [target]
