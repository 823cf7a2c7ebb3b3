from __future__ import annotations

import csv
import errno
import io
import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from voxloud_async.cli.output import Output, View
from voxloud_async.cli.periods import read_moment, read_span
from voxloud_async.models import UnknownEvent
from voxloud_async.sandbox import Fault

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from .conftest import Console


def held(voxloud: Console) -> list[int]:
    return list(voxloud.sandbox.state.events.ids)


def test_list_gives_every_record_once(voxloud: Console) -> None:
    assert [row["id"] for row in voxloud.ok("events", "list").rows] == held(voxloud)
    assert voxloud.sandbox.count("POST", "/api/v1/telephony-events") == 3, "three pages of 200"


def test_list_of_a_period_a_number_and_a_limit(voxloud: Console) -> None:
    events = voxloud.sandbox.state.events
    now = voxloud.sandbox.now
    start, end = now - timedelta(days=9), now - timedelta(days=2)
    tokens = ["--from", start.isoformat(), "--to", end.isoformat()]
    wanted = [each for each in events.ids if start.timestamp() * 1000 <= events.moment(each) <= end.timestamp() * 1000]
    assert [row["id"] for row in voxloud.ok("events", "list", *tokens).rows] == wanted
    assert [row["id"] for row in voxloud.ok("events", "list", "--to", end.isoformat(), "--last", "1w").rows] == wanted
    number = events[wanted[0]]["destinationNumber"]
    for row in voxloud.ok("events", "list", *tokens, "--number", number, "--limit", "3").rows:
        assert number in (row["originatorNumber"], row["destinationNumber"])


def test_a_table_shows_local_times(voxloud: Console) -> None:
    _, first, *_ = voxloud.ok("events", "list", "--limit", "2", "--format", "table").out.splitlines()
    moment = voxloud.sandbox.state.events.moment(held(voxloud)[0]) / 1000
    assert first.startswith(datetime.fromtimestamp(moment, UTC).astimezone().strftime("%Y-%m-%d %H:%M"))


@pytest.mark.parametrize("form", ["ndjson", "csv"])
async def test_a_stream_is_written_before_it_ends(form: Any, capsys: pytest.CaptureFixture[str]) -> None:
    async def endless() -> AsyncIterator[UnknownEvent]:
        for number in range(3):
            yield UnknownEvent(id=number)
        assert f"{number}" in capsys.readouterr().out
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await Output(format=form).stream(endless(), View(models=("UnknownEvent",)))


def test_a_time_without_zone_is_local() -> None:
    assert read_moment("--from", "2026-06-01T08:00") == datetime(2026, 6, 1, 8).astimezone()
    assert read_moment("--from", "2026-06-01") == datetime(2026, 6, 1).astimezone()
    assert read_moment("--from", "2026-06-01T08:00Z") == datetime(2026, 6, 1, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "span"), [("30d", timedelta(days=30)), ("2w", timedelta(days=14)), ("90m", timedelta(minutes=90))]
)
def test_a_span(text: str, span: timedelta) -> None:
    assert read_span(text, "--last") == span


@pytest.mark.parametrize(
    ("tokens", "reason"),
    [
        (["--from", "yesterday"], "--from must be a time"),
        (["--to", "2026-13-01"], "--to must be a time"),
        (["--last", "30"], "--last must be a number and one of"),
        (["--last", "9999999999s"], "--last must be a number and one of"),
        (["--last", "900000d"], "--last reaches too far back"),
        (["--last", "1d", "--from", "2026-06-01"], "exclude each other"),
        (["--from", "2026-06-02", "--to", "2026-06-01"], "must not be after"),
    ],
)
def test_a_wrong_period_sends_nothing(voxloud: Console, tokens: list[str], reason: str) -> None:
    for command in ("list", "export"):
        result = voxloud("events", command, *tokens)
        assert result.code == 2
        assert reason in result.err
    assert voxloud.sandbox.requests == []


def write(voxloud: Console, minutes: int) -> int:
    """Let a record be written that bears a time so long ago."""
    events = voxloud.sandbox.state.events
    at = voxloud.sandbox.now - timedelta(minutes=minutes)
    return events.append(events[events.ids[0]] | {"timestamp": round(at.timestamp() * 1000)})


def test_new_writes_each_record_once(voxloud: Console, tmp_path: Path) -> None:
    tokens = ["events", "new", "--state", str(tmp_path / "state"), "--since", "2026-05-01"]
    assert [row["id"] for row in voxloud.ok(*tokens).rows] == held(voxloud)
    assert voxloud.ok(*tokens).out == ""
    late, missed = write(voxloud, 200), write(voxloud, 600)
    assert voxloud.ok(*tokens).row["id"] == late
    assert voxloud.ok(*tokens, "--overlap", "2d").out == "", f"{missed} counts as written"
    assert voxloud.sandbox.count("POST", "/api/v1/telephony-events") == 4
    assert [*tmp_path.iterdir()] == [tmp_path / "state"]
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o600


def test_new_of_a_number_in_other_formats(voxloud: Console, tmp_path: Path) -> None:
    events = voxloud.sandbox.state.events
    number = events[events.ids[0]]["originatorNumber"]
    tokens = ["events", "new", "--number", number, "--state"]
    rows = [*csv.DictReader(io.StringIO(voxloud.ok(*tokens, str(tmp_path / "a"), "--format", "csv").out))]
    assert str(events.ids[0]) in {row["id"] for row in rows}
    for row in json.loads(voxloud.ok(*tokens, str(tmp_path / "b"), "--format", "json").out):
        assert number in (row["originatorNumber"], row["destinationNumber"])
    refused = voxloud("events", "new", "--state", str(tmp_path / "a"))
    assert (refused.code, "--state is damaged, or not one of" in refused.err) == (2, True)


def test_a_run_that_breaks_leaves_its_state_as_it_was(voxloud: Console, tmp_path: Path) -> None:
    tokens = ["events", "new", "--state", str(tmp_path / "state")]
    voxloud.ok(*tokens, "--since", "2026-06-29")
    before = (tmp_path / "state").read_bytes()
    new = write(voxloud, 30)
    voxloud.sandbox.fail_next(Fault(status=400))
    assert voxloud(*tokens).code == 5
    assert (tmp_path / "state").read_bytes() == before
    assert [*tmp_path.iterdir()] == [tmp_path / "state"]
    assert voxloud.ok(*tokens).row["id"] == new


def test_a_run_whose_output_breaks_leaves_no_state(
    voxloud: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("sys.stdout.write", full)
    result = voxloud("events", "new", "--state", str(tmp_path / "state"))
    assert (result.code, result.err) == (1, "voxloud: No space left on device\n")
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("content", "tokens", "reason"),
    [
        (b"", [], "--state is damaged"),
        (b"\xff\x00", [], "--state is damaged"),
        (None, ["--since", "yesterday"], "--since must be a time"),
        (None, ["--overlap", "4"], "--overlap must be a number and one of"),
        (None, ["--overlap", "999w"], "--overlap must be from 0 to"),
    ],
)
def test_new_with_wrong_options_sends_nothing(
    voxloud: Console, tmp_path: Path, content: bytes | None, tokens: list[str], reason: str
) -> None:
    if content is not None:
        (tmp_path / "state").write_bytes(content)
    result = voxloud("events", "new", "--state", str(tmp_path / "state"), *tokens)
    assert result.code == 2
    assert reason in result.err
    assert voxloud.sandbox.requests == []


def test_a_state_that_cannot_be_written_is_told_before_anything_is_read(voxloud: Console, tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "state"
    result = voxloud("events", "new", "--state", str(path))
    assert (result.code, result.err) == (1, f"voxloud: No such file or directory: {path}\n")
    assert voxloud.sandbox.requests == []
