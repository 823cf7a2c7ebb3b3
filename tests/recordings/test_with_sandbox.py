"""With the client and the sandbox, as a user has it; the sandbox tells whether the key came to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.recordings.bucket import made
from voxloud_async import RetryPolicy, VoxloudClient
from voxloud_async.errors import NotFoundError, PermissionDeniedError
from voxloud_async.models import Fax, PhoneCall
from voxloud_async.recordings import Recordings
from voxloud_async.sandbox import Fault, Quirks, Sandbox, Weather
from voxloud_async.testing import FakeClock

if TYPE_CHECKING:
    from pathlib import Path

HOSTS = ["127.0.0.1"]


async def test_p16_the_key_never_comes_where_recordings_lie(tmp_path: Path) -> None:
    async with (
        Sandbox(events=200, quirks=Quirks(single_fax="document")) as sandbox,
        VoxloudClient(sandbox.api_key, base_url=sandbox.url) as client,
        Recordings(hosts=HOSTS) as recordings,
    ):
        events = await client.telephony_events.query(page_size=200).collect()
        calls = [event for event in events if isinstance(event, PhoneCall)]
        faxes = [await client.telephony_events.get(event.id or 0) for event in events if event.type == "FAX_CALL"]
        links = [call.recording_url for call in calls] + [call.voicemail_url for call in calls]
        links += [fax.attachment_url for fax in faxes if isinstance(fax, Fax)]
        found = [link for link in links if link is not None]
        starts = {}
        for link in found:
            await recordings.save(link, tmp_path / "x")
            starts[link[-3:]] = (tmp_path / "x").read_bytes()[:4]
        assert starts == {"mp3": b"\xff\xf3\x18\xc0", "pdf": b"%PDF"}
        fetched = [request for request in sandbox.requests if request.path.startswith("/media/")]
        assert len(fetched) == len(found) > 20
        assert not any(request.with_key for request in fetched)
        assert all(request.with_key for request in sandbox.requests if request not in fetched)


async def test_a_sandbox_in_bad_weather_gives_each_byte_once(tmp_path: Path) -> None:
    weather = Weather(cut_after=0.2, error_before=0.1)
    async with (
        Sandbox(events=0) as sandbox,
        VoxloudClient(sandbox.api_key, base_url=sandbox.url) as client,
        Recordings(hosts=HOSTS, clock=FakeClock(), retry=RetryPolicy(max_faults=8)) as recordings,
    ):
        sandbox.place_call("INBOUND", answered=False, voicemail=True, ring=30)
        await sandbox.drain()
        (event,) = await client.telephony_events.query().collect()
        assert isinstance(event, PhoneCall)
        assert event.voicemail_url is not None
        calm = b"".join([piece async for piece in recordings.stream(event.voicemail_url)])
        sandbox.change_weather(weather)
        before = sandbox.count("GET", "/media/")
        for _ in range(40):
            size = await recordings.save(event.voicemail_url, tmp_path / "x")
            assert (size, (tmp_path / "x").read_bytes()) == (len(calm), calm)
        assert sandbox.count("GET", "/media/") - before > 50
        assert sandbox.count("GET", "/media/", 206) >= 2


async def test_a_recording_that_is_gone(tmp_path: Path) -> None:
    async with Sandbox(events=0) as sandbox, Recordings(hosts=HOSTS) as recordings:
        with pytest.raises(NotFoundError):
            await recordings.save(f"{sandbox.url}/media/1/call_recordings/vm_aabb.mp3", tmp_path / "x")
        sandbox.fail_next(Fault(status=403), match="GET /media")
        with pytest.raises(PermissionDeniedError):
            await recordings.save(f"{sandbox.url}/media/1/call_recordings/vm_aabb.mp3", tmp_path / "x")
        assert (sandbox.count("GET", "/media/"), made(tmp_path)) == (2, [])
