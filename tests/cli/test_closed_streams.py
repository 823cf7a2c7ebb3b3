"""The console with standard streams that are closed, in every combination, and on signals: real processes."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from itertools import chain, combinations
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from voxloud_async.cli.streams import ClosedStream, replace_closed_streams
from voxloud_async.sandbox import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from voxloud_async.sandbox import Sandbox

    from .conftest import Console

PROGRAM = [sys.executable, "-m", "voxloud_async"]
SECONDS = 20.0
STDIN, STDOUT, STDERR = range(3)
COMBINATIONS = [*chain.from_iterable(combinations((STDIN, STDOUT, STDERR), size) for size in (1, 2, 3))]
HIDDEN = "standard output is closed and the result would be lost"


@pytest.fixture(autouse=True)
def signals_are_heeded() -> Iterator[None]:
    """Let programs get SIGHUP also where the tests themselves run under `nohup`."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


def voxloud_without(closed: Sequence[int], *tokens: str) -> subprocess.CompletedProcess[str]:
    """Run a command line with these descriptors closed."""
    shut = "".join(f"os.close({number});" for number in closed)
    program = f"import os, sys; {shut} os.execv(sys.executable, {PROGRAM!r} + sys.argv[1:])"
    return subprocess.run(  # noqa: S603 - own program
        [sys.executable, "-S", "-c", program, *tokens], capture_output=True, text=True, timeout=SECONDS, check=False
    )


def expected(closed: Sequence[int], code: int) -> tuple[int, bool]:
    """The exit code, and whether standard error says why."""
    return (2, STDERR not in closed) if STDOUT in closed else (code, False)


@pytest.mark.parametrize("closed", COMBINATIONS, ids=str)
def test_an_import_creates_all_or_sends_nothing(sandbox: Sandbox, tmp_path: Path, closed: tuple[int, ...]) -> None:
    file = tmp_path / "people.csv"
    file.write_text("first_name,primary_phone\nAda,+390312345678\nBea,+390312345679\n", encoding="utf-8")
    done = voxloud_without(closed, "contacts", "import", str(file))
    code, says_why = expected(closed, 0)
    assert (done.returncode, HIDDEN in done.stderr) == (code, says_why)
    assert "Traceback" not in done.stderr
    assert sandbox.count("POST") == (0 if STDOUT in closed else 2)
    if STDOUT not in closed:
        assert json.loads(done.stdout)["created"] == 2


@pytest.mark.parametrize("closed", COMBINATIONS, ids=str)
def test_an_export_to_a_file_is_whole(sandbox: Sandbox, tmp_path: Path, closed: tuple[int, ...]) -> None:
    target = tmp_path / "calls.ndjson"
    done = voxloud_without(closed, "events", "export", "--output", str(target))
    assert (done.returncode, done.stdout, "Traceback" in done.stderr) == (0, "", False)
    rows = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    assert [row["id"] for row in rows] == list(sandbox.state.events.ids)


@pytest.mark.parametrize("closed", [(STDERR,), (STDIN, STDERR)], ids=str)
def test_no_message_ends_up_among_the_data(sandbox: Sandbox, tmp_path: Path, closed: tuple[int, ...]) -> None:
    sandbox.fail_next(Fault(status=400))
    target = tmp_path / "calls.ndjson"
    assert voxloud_without(closed, "events", "export", "--output", str(target)).returncode == 5
    assert [*tmp_path.iterdir()] == []
    file = tmp_path / "people.csv"
    file.write_text("first_name,primary_phone\n,+390312345678\nBea,+390312345679\n", encoding="utf-8")
    done = voxloud_without(closed, "contacts", "import", str(file))
    assert (done.returncode, json.loads(done.stdout)["refused"]) == (1, 1)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux alone has a disk that is always full")
def test_messages_that_cannot_be_written_stop_no_import(sandbox: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("first_name,primary_phone\n,+390312345678\nBea,+390312345679\n", encoding="utf-8")
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        command = [*PROGRAM, "contacts", "import", str(file)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=full, text=True, check=False)  # noqa: S603 - own program
    assert (done.returncode, json.loads(done.stdout)["created"], sandbox.count("POST")) == (1, 1, 1)


def test_what_needs_standard_input_says_that_it_is_closed(sandbox: Sandbox) -> None:
    done = voxloud_without([STDIN], "contacts", "import", "-", "--input-format", "csv")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "voxloud: standard input is closed: give it a file, or a pipe\n"
    done = voxloud_without([STDIN], "click-to-call", "connect", "x", "--contact", "+39555666777")
    assert (done.returncode, "say --yes" in done.stderr) == (2, True)
    assert sandbox.requests == []


def test_a_delete_needs_no_standard_output(sandbox: Sandbox) -> None:
    contact = next(iter(sandbox.state.contacts))
    assert voxloud_without([STDIN, STDOUT, STDERR], "contacts", "delete", contact).returncode == 0
    assert contact not in sandbox.state.contacts


def test_dead_letters_are_not_replayed_unseen() -> None:
    done = voxloud_without([STDOUT], "webhooks", "replay", "--all", "--inbox", "nowhere.db")
    assert (done.returncode, HIDDEN in done.stderr) == (2, True)


def test_a_standard_output_that_can_only_be_read_counts_as_closed(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (tmp_path / "file").open(encoding="utf-8") as readable:
        done = subprocess.run(  # noqa: S603 - own program
            [*PROGRAM, "users", "list"], stdout=readable, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, HIDDEN in done.stderr) == (2, True)
    assert sandbox.requests == []


def test_a_stream_that_is_missing_in_this_process_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    monkeypatch.setattr(sys, "stderr", None)
    replace_closed_streams()
    for stream in (sys.stdin, sys.stderr):
        assert isinstance(stream, ClosedStream)
        stream.close()


def interrupted(sandbox: Sandbox, number: int, *tokens: str) -> tuple[int, str]:
    """Exit code and messages of a command that gets signals while a request is under way."""
    sandbox.fail_next(Fault(delay=0.0), n=1)
    sandbox.fail_next(Fault(delay=30.0), n=1)
    process = subprocess.Popen([*PROGRAM, *tokens], stderr=subprocess.PIPE, text=True)  # noqa: S603 - own program
    give_up = time.monotonic() + SECONDS
    while len(sandbox.requests) < 1 and time.monotonic() < give_up:
        time.sleep(0.02)
    time.sleep(0.2)
    process.send_signal(number)
    _, err = process.communicate(timeout=SECONDS)
    return process.returncode, err


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)], ids=str
)
def test_a_signal_leaves_no_part_of_a_file(sandbox: Sandbox, tmp_path: Path, number: int, code: int) -> None:
    tokens = ("events", "export", "--output", str(tmp_path / "calls.csv"))
    assert interrupted(sandbox, number, *tokens) == (code, "")
    assert [*tmp_path.iterdir()] == []


@pytest.mark.skipif(os.name != "posix", reason="terminals of POSIX")
def test_a_terminal_that_is_closed_leaves_no_part_of_a_file(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.fail_next(Fault(delay=30.0), n=1)
    ours, theirs = pty.openpty()
    tokens = ["events", "export", "--output", str(tmp_path / "calls.csv")]
    process = subprocess.Popen([*PROGRAM, *tokens], stderr=theirs)  # noqa: S603 - own program
    os.close(theirs)
    give_up = time.monotonic() + SECONDS
    while not sandbox.requests and time.monotonic() < give_up:
        time.sleep(0.02)
    os.close(ours)  # from now on what it writes there fails
    process.send_signal(signal.SIGHUP)
    assert (process.wait(SECONDS), [*tmp_path.iterdir()]) == (129, [])


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("ignored", ["SIGINT", "SIGHUP"])
def test_signals_that_the_parent_ignores_stay_ignored(sandbox: Sandbox, tmp_path: Path, ignored: str) -> None:
    sandbox.fail_next(Fault(delay=1.5))
    ignoring = f"import os, signal, sys; signal.signal(signal.{ignored}, signal.SIG_IGN);"
    program = f"{ignoring} os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    tokens = ["events", "export", "--output", str(tmp_path / "calls.csv")]
    command = [sys.executable, "-S", "-c", program, *PROGRAM[1:], *tokens]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)  # noqa: S603 - own program
    give_up = time.monotonic() + SECONDS
    while not sandbox.requests and time.monotonic() < give_up:
        time.sleep(0.02)
    process.send_signal(getattr(signal, ignored))
    if ignored == "SIGINT":  # as in the background of a script: SIGTERM still ends it, and in good order
        process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, "Traceback" in err) == (143 if ignored == "SIGINT" else 0, False)
    assert [path.name for path in tmp_path.iterdir()] == ([] if ignored == "SIGINT" else ["calls.csv"])


def test_a_second_signal_does_not_cut_the_clean_up_short(voxloud: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    cleaned: list[str] = []

    async def command(_: object) -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
            raise AssertionError
        finally:
            signal.raise_signal(signal.SIGHUP)
            cleaned.append("done")

    monkeypatch.setattr("voxloud_async.client.VoxloudClient.validate_auth", command)
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(AssertionError):
        voxloud("auth", "check")
    assert cleaned == ["done"]
    assert signal.getsignal(signal.SIGTERM) is before
