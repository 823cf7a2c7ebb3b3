"""`voxloud webhooks dead-letters`, `replay` and `discard`, on files as a receiver leaves them."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import sys
from typing import TYPE_CHECKING

import pytest

from benchmarks import free_port
from voxloud_async.cli.app import run
from voxloud_async.webhooks.inbox import Delivery, open_inbox

from .conftest import Result

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Voxloud = Callable[..., Result]

BODIES = {"first": b'{"type": "CALL_INCOMING", "data": {"callId": "aabb"}}', "second": b"\xff no JSON", "third": b"[]"}


@pytest.fixture
def voxloud(capsys: pytest.CaptureFixture[str]) -> Voxloud:
    return lambda *tokens: Result(run(tokens), *capsys.readouterr())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "inbox.db"
    asyncio.run(bury(path, BODIES))
    return path


async def bury(path: Path, bodies: dict[str, bytes]) -> None:
    inbox = open_inbox(path)
    for key, body in bodies.items():
        await inbox.add([Delivery(key=key, body=body, received=1_767_362_400.0)])
        (lease,) = await inbox.lease(1, 60.0)
        await inbox.bury(lease, "ValueError")
    await inbox.aclose()


async def dead(path: Path) -> tuple[int, int]:
    inbox = open_inbox(path)
    counts = await inbox.counts()
    await inbox.aclose()
    return counts.waiting, counts.dead


def test_dead_letters_are_a_line_each_the_latest_first(voxloud: Voxloud, path: Path) -> None:
    result = voxloud("webhooks", "dead-letters", "--inbox", str(path))
    assert (result.code, result.err) == (0, "")
    third, second, first = result.rows
    assert [row["key"] for row in (first, second, third)] == ["first", "second", "third"]
    assert {name: first[name] for name in ("received", "origin", "runs", "error")} == {
        "received": "2026-01-02T14:00:00.000+00:00",
        "origin": "webhook",
        "runs": 1,
        "error": "ValueError",
    }
    assert first["body"] == json.loads(BODIES["first"])
    assert (second["body"], third["body"]) == ("\N{REPLACEMENT CHARACTER} no JSON", [])


def test_dead_letters_are_a_table_for_people(voxloud: Voxloud, path: Path) -> None:
    lines = voxloud(
        "webhooks", "dead-letters", "--inbox", str(path), "--limit", "1", "--format", "table"
    ).out.splitlines()
    assert [line.split() for line in lines[:2]] == [["DIED", "RUNS", "ERROR", "TYPE"], ["KEY"]]
    assert (lines[2].split()[2:], lines[3]) == (["1", "ValueError"], "  third")


def test_dead_letters_are_csv_with_a_column_for_each_field(voxloud: Voxloud, path: Path) -> None:
    out = voxloud("webhooks", "dead-letters", "--inbox", f"sqlite:///{path}", "--format", "csv").out
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["key"] for row in rows] == ["third", "second", "first"]
    assert list(rows[0]) == ["key", "died", "received", "origin", "runs", "error", "body", "extra"]


def test_the_inbox_may_stand_in_a_variable(voxloud: Voxloud, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOXLOUD_INBOX", str(path))
    assert len(voxloud("webhooks", "dead-letters").rows) == 3


def test_replay_makes_the_named_ones_due(voxloud: Voxloud, path: Path) -> None:
    result = voxloud("webhooks", "replay", "first", "third", "first", "--inbox", str(path))
    assert (result.code, result.row, result.err) == (0, {"replayed": 2}, "")
    assert asyncio.run(dead(path)) == (2, 1)


def test_replay_tells_of_keys_that_are_none(voxloud: Voxloud, path: Path) -> None:
    result = voxloud("webhooks", "replay", "first", "nobody", "--inbox", str(path))
    assert (result.code, result.row) == (1, {"replayed": 1})
    assert result.err == "voxloud: 1 of 2 are no dead letters\n"


def test_replay_all_leaves_none(voxloud: Voxloud, path: Path) -> None:
    assert voxloud("webhooks", "replay", "--all", "--inbox", str(path)).row == {"replayed": 3}
    assert asyncio.run(dead(path)) == (3, 0)
    assert voxloud("webhooks", "replay", "--all", "--inbox", str(path)).row == {"replayed": 0}


def test_discard_drops_the_named_ones_and_tells_of_keys_that_are_none(voxloud: Voxloud, path: Path) -> None:
    result = voxloud("webhooks", "discard", "first", "third", "first", "--inbox", str(path))
    assert (result.code, result.row, result.err) == (0, {"discarded": 2}, "")
    assert [row["key"] for row in voxloud("webhooks", "dead-letters", "--inbox", str(path)).rows] == ["second"]
    result = voxloud("webhooks", "discard", "first", "second", "--inbox", str(path))
    assert (result.code, result.row) == (1, {"discarded": 1})
    assert result.err == "voxloud: 1 of 2 are no dead letters\n"
    assert asyncio.run(dead(path)) == (0, 0)


def test_discard_all_leaves_none_and_nothing_to_replay(voxloud: Voxloud, path: Path) -> None:
    assert voxloud("webhooks", "discard", "--all", "--inbox", str(path)).row == {"discarded": 3}
    assert asyncio.run(dead(path)) == (0, 0)
    assert voxloud("webhooks", "replay", "--all", "--inbox", str(path)).row == {"replayed": 0}


@pytest.mark.parametrize("command", ["replay", "discard"])
@pytest.mark.parametrize("which", [[], ["first", "--all"]])
def test_the_letters_are_named_or_all(voxloud: Voxloud, path: Path, command: str, which: list[str]) -> None:
    result = voxloud("webhooks", command, *which, "--inbox", str(path))
    assert (result.code, result.err) == (2, "voxloud: name the keys of dead letters, or say --all\n")
    assert asyncio.run(dead(path)) == (0, 3)


def test_a_file_that_is_not_there_is_not_made(voxloud: Voxloud, tmp_path: Path) -> None:
    missing = tmp_path / "missing.db"
    result = voxloud("webhooks", "dead-letters", "--inbox", str(missing))
    assert (result.code, result.err) == (1, f"voxloud: No such file or directory: {missing}\n")
    assert not missing.exists()


def test_what_is_no_inbox_is_told_in_a_line(voxloud: Voxloud, tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("dear friend" * 100)
    result = voxloud("webhooks", "dead-letters", "--inbox", str(letter))
    assert (result.code, result.err) == (1, f"voxloud: {letter} cannot be used as an inbox: file is not a database\n")


def test_a_server_that_is_not_there_is_told_without_its_password(voxloud: Voxloud) -> None:
    result = voxloud("webhooks", "replay", "--all", "--inbox", f"redis://:secret@127.0.0.1:{free_port()}")
    assert result.code == 1
    assert "the inbox cannot be used: ConnectionError" in result.err
    assert "secret" not in result.err


def test_a_library_that_is_missing_is_named(voxloud: Voxloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    monkeypatch.delitem(sys.modules, "voxloud_async.webhooks.inbox.postgres", raising=False)
    result = voxloud("webhooks", "dead-letters", "--inbox", "postgresql://localhost")
    assert result.code == 2
    assert "pip install 'voxloud_async[postgres]'" in result.err
