"""`voxloud events export`: which form a file has, what it holds, and who may read it."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import stat
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pyarrow import parquet

from voxloud_async.cli.export import Counter
from voxloud_async.paging import Progress
from voxloud_async.sandbox import Fault

if TYPE_CHECKING:
    from .conftest import Console

COUNT = "voxloud: 450 call records"


def held(voxloud: Console) -> list[int]:
    return list(voxloud.sandbox.state.events.ids)


def exported(voxloud: Console, *tokens: str) -> str:
    """What an export that succeeds writes to standard output."""
    result = voxloud("events", "export", *tokens)
    assert (result.code, result.err.startswith(COUNT)) == (0, True)
    return result.out


def ids(data: bytes, form: str) -> list[int]:
    if form == "parquet":
        return [int(each) for each in parquet.read_table(io.BytesIO(data)).column("id").to_pylist()]
    text = data.decode()
    if form == "csv":
        return [int(row["id"]) for row in csv.DictReader(io.StringIO(text))]
    rows = json.loads(text) if form == "json" else map(json.loads, text.splitlines())
    return [row["id"] for row in rows]


def test_export_is_the_services_own_csv_with_a_count_beside_it(voxloud: Console) -> None:
    result = voxloud("events", "export")
    assert (result.code, result.err) == (0, f"{COUNT}\n")
    assert ids(result.out.encode(), "csv") == held(voxloud)


@pytest.mark.parametrize("packed", ["", ".gz", ".GZ"])
@pytest.mark.parametrize(
    ("ending", "form"),
    [
        (".csv", "csv"),
        (".CSV", "csv"),
        (".ndjson", "ndjson"),
        (".NDJSON", "ndjson"),
        (".JSONL", "ndjson"),
        (".Json", "json"),
        (".parquet", "parquet"),
    ],
)
def test_the_form_is_that_of_the_name(voxloud: Console, tmp_path: Path, ending: str, form: str, packed: str) -> None:
    target = tmp_path / f"calls.of.june{ending}{packed}"
    result = voxloud("events", "export", "--output", str(target))
    assert (result.code, result.out, result.err) == (0, "", f"{COUNT} in {target}\n")
    data = target.read_bytes()
    assert ids(gzip.decompress(data) if packed else data, form) == held(voxloud)
    assert [*tmp_path.iterdir()] == [target]


@pytest.mark.parametrize("form", ["csv", "ndjson", "json", "parquet"])
def test_the_form_is_that_of_the_option_where_the_name_has_none(voxloud: Console, tmp_path: Path, form: str) -> None:
    exported(voxloud, "-o", str(tmp_path / "calls.txt"), "--format", form)
    assert ids((tmp_path / "calls.txt").read_bytes(), form) == held(voxloud)
    if form not in {"csv", "parquet"}:
        assert ids(exported(voxloud, "--format", form).encode(), form) == held(voxloud)


@pytest.mark.parametrize(
    ("tokens", "reason"),
    [
        (["-o", "calls"], "--output must end with .jsonl, .csv, .ndjson, .json, .parquet, or with one of them and .gz"),
        (["-o", "calls.xlsx"], "--output must end with"),
        (["-o", "calls.gz"], "--output must end with"),
        (
            ["-o", "calls.json", "--format", "csv"],
            "--format csv contradicts the name of --output, which is that of json",
        ),
        (["-o", "calls.ndjson", "--safe-cells"], "--safe-cells is for csv"),
    ],
)
def test_a_name_that_is_no_form_is_an_error(voxloud: Console, tokens: list[str], reason: str) -> None:
    result = voxloud("events", "export", *tokens)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"voxloud: {reason}")
    assert voxloud.sandbox.requests == []


def test_parquet_needs_its_extra_and_no_terminal(voxloud: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("sys.stdout.isatty", lambda: True)
        assert "is not text" in voxloud("events", "export", "--format", "parquet").err
    monkeypatch.delitem(sys.modules, "voxloud_async.frames", raising=False)
    monkeypatch.delattr("voxloud_async.frames", raising=False)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    result = voxloud("events", "export", "--format", "parquet")
    assert (result.code, result.err) == (2, "voxloud: frames need pyarrow: pip install 'voxloud_async[frames]'\n")
    assert voxloud.sandbox.requests == []


def test_safe_cells_are_no_formulas(voxloud: Console) -> None:
    rows = [*csv.DictReader(io.StringIO(exported(voxloud, "--safe-cells")))]
    assert [int(row["id"]) for row in rows] == held(voxloud)
    cells = [cell for row in rows for cell in row.values()]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)
    assert any(cell.startswith("'+39") for cell in cells)


def test_an_export_that_breaks_leaves_the_file_as_it_was(voxloud: Console, tmp_path: Path) -> None:
    for name in ("calls.csv", "calls.json.gz"):
        target = tmp_path / name
        target.write_text("of yesterday", encoding="utf-8")
        voxloud.sandbox.fail_next(Fault(status=400))
        assert voxloud("events", "export", "-o", str(target)).code == 5
        assert target.read_text(encoding="utf-8") == "of yesterday"
        assert [*tmp_path.iterdir()] == [target]
        target.unlink()


@pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
@pytest.mark.parametrize(("before", "after"), [(None, 0o600), (0o600, 0o600), (0o644, 0o644), (0o660, 0o660)])
def test_a_new_file_is_private_and_an_old_one_keeps_its_mode(
    voxloud: Console, tmp_path: Path, before: int | None, after: int
) -> None:
    target = tmp_path / "calls.csv"
    if before is not None:
        target.touch()
        target.chmod(before)
    umask = os.umask(0o022)
    try:
        exported(voxloud, "-o", str(target))
    finally:
        os.umask(umask)
    assert stat.S_IMODE(target.stat().st_mode) == after


@pytest.mark.skipif(os.name != "posix", reason="owners of POSIX")
def test_a_file_that_is_replaced_keeps_its_owner_where_permitted(
    voxloud: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, given = tmp_path / "calls.csv", []
    target.touch(0o600)

    def chown(_: object, user: int, group: int) -> None:
        given.append((user, group))
        raise PermissionError

    monkeypatch.setattr("os.chown", chown)
    exported(voxloud, "-o", str(target))
    assert given == [(target.stat().st_uid, target.stat().st_gid)]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux alone has a disk that is always full")
def test_an_export_to_a_full_disk_says_so(voxloud: Console) -> None:
    result = voxloud("events", "export", "-o", "/dev/full")
    assert (result.code, result.err) == (1, "voxloud: No space left on device\n")


def test_an_export_into_a_pipe_leaves_it_a_pipe(voxloud: Console, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()))
    reader.start()
    exported(voxloud, "-o", str(pipe))
    reader.join()
    assert len(received[0].splitlines()) == 451
    assert pipe.is_fifo()


def test_a_file_that_cannot_be_written_is_named_as_it_was_given(voxloud: Console, tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "x.csv"
    result = voxloud("events", "export", "--output", str(path))
    assert (result.code, result.err) == (1, f"voxloud: No such file or directory: {path}\n")


def test_export_shows_how_far_it_is_and_of_what() -> None:
    shown: list[Any] = []
    counter = Counter(lambda steps, total=None: shown.append((steps, total)))
    for rows in (100, 250):
        counter.note(Progress(rows=rows, total=450))
    assert (shown, counter.rows) == ([(100, 450), (150, 450)], 250)
