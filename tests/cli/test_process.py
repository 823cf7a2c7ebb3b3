"""The console as a process: terminals, pipes and signals are real."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

import pytest

from voxloud_async.sandbox import ClickToCall, Fault, Weather

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from voxloud_async.sandbox import Sandbox

PROGRAM = [sys.executable, "-m", "voxloud_async"]
SECONDS = 20.0


def started(
    *tokens: str, stdin: int | None = None, stdout: int = subprocess.PIPE, stderr: int = subprocess.PIPE
) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - own program
        [*PROGRAM, *tokens], stdin=stdin or subprocess.DEVNULL, stdout=stdout, stderr=stderr, text=True
    )


@contextmanager
def terminal() -> Iterator[tuple[int, int]]:
    """Both ends of a terminal: ours and the program's."""
    ours, theirs = pty.openpty()
    try:
        yield ours, theirs
    finally:
        os.close(ours)


def shown_on(ours: int, theirs: int, until: bytes | None = None) -> str:
    """What appears on a terminal, until a text is there or nobody writes any more."""
    if until is None:
        os.close(theirs)
    shown = b""
    while until is None or until not in shown:
        assert select.select([ours], [], [], SECONDS)[0], shown
        try:
            shown += os.read(ours, 4096)
        except OSError:  # Linux says so when the last writer is gone
            break
    return shown.decode()


def wait_for(pipe: IO[str] | None) -> str:
    assert pipe is not None
    return pipe.readline()


def test_on_a_terminal_the_result_is_a_table(sandbox: Sandbox) -> None:
    with terminal() as (ours, theirs):
        process = started("users", "list", stdout=theirs)
        shown = shown_on(ours, theirs)
        process.communicate(timeout=SECONDS)
    title, *lines = shown.splitlines()
    assert title.startswith("\x1b[1mEXT")
    assert [line.split()[-1] for line in lines] == [user.id for user in sandbox.state.directory.users]


def test_in_a_pipe_it_is_ndjson(sandbox: Sandbox) -> None:
    process = started("users", "list")
    out, err = process.communicate(timeout=SECONDS)
    assert err == ""
    assert [json.loads(line)["id"] for line in out.splitlines()] == [user.id for user in sandbox.state.directory.users]


def test_head_may_leave_early() -> None:
    process = started("events", "list", "--sandbox")
    assert json.loads(wait_for(process.stdout))["id"]
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    assert process.wait(SECONDS) == 141
    process.stderr.close()


@pytest.mark.parametrize("tokens", [["--help"], ["demo", "--contacts", "1"]])
def test_what_rich_writes_may_be_left_early(tokens: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    process = started(*tokens, stdout=writer)
    os.close(writer)
    _, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, err) == (141, "")


def test_a_listener_who_leaves_ends_an_import_quietly(sandbox: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("first_name,primary_phone\n" + "".join(f",+39031{n:07}\n" for n in range(5000)), encoding="utf-8")
    process = started("contacts", "import", str(file), stderr=subprocess.STDOUT)
    assert wait_for(process.stdout).startswith("voxloud: line 2: first_name: ")
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(SECONDS) == 141
    assert sandbox.requests == []


def test_the_sandbox_runs_until_it_is_interrupted() -> None:
    options = [
        "--seed",
        "3",
        "--rows",
        "50",
        "--rate-limit",
        "50",
        "--maintenance",
        "900:1",
        "--quirk",
        "create_status=201",
    ]
    process = started("sandbox", *options)
    about, *exports = (wait_for(process.stdout) for _ in range(3))
    assert about.startswith("# 50 call records")
    account = dict(line.removeprefix("export ").strip().split("=") for line in exports)
    assert account["VOXLOUD_BASE_URL"] in about
    assert account["VOXLOUD_API_KEY"] in about
    asked = subprocess.run([*PROGRAM, "auth", "check"], env=os.environ | account, capture_output=True, check=True)  # noqa: S603
    assert json.loads(asked.stdout)["name"]
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, out, err) == (130, "", "")


def test_an_interrupted_import_tells_which_rows_are_in_doubt(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.change_weather(Weather(latency=30.0))
    file = tmp_path / "people.csv"
    file.write_text("first_name,primary_phone\nAda,+390312345678\nBea,+390312345679\n", encoding="utf-8")
    process = started("contacts", "import", str(file))
    give_up = time.monotonic() + SECONDS
    while sandbox.count("POST") < 2 and time.monotonic() < give_up:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 130
    assert sorted(err.splitlines()) == [
        f"voxloud: line {line}: -: it may have been created or not: interrupted" for line in (2, 3)
    ]
    assert json.loads(out)["unknown"] == 2


def test_an_interrupted_import_goes_on_from_its_journal(sandbox: Sandbox, tmp_path: Path) -> None:
    file, journal = tmp_path / "people.csv", str(tmp_path / "journal")
    file.write_text(
        "first_name,primary_phone\n,+390312345677\n" + "".join(f"N{n},+39031000000{n}\n" for n in range(3)),
        encoding="utf-8",
    )
    sandbox.fail_next(Fault(delay=0.0))  # what time it is there
    sandbox.fail_next(Fault(delay=30.0), n=3)
    process = started("contacts", "import", str(file), "--journal", journal)
    give_up = time.monotonic() + SECONDS
    while sandbox.count("POST") < 3 and time.monotonic() < give_up:
        time.sleep(0.02)
    process.kill()
    process.communicate(timeout=SECONDS)
    out, err = started("contacts", "import", str(file), "--journal", journal).communicate(timeout=SECONDS)
    assert err == "voxloud: line 2: first_name: is required (fill it in, or leave the row out)\n"
    assert (json.loads(out)["created"], json.loads(out)["refused"]) == (3, 1)
    assert sandbox.count("POST") == 3


def test_a_bar_shows_on_a_terminal_how_an_import_goes(sandbox: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("first_name,primary_phone\nAda,+390312345678\n,+390312345679\n", encoding="utf-8")
    with terminal() as (ours, theirs):
        process = started("contacts", "import", str(file), stderr=theirs)
        shown = shown_on(ours, theirs)
        out, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert json.loads(out)["created"] == sandbox.count("POST") == 1
    assert "Importing" in shown
    assert "voxloud: line 3: first_name: is required" in shown


def test_a_long_pause_is_explained_on_a_terminal_only(sandbox: Sandbox) -> None:
    for on_terminal in (True, False):
        sandbox.fail_next(Fault(status=429, retry_after="1"))
        with terminal() as (ours, theirs):
            process = started("auth", "check", stderr=theirs if on_terminal else subprocess.PIPE)
            shown = shown_on(ours, theirs)
            _, err = process.communicate(timeout=SECONDS)
        assert process.returncode == 0
        assert shown == (
            "voxloud: waiting up to 1 s: the service takes no more requests for now\r\n" if on_terminal else ""
        )
        assert not err


@pytest.mark.acceptance  # it takes as long as a service must be silent to be said to be
def test_an_outage_is_explained_in_a_pipe(sandbox: Sandbox) -> None:
    sandbox.fail_next(Fault(status=503, retry_after="6"))
    process = started("auth", "check", "--max-wait", "30")
    _, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 0
    assert err == (
        "voxloud: the service is under maintenance; waiting up to 30 s "
        "(press Ctrl-C to stop, or bound it with --max-wait)\n"
    )
    assert len(sandbox.requests) == 2


def test_a_delete_is_confirmed_on_a_terminal(sandbox: Sandbox) -> None:
    contact = next(iter(sandbox.state.contacts))
    with terminal() as (ours, theirs):
        process = started("contacts", "delete", contact, stderr=theirs)
        assert shown_on(ours, theirs) == "voxloud: deleted\r\n"
        process.communicate(timeout=SECONDS)
    assert contact not in sandbox.state.contacts


def rung(sandbox: Sandbox, answer: str | None, *options: str) -> tuple[int, str]:
    """Ring through the sandbox's click-to-call at a terminal; None interrupts instead of answering."""
    sandbox.state.click_to_calls.setdefault("c2c", click_to_call(sandbox))
    tokens = ["click-to-call", "connect", "c2c", "--contact", "+39555666777", *options]
    with terminal() as (ours, theirs):
        process = started(*tokens, stdin=theirs, stderr=theirs)
        shown = ""
        if "--yes" not in options:
            shown = shown_on(ours, theirs, until=b"[y/N] ")
            if answer is None:
                process.send_signal(signal.SIGINT)
            else:
                os.write(ours, answer.encode() + b"\n")
        code = process.wait(SECONDS)
        shown += shown_on(ours, theirs)
        process.communicate()
    return code, shown.replace("\r\n", "\n")


def click_to_call(sandbox: Sandbox) -> ClickToCall:
    did = sandbox.state.directory.dids[0].number
    return ClickToCall(id="c2c", name="ctc-x", extension="101", outbound_number=did, dial_first="contact")


def test_connect_asks_before_it_rings(sandbox: Sandbox) -> None:
    code, shown = rung(sandbox, "y")
    assert code == 0
    assert "This rings +39555666777." in shown
    assert [call.contact for call in sandbox.calls_placed] == ["+39555666777"]


def test_connect_rings_nobody_without_a_yes(sandbox: Sandbox) -> None:
    for answer in ("n", ""):
        code, shown = rung(sandbox, answer)
        assert code == 1
        assert shown.endswith("voxloud: nobody was called\n")
    assert sandbox.requests == []


def test_connect_rings_nobody_when_interrupted(sandbox: Sandbox) -> None:
    code, shown = rung(sandbox, None)
    assert code == 130
    assert "Traceback" not in shown
    assert sandbox.requests == []


def test_connect_does_not_ask_those_who_said_yes(sandbox: Sandbox) -> None:
    code, shown = rung(sandbox, None, "--yes")
    assert (code, shown) == (0, "")
    assert len(sandbox.calls_placed) == 1
