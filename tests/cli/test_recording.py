from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from voxloud_async.recordings import recordings
from voxloud_async.sandbox import Fault
from voxloud_async.testing import FakeClock

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Console


def record(voxloud: Console, name: str | None) -> str:
    """The id of a record that has this link, or that has none."""
    rows = map(voxloud.sandbox.state.events.__getitem__, voxloud.sandbox.state.events.ids)
    links = {"recordingUrl", "voicemail_url"}
    return next(str(row["id"]) for row in rows if (name in row if name else not links & set(row)))


@pytest.mark.parametrize("name", ["recordingUrl", "voicemail_url"])
def test_a_recording_becomes_a_file(voxloud: Console, tmp_path: Path, name: str) -> None:
    target = tmp_path / "call.mp3"
    assert voxloud.ok("events", "recording", record(voxloud, name), "--output", str(target)).out == ""
    assert target.read_bytes().startswith(b"\xff\xf3")
    assert [*tmp_path.iterdir()] == [target]
    first, second = voxloud.sandbox.requests
    assert (first.with_key, second.with_key) == (True, False)
    assert second.path.startswith("/media/")


def test_a_record_without_one_is_not_found(voxloud: Console, tmp_path: Path) -> None:
    result = voxloud("events", "recording", record(voxloud, None), "-o", str(tmp_path / "x"))
    assert (result.code, result.err) == (4, "voxloud: the record has no recording, voicemail or document\n")
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("status", [403, 404])
def test_a_link_that_has_ended_says_so(voxloud: Console, tmp_path: Path, status: int) -> None:
    voxloud.sandbox.fail_next(Fault(status=status), match="GET /media")
    result = voxloud("events", "recording", record(voxloud, "recordingUrl"), "-o", str(tmp_path / "x"))
    assert result.code == 5
    host = voxloud.sandbox.url.rpartition("/")[2]
    assert result.err.endswith(f", at {host} (the link has ended, or the recording is gone)\n")
    assert ("call_recording" in result.err, [*tmp_path.iterdir()]) == (False, [])
    assert voxloud.sandbox.count("GET", "/media") == 1


def test_a_record_that_is_not_there_is_the_services_404(voxloud: Console, tmp_path: Path) -> None:
    result = voxloud("events", "recording", "1", "-o", str(tmp_path / "x"))
    assert (result.code, "is the id right?" in result.err) == (4, True)


def test_on_another_host_it_must_be_named(voxloud: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recordings, "LoopClock", FakeClock)
    events = voxloud.sandbox.state.events
    event_id = int(record(voxloud, "recordingUrl"))
    row = events[event_id] | {"recordingUrl": "https://127.0.0.2:1/x.mp3"}
    events.replace(event_id, row)
    tokens = ["events", "recording", str(event_id), "-o", str(tmp_path / "x")]
    result = voxloud(*tokens)
    assert result.code == 2
    assert "the link of the record must lead to one of the hosts s3.amazonaws.com" in result.err
    assert "--host names others" in result.err
    result = voxloud(*tokens, "--host", "*.media.example", "--host", "media.example/x")
    assert (result.code, "--host" in result.err, "must be a host" in result.err) == (2, True, True)
    result = voxloud(*tokens, "--host", "127.0.0.*")
    assert (result.code, [*tmp_path.iterdir()]) == (6, [])


def test_a_folder_is_no_file(voxloud: Console, tmp_path: Path) -> None:
    result = voxloud("events", "recording", record(voxloud, "recordingUrl"), "-o", str(tmp_path))
    assert (result.code, result.err) == (2, "voxloud: --output must be a file, or nothing yet\n")
    assert voxloud.sandbox.count("GET", "/media") == 0
