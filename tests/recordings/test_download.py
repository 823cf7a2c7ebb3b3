"""What goes wrong with a download, over real sockets; each time the bucket counts what it was asked."""

from __future__ import annotations

import asyncio
import gzip
from collections import deque
from contextlib import aclosing
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.recordings.bucket import BODY, NEW_BODY, Bucket, Cut, header, made
from tests.wire.raw_server import answers, chunked, reply, serving, until
from voxloud_async.errors import (
    ApiError,
    BadRequestError,
    NotFoundError,
    PermissionDeniedError,
    ProtocolError,
    RequestNotSentError,
    ResponseLostError,
    ResponseTooLargeError,
    ServerError,
    UnexpectedRedirectError,
)
from voxloud_async.recordings import Recordings
from voxloud_async.session.events import CallEnded, Retrying
from voxloud_async.session.policy import RetryPolicy
from voxloud_async.testing import FakeClock, FakeTransport, answer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.recordings.conftest import Make
    from voxloud_async.session.events import Event

HALF = len(BODY) // 2
REST = f"bytes={HALF}-"
BROKEN = reply(status="500 Internal Server Error", headers=("Connection: close",))

pytestmark = pytest.mark.parametrize("way", ["save", "stream"])


async def downloaded(recordings: Recordings, url: str, way: str, folder: Path) -> bytes:
    """What a download gives, and no more in the folder than that."""
    if way == "stream":
        async with aclosing(recordings.stream(url)) as pieces:
            return b"".join([piece async for piece in pieces])
    target = folder / "call.mp3"
    try:
        size = await recordings.save(url, target)
    finally:
        assert made(folder) in ([], [target.name])
    assert target.stat().st_size == size
    return target.read_bytes()


async def test_it_sends_nothing_but_what_it_must(
    bucket: Bucket, recordings: Recordings, way: str, tmp_path: Path
) -> None:
    bucket.headers = (*bucket.headers, "Set-Cookie: id=7")
    for _ in range(2):
        assert await downloaded(recordings, bucket.url, way, tmp_path) == BODY
    for request in bucket.server.requests:
        lines = request.decode().splitlines()
        names = {line.partition(":")[0].lower() for line in lines[1:] if line}
        assert names == {"host", "accept", "accept-encoding", "user-agent"}
        assert header("Accept-Encoding", request) == "identity"
    assert (bucket.asked, bucket.server.connections) == (2, 1)


@pytest.mark.parametrize("end", ["closed", "reset"])
async def test_a_cut_body_goes_on_behind_what_came(
    bucket: Bucket, recordings: Recordings, way: str, tmp_path: Path, end: str
) -> None:
    bucket.faults.append(Cut(HALF, reset=end == "reset"))
    assert await downloaded(recordings, bucket.url, way, tmp_path) == BODY
    assert bucket.asked == 2
    first, second = bucket.server.requests
    assert (header("Range", first), header("If-Range", first)) == (None, None)
    start = int((header("Range", second) or "").removeprefix("bytes=").removesuffix("-"))
    assert start == HALF or (end == "reset" and 0 < start < HALF)  # a reset may overtake bytes
    assert header("If-Range", second) == '"v1"'


async def test_it_may_be_cut_again_and_again(
    bucket: Bucket, recordings: Recordings, way: str, tmp_path: Path, clock: FakeClock
) -> None:
    bucket.faults += [Cut(1000), Cut(2000), Cut(3000)]
    assert await downloaded(recordings, bucket.url, way, tmp_path) == BODY
    assert bucket.ranges() == [None, "bytes=1000-", "bytes=3000-", "bytes=6000-"]
    assert clock.slept == pytest.approx([0.1, 0.2, 0.4])


async def test_its_faults_are_counted_over_the_whole(
    bucket: Bucket, make: Make, way: str, tmp_path: Path, clock: FakeClock
) -> None:
    bucket.faults += [BROKEN, Cut(1000), BROKEN, Cut(2000), BROKEN]
    events: list[Event] = []
    recordings = make(retry=RetryPolicy(max_faults=4), subscribers=[events.append])
    with pytest.raises(ResponseLostError) as caught:
        await downloaded(recordings, bucket.url, way, tmp_path)
    assert bucket.ranges() == [None, None, "bytes=1000-", "bytes=1000-"]
    assert (caught.value.operation, caught.value.attempts) == ("GET (recording)", 4)
    assert [type(event) for event in events].count(Retrying) == 3
    assert isinstance(events[-1], CallEnded)
    assert (events[-1].attempts, events[-1].error) == (4, "ResponseLostError")
    assert len(clock.slept) == 3


@pytest.mark.parametrize("headers", [(), ('ETag: W/"v1"',), ("ETag: v1",)], ids=["none", "weak", "bare"])
async def test_without_a_strong_tag_a_file_begins_anew_and_a_stream_ends(
    bucket: Bucket, recordings: Recordings, way: str, tmp_path: Path, headers: tuple[str, ...]
) -> None:
    bucket.headers = headers
    bucket.faults.append(Cut(HALF))
    if way == "save":
        assert await downloaded(recordings, bucket.url, way, tmp_path) == BODY
    else:
        with pytest.raises(ResponseLostError, match="cut short"):
            await downloaded(recordings, bucket.url, way, tmp_path)
    assert bucket.ranges() == [None, None][: 1 + (way == "save")]


async def test_a_place_in_a_coded_body_is_none_in_the_recording(
    bucket: Bucket, recordings: Recordings, way: str, tmp_path: Path
) -> None:
    bucket.body = gzip.compress(BODY)
    bucket.headers = ('ETag: "v1"', "Content-Encoding: gzip")
    assert await downloaded(recordings, bucket.url, way, tmp_path) == BODY
    bucket.faults.append(Cut(len(bucket.body) - 5))
    if way == "save":
        assert await downloaded(recordings, bucket.url, way, tmp_path) == BODY
    else:
        with pytest.raises(ResponseLostError):
            await downloaded(recordings, bucket.url, way, tmp_path)
    assert bucket.ranges() == [None, None, None][: 2 + (way == "save")]


async def test_before_the_first_byte_a_stream_begins_anew_too(
    bucket: Bucket, recordings: Recordings, way: str, tmp_path: Path
) -> None:
    bucket.headers = ()
    bucket.faults.append(Cut(0))
    assert await downloaded(recordings, bucket.url, way, tmp_path) == BODY
    assert bucket.ranges() == [None, None]


class Replaced(Bucket):
    """Cut once, and then another version."""

    def answer(self, request: bytes) -> bytes:
        said = super().answer(request)
        self.replace()
        return said


async def test_bytes_of_two_versions_are_never_mixed(recordings: Recordings, way: str, tmp_path: Path) -> None:
    async with serving(Replaced(faults=deque([Cut(HALF)])).script) as server:
        if way == "save":
            assert await downloaded(recordings, server.url("/x"), way, tmp_path) == NEW_BODY
        else:
            with pytest.raises(ResponseLostError, match="the recording changed while it was read"):
                await downloaded(recordings, server.url("/x"), way, tmp_path)
        assert [header("If-Range", request) for request in server.requests] == [None, '"v1"']


async def test_a_bucket_that_knows_no_ranges(bucket: Bucket, recordings: Recordings, way: str, tmp_path: Path) -> None:
    bucket.faults += [Cut(HALF), reply(BODY, headers=bucket.headers)]
    if way == "save":
        assert await downloaded(recordings, bucket.url, way, tmp_path) == BODY
    else:
        with pytest.raises(ResponseLostError, match="or cannot be had in parts"):
            await downloaded(recordings, bucket.url, way, tmp_path)
    assert bucket.ranges() == [None, REST]


ODD_PARTS = {
    "of another version": Bucket(headers=('ETag: "v2"',)).part(HALF),
    "without a tag": Bucket(headers=()).part(HALF),
    "from elsewhere": Bucket().part(HALF - 1),
    "of another size": Bucket(body=BODY + b"x").part(HALF),
    "without a range": reply(BODY[HALF:], status="206 Partial Content", headers=('ETag: "v1"',)),
    "in several parts": reply(
        b"--x--", status="206 Partial Content", headers=('ETag: "v1"', "Content-Type: multipart/byteranges; boundary=x")
    ),
    "coded": Bucket().part(HALF, Content_Encoding="gzip"),
    "none": reply(status="416 Range Not Satisfiable", headers=("Content-Range: bytes */7",)),
    "nothing": reply(status="204 No Content"),
}


@pytest.mark.parametrize("odd", ODD_PARTS)
async def test_a_part_that_does_not_fit_is_not_joined(
    bucket: Bucket, recordings: Recordings, way: str, tmp_path: Path, odd: str
) -> None:
    bucket.faults += [Cut(HALF), ODD_PARTS[odd]]
    if way == "save":
        assert await downloaded(recordings, bucket.url, way, tmp_path) == BODY
    else:
        with pytest.raises(ProtocolError, match="the rest of the recording cannot be had"):
            await downloaded(recordings, bucket.url, way, tmp_path)
    assert bucket.ranges() == [None, REST, None][: 2 + (way == "save")]


async def test_a_part_may_end_early_or_not_tell_the_size(
    bucket: Bucket, recordings: Recordings, way: str, tmp_path: Path
) -> None:
    whole = f"/{len(BODY)}".encode()
    bucket.faults += [Cut(HALF), bucket.part(HALF, HALF + 100), bucket.part(HALF + 100).replace(whole, b"/*")]
    assert await downloaded(recordings, bucket.url, way, tmp_path) == BODY
    assert bucket.ranges() == [None, REST, f"bytes={HALF + 100}-"]


async def test_the_rest_may_be_refused_for_good(
    bucket: Bucket, recordings: Recordings, way: str, tmp_path: Path
) -> None:
    bucket.faults += [Cut(HALF), reply(status="403 Forbidden")]
    with pytest.raises(PermissionDeniedError):
        await downloaded(recordings, bucket.url, way, tmp_path)
    assert bucket.ranges() == [None, REST]


STATUSES: dict[HTTPStatus, type[ApiError]] = {
    HTTPStatus.FORBIDDEN: PermissionDeniedError,
    HTTPStatus.NOT_FOUND: NotFoundError,
    HTTPStatus.BAD_REQUEST: BadRequestError,
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: ApiError,
}


@pytest.mark.parametrize("status", STATUSES)
async def test_what_a_bucket_refuses_is_asked_for_once(
    bucket: Bucket, recordings: Recordings, way: str, tmp_path: Path, status: HTTPStatus
) -> None:
    secret = b"<Error><Code>AccessDenied</Code><Key>213/call_recordings/x.mp3</Key></Error>"
    said = f"{status.value} {status.phrase}"  # which is not the same in every Python
    bucket.faults.append(reply(secret, status=said))
    with pytest.raises(STATUSES[status]) as caught:
        await downloaded(recordings, bucket.url, way, tmp_path)
    assert (caught.value.attempts, caught.value.sent) == (1, True)
    assert f"{caught.value}" == f"{said} | GET (recording) | {caught.value.host}"
    assert caught.value.host == urlsplit(bucket.url).netloc
    assert bucket.asked == 1


SIGN_IN = reply(b"<html>", headers=("Content-Type: text/html; charset=utf-8",))


@pytest.mark.parametrize(
    "said", [reply(status="204 No Content"), Bucket().part(0), reply(status="202 Accepted"), SIGN_IN]
)
async def test_another_success_is_no_recording(
    bucket: Bucket, recordings: Recordings, way: str, tmp_path: Path, said: bytes
) -> None:
    bucket.faults.append(said)
    with pytest.raises(ProtocolError, match="the answer is no recording"):
        await downloaded(recordings, bucket.url, way, tmp_path)
    assert bucket.asked == 1


async def test_faults_of_the_service_are_asked_again(
    bucket: Bucket, recordings: Recordings, way: str, tmp_path: Path
) -> None:
    bucket.faults += [BROKEN, Cut(None), BROKEN.replace(b"500 ", b"502 ")]
    assert await downloaded(recordings, bucket.url, way, tmp_path) == BODY
    assert bucket.asked == 4


async def test_faults_that_stay_are_raised(bucket: Bucket, recordings: Recordings, way: str, tmp_path: Path) -> None:
    bucket.faults += [BROKEN] * 9
    with pytest.raises(ServerError) as caught:
        await downloaded(recordings, bucket.url, way, tmp_path)
    assert (caught.value.attempts, bucket.asked) == (4, 4)


async def test_a_refusal_pauses_as_long_as_it_says(
    bucket: Bucket, recordings: Recordings, way: str, tmp_path: Path, clock: FakeClock
) -> None:
    for status in ("429 Too Many Requests", "503 Slow Down"):
        bucket.faults += [reply(status=status, headers=("Retry-After: 7",))] * 3
    assert await downloaded(recordings, bucket.url, way, tmp_path) == BODY
    assert bucket.asked == 7
    assert 42 <= clock.now() < 60


async def test_patience_begins_anew_once_an_answer_came(
    bucket: Bucket, make: Make, way: str, tmp_path: Path, clock: FakeClock
) -> None:
    refusal = reply(status="503 Slow Down", headers=("Retry-After: 200",))
    bucket.faults += [refusal, Cut(HALF), refusal]
    assert await downloaded(make(), bucket.url, way, tmp_path) == BODY
    assert bucket.ranges() == [None, None, REST, REST]
    assert clock.now() >= 400


async def test_a_host_that_refuses_pauses_no_other(bucket: Bucket, make: Make, way: str, tmp_path: Path) -> None:
    recordings = make(hosts=["127.0.0.1", "localhost"], clock=None)
    bucket.faults.append(reply(status="503 Slow Down", headers=("Retry-After: 60",)))
    (tmp_path / "paused").mkdir()
    paused = asyncio.create_task(downloaded(recordings, bucket.url, way, tmp_path / "paused"))
    await until(lambda: bucket.asked == 1)
    await asyncio.sleep(0.05)
    (tmp_path / "other").mkdir()
    async with asyncio.timeout(10):
        elsewhere = bucket.url.replace("127.0.0.1", "localhost")
        assert await downloaded(recordings, elsewhere, way, tmp_path / "other") == BODY
    assert (paused.done(), bucket.asked) == (False, 2)
    paused.cancel()
    with pytest.raises(asyncio.CancelledError):
        await paused


async def test_nobody_there(recordings: Recordings, way: str, tmp_path: Path, clock: FakeClock) -> None:
    with pytest.raises(RequestNotSentError) as caught:
        await downloaded(recordings, "http://127.0.0.1:1/x", way, tmp_path)
    assert (caught.value.sent, caught.value.attempts) == (False, 4)
    assert clock.now() > 0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(
    bucket: Bucket, recordings: Recordings, way: str, tmp_path: Path, status: int
) -> None:
    async with serving(answers(reply(BODY))) as elsewhere:
        location = f"Location: {elsewhere.url('/secret')}"
        bucket.faults.append(reply(status=f"{status} Moved", headers=(location,)))
        with pytest.raises(UnexpectedRedirectError) as caught:
            await downloaded(recordings, bucket.url, way, tmp_path)
        assert elsewhere.connections == 0
    assert bucket.asked == 1
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("size", ["told", "untold"])
async def test_what_is_too_large_is_dropped(bucket: Bucket, make: Make, way: str, tmp_path: Path, size: str) -> None:
    most = len(BODY) - 1 if size == "told" else 1000
    bucket.hanging = True
    bucket.faults.append(reply(BODY) if size == "told" else chunked(*[BODY[:100]] * 1000))
    with pytest.raises(ResponseTooLargeError) as caught:
        await downloaded(make(max_bytes=most), bucket.url, way, tmp_path)
    assert (caught.value.limit, bucket.asked) == (most, 1)
    await bucket.server.all_hung_up()
    bucket.hanging = False
    assert await downloaded(make(max_bytes=len(BODY)), bucket.url, way, tmp_path) == BODY


async def test_a_rest_that_makes_it_too_large_is_dropped(bucket: Bucket, make: Make, way: str, tmp_path: Path) -> None:
    without_size = chunked(BODY[:HALF], headers=('ETag: "v1"',), end=b"")
    bucket.faults.append(Cut(len(without_size), answer=without_size))
    with pytest.raises(ResponseTooLargeError):
        await downloaded(make(max_bytes=HALF + 10), bucket.url, way, tmp_path)
    assert bucket.ranges() == [None, REST]


async def test_a_transport_of_ones_own_is_used_and_left_open(way: str, tmp_path: Path) -> None:
    transport = FakeTransport(answer(status=500), answer(b"sound", headers={"ETag": '"a"'}), answer())
    async with Recordings(transport=transport, clock=FakeClock()) as recordings:
        url = "https://voxloud.s3.amazonaws.com/x"
        assert await downloaded(recordings, url, way, tmp_path) == b"sound"
        assert await downloaded(recordings, url, way, tmp_path) == b"", "a recording may be empty"
    assert (len(transport.requests), transport.left, transport.closed) == (3, 0, False)
    assert not any("Voverc-Auth" in request.headers for request in transport.requests)
