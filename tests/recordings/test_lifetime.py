"""How many at once, how a stream ends early, and what closing does."""

from __future__ import annotations

import asyncio
import gc
import logging
import traceback
from collections import deque
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest

from tests.recordings.bucket import BODY, SECRETS, Bucket, Cut, made, serving_bucket
from tests.wire.conftest import Tls
from tests.wire.raw_server import reply, serving, until
from voxloud_async.errors import ClientClosedError, PermissionDeniedError, ServerError, VoxloudError
from voxloud_async.recordings import Recordings
from voxloud_async.recordings.links import private
from voxloud_async.session.events import CallEnded, CallStarted
from voxloud_async.session.policy import RetryPolicy
from voxloud_async.testing import FakeClock, FakeTransport, answer
from voxloud_async.wire.aiohttp import AiohttpTransport

if TYPE_CHECKING:
    from pathlib import Path

    from tests.recordings.conftest import Make
    from voxloud_async.session.events import Event


async def first_piece(recordings: Recordings, url: str) -> Any:
    """A stream whose first piece is read."""
    pieces = recordings.stream(url)
    assert BODY.startswith(await anext(pieces))
    return pieces


async def test_leaving_a_stream_early_hangs_up(bucket: Bucket, make: Make) -> None:
    events: list[Event] = []
    recordings = make(concurrency=1, subscribers=[events.append])
    bucket.hanging = True
    async with aclosing(recordings.stream(bucket.url)) as pieces:
        async for _ in pieces:
            break
    await bucket.server.all_hung_up()
    assert isinstance(events[-1], CallEnded)
    assert (events[-1].attempts, events[-1].error) == (1, None)
    bucket.hanging = False
    assert len(b"".join([piece async for piece in recordings.stream(bucket.url)])) == len(BODY)
    assert bucket.asked == 2


async def test_so_does_forgetting_it(bucket: Bucket, make: Make) -> None:
    bucket.hanging = True
    recordings = make(concurrency=1)
    async for _ in recordings.stream(bucket.url):
        break
    gc.collect()
    await bucket.server.all_hung_up()
    bucket.hanging = False
    assert [piece async for piece in recordings.stream(bucket.url)]
    assert bucket.asked == 2


async def test_a_stream_that_is_not_read_asks_for_nothing(bucket: Bucket, recordings: Recordings) -> None:
    async with aclosing(recordings.stream(bucket.url)):
        pass
    assert bucket.server.connections == 0


async def test_so_many_at_once(bucket: Bucket, make: Make, tmp_path: Path) -> None:
    recordings = make(concurrency=3)
    bucket.hanging = True
    saves = [asyncio.create_task(recordings.save(bucket.url, tmp_path / f"{number}")) for number in range(6)]
    await until(lambda: bucket.asked == 3)
    await asyncio.sleep(0.05)
    assert (bucket.asked, len(made(tmp_path))) == (3, 3)
    saves[5].cancel()  # one that waits
    saves[0].cancel()  # one under way
    await until(lambda: bucket.asked == 4)
    await asyncio.sleep(0.05)
    assert bucket.asked == 4
    await recordings.aclose()
    outcomes = await asyncio.gather(*saves, return_exceptions=True)
    kinds = [type(outcome) for outcome in outcomes]
    assert kinds == [asyncio.CancelledError, *[ClientClosedError] * 4, asyncio.CancelledError]
    assert made(tmp_path) == []


async def test_what_an_error_says_is_not_waited_for(bucket: Bucket, recordings: Recordings, tmp_path: Path) -> None:
    bucket.hanging = True
    bucket.faults.append(reply(BODY, status="403 Forbidden"))
    with pytest.raises(PermissionDeniedError):
        await recordings.save(bucket.url, tmp_path / "x")
    await bucket.server.all_hung_up()
    assert (bucket.asked, made(tmp_path)) == (1, [])


async def test_over_tls(tmp_path: Path) -> None:
    tls, bucket = Tls(), Bucket(faults=deque([Cut(1000)]))
    transport = AiohttpTransport(ssl=tls.client)
    async with (
        serving(bucket.script, tls=tls.server) as bucket.server,
        Recordings(hosts=["127.0.0.1"], transport=transport, clock=FakeClock()) as recordings,
    ):
        assert bucket.url.startswith("https://")
        assert await recordings.save(bucket.url, tmp_path / "x") == len(BODY)
        assert bucket.asked == 2
        await transport.aclose()


async def test_a_broken_download_gives_its_place_back(bucket: Bucket, make: Make, tmp_path: Path) -> None:
    recordings = make(concurrency=1, retry=RetryPolicy(max_attempts=1))
    broken = b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n"
    for _ in range(3):
        bucket.faults.append(broken)
        with pytest.raises(ServerError):
            await recordings.save(bucket.url, tmp_path / "x")
    assert await recordings.save(bucket.url, tmp_path / "x") == len(BODY)
    assert bucket.asked == 4


@pytest.mark.parametrize("whose", ["own", "foreign"])
async def test_closing_ends_streams_wherever_their_reader_is(bucket: Bucket, make: Make, whose: str) -> None:
    transport = make()._own
    assert transport is not None
    recordings = make() if whose == "own" else make(transport=transport)
    bucket.hanging = True
    idle = await first_piece(recordings, bucket.url)
    reading = await first_piece(recordings, bucket.url)

    async def read_on() -> list[bytes]:
        return [piece async for piece in reading]

    reader = asyncio.create_task(read_on())
    await asyncio.sleep(0.01)
    await recordings.aclose()
    await bucket.server.all_hung_up()
    for each in (reader, anext(idle), anext(recordings.stream(bucket.url))):
        with pytest.raises(ClientClosedError):
            await each
    await recordings.aclose()
    assert bucket.asked == 2
    await transport.aclose()


async def test_once_closed_it_is_not_entered_again(recordings: Recordings) -> None:
    await recordings.aclose()
    with pytest.raises(ClientClosedError):
        async with recordings:
            pass


def test_it_may_be_used_in_one_loop_after_another(tmp_path: Path) -> None:
    recordings = Recordings(hosts=["127.0.0.1"], concurrency=1)

    async def main() -> int:
        async with serving_bucket(Bucket()) as bucket:
            saves = [recordings.save(bucket.url, tmp_path / f"{number}") for number in range(3)]
            return sum(await asyncio.gather(*saves))

    for _ in range(2):
        assert asyncio.run(main()) == 3 * len(BODY)


async def test_no_event_and_no_log_tells_where_it_lies(
    bucket: Bucket, make: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    events: list[Event] = []
    bucket.faults += [b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", Cut(1000)]
    await make(subscribers=[events.append]).save(bucket.url, tmp_path / "x")
    assert isinstance(events[0], CallStarted)
    assert events[0].server == f"127.0.0.1:{bucket.server.port}"
    lines = [record.getMessage() for record in caplog.records if record.name == "voxloud_async"]
    assert len(lines) == 6
    text = "\n".join([*lines, *map(repr, events)])
    assert not [secret for secret in SECRETS if secret in text]
    assert bucket.asked == 3


SAID: dict[str, bytes | Cut] = {
    "403": b"HTTP/1.1 403 Forbidden\r\nContent-Length: 26\r\n\r\n<Key>call_recording_</Key>",
    "redirect": b"HTTP/1.1 302 Found\r\nLocation: /call_recording_1734bfbb\r\nContent-Length: 0\r\n\r\n",
    "not HTTP": b"call_recording_1734bfbb\r\n\r\n",
    "cut": Cut(1000),
    "silence": Cut(10),
}


@pytest.mark.parametrize("fault", SAID)
@pytest.mark.parametrize("way", ["save", "stream"])
async def test_no_traceback_shows_where_it_lies(
    bucket: Bucket, make: Make, tmp_path: Path, fault: str, way: str
) -> None:
    bucket.faults.append(SAID[fault])
    bucket.hanging = fault == "silence"
    recordings = make(retry=RetryPolicy(max_attempts=1), timeout=0.2)

    async def download() -> None:
        if way == "save":
            await recordings.save(bucket.url, tmp_path / "x")
        else:
            [piece async for piece in recordings.stream(bucket.url)]

    with pytest.raises(VoxloudError) as caught:
        await download()
    shown_by(caught.value)
    bucket.hanging = True
    task = asyncio.create_task(download())
    await until(lambda: bucket.asked == 2)
    await asyncio.sleep(0.03)
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as cancelled:
        await task
    shown_by(cancelled.value)


def shown_by(error: BaseException) -> None:
    """Hold a traceback with locals, from the first frame of the package on, to what it may show."""
    trace = error.__traceback__
    while trace is not None and "voxloud_async" not in trace.tb_frame.f_code.co_filename:
        trace = trace.tb_next
    shown = traceback.TracebackException(type(error), error, trace, capture_locals=True)
    text = "".join(shown.format())
    assert "request = Request(" in text or "download = Download(" in text  # locals are shown
    assert not [secret for secret in SECRETS if secret in text]


async def test_neither_does_a_repr() -> None:
    recordings = Recordings(transport=FakeTransport(answer(b"sound")))
    url = private("https://voxloud.s3.amazonaws.com/call_recording_1734bfbb.mp3")
    async with recordings._download(url, "voxloud.s3.amazonaws.com") as download:
        await download.read()
        shown = f"{recordings!r} {download!r} {download.call.request!r} {recordings.stream(url)!r}"
    assert "url='***'" in shown
    assert not [secret for secret in SECRETS if secret in shown]
