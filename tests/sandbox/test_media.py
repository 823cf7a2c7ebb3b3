"""The bucket of the sandbox: what records link to lies there, for everybody who knows the link."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.conftest import Api, Reply, events_of
from voxloud_async.sandbox import Quirks, Sandbox
from voxloud_async.sandbox.town.sheets import sheets
from voxloud_async.sandbox.town.sound import silence

if TYPE_CHECKING:
    from tests.sandbox.conftest import Serve


@pytest.fixture
async def api(serve: Serve) -> Api:
    return await serve(media_url=None)


async def recorded(api: Api) -> dict[str, Any]:
    return next(row for row in await events_of(api) if row.get("recordingUrl"))


async def fetch(api: Api, url: str, method: str = "GET", **headers: str) -> Reply:
    assert url.startswith(api.sandbox.url)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await api.ask(method, url.removeprefix(api.sandbox.url), headers=named)


async def test_links_lead_to_the_sandbox_itself(api: Api) -> None:
    row = await recorded(api)
    pbx = api.sandbox.state.directory.pbx_id
    lies = f"{api.sandbox.url}/media/{pbx}/call_recordings/call_recording_{row['callId']}.mp3"
    assert row["recordingUrl"] == lies
    reply = await fetch(api, lies)
    assert (reply.status, reply.headers["Content-Type"]) == (200, "audio/mpeg")
    assert reply.body == silence(f"call_recording_{row['callId']}.mp3", row["duration"])
    assert reply.headers["Accept-Ranges"] == "bytes"
    again = await fetch(api, lies)
    assert (again.body, again.headers["ETag"]) == (reply.body, reply.headers["ETag"])


async def test_each_recording_has_bytes_of_its_own(api: Api) -> None:
    urls = [row["recordingUrl"] for row in await events_of(api) if row.get("recordingUrl")]
    replies = [await fetch(api, url) for url in dict.fromkeys(urls)]
    assert {reply.status for reply in replies} == {200}
    assert len({reply.headers["ETag"] for reply in replies}) == len({reply.body for reply in replies}) == len(replies)


async def test_voicemails_of_placed_calls_too(serve: Serve) -> None:
    api = await serve(media_url=None, events=0)
    api.sandbox.place_call("INBOUND", answered=False, voicemail=True)
    await api.sandbox.drain()
    (row,) = await events_of(api)
    assert (await fetch(api, row["voicemail_url"])).headers["Content-Type"] == "audio/mpeg"


async def test_faxes_are_documents(serve: Serve) -> None:
    api = await serve(media_url=None, quirks={"single_fax": "document", "single_event": "bare"})
    row = next(row for row in await events_of(api) if row["type"] == "FAX_CALL")
    fax = await api.get(f"/api/v1/telephony-events/{row['id']}")
    reply = await fetch(api, fax["attachment_url"])
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/pdf")
    assert reply.body == sheets(f"Fax {row['id']}", fax["total_pages"])


RANGES = [
    ("bytes=0-", 0, None),
    ("bytes=100-", 100, None),
    ("bytes=100-199", 100, 200),
    ("bytes=100-99999999", 100, None),
    ("bytes=-10", -10, None),
    ("bytes=-99999999", 0, None),
]


@pytest.mark.parametrize(("wanted", "start", "end"), RANGES)
async def test_a_part_may_be_had(api: Api, wanted: str, start: int, end: int | None) -> None:
    url = (await recorded(api))["recordingUrl"]
    whole = await fetch(api, url)
    part = await fetch(api, url, Range=wanted, If_Range=whole.headers["ETag"])
    size = len(whole.body)
    first, last = start % size, (size if end is None else end) - 1
    assert (part.status, part.body) == (206, whole.body[start:end])
    assert part.headers["Content-Range"] == f"bytes {first}-{last}/{size}"
    assert part.headers["ETag"] == whole.headers["ETag"]


@pytest.mark.parametrize(
    "headers", [{"Range": "bytes=10-", "If_Range": '"other"'}, {"Range": "lines=1-"}, {"Range": "bytes=0-1,5-6"}]
)
async def test_what_is_no_part_is_the_whole(api: Api, headers: dict[str, str]) -> None:
    url = (await recorded(api))["recordingUrl"]
    reply = await fetch(api, url, **headers)
    assert (reply.status, reply.body) == (200, (await fetch(api, url)).body)


@pytest.mark.parametrize("wanted", ["bytes=99999999-", "bytes=5-4", "bytes=-0"])
async def test_a_part_that_is_not_there(api: Api, wanted: str) -> None:
    url = (await recorded(api))["recordingUrl"]
    size = len((await fetch(api, url)).body)
    reply = await fetch(api, url, Range=wanted)
    assert (reply.status, reply.headers["Content-Range"]) == (416, f"bytes */{size}")


async def test_of_head_there_is_no_body(api: Api) -> None:
    url = (await recorded(api))["recordingUrl"]
    whole, head = await fetch(api, url), await fetch(api, url, "HEAD")
    assert (head.status, head.body, head.headers["ETag"]) == (200, b"", whole.headers["ETag"])
    assert head.headers["Content-Length"] == str(len(whole.body))


async def test_nothing_may_be_put_there(api: Api) -> None:
    reply = await fetch(api, (await recorded(api))["recordingUrl"], "PUT")
    assert (reply.status, reply.headers["Allow"]) == (405, "GET, HEAD")


async def test_what_no_record_tells_of_is_not_there(api: Api) -> None:
    row = await recorded(api)
    call_id, url = row["callId"], row["recordingUrl"]
    fax = next(each["id"] for each in await events_of(api) if each["type"] == "FAX_CALL")
    pbx = api.sandbox.state.directory.pbx_id
    for wrong in (
        url.replace(call_id, "0" * 32),
        url.replace("call_recording_", "vm_"),
        url.replace(f"/{pbx}/", "/1/"),
        f"{url}x",
        f"{api.sandbox.url}/media/",
        f"{api.sandbox.url}/media/{pbx}/fax_{row['id']}.pdf",
        f"{api.sandbox.url}/media/{pbx}/fax_1.pdf",
        f"{api.sandbox.url}/media/1/fax_{fax}.pdf",
    ):
        assert (await fetch(api, wrong)).status == 404, wrong
    assert (await fetch(api, f"{api.sandbox.url}/media/{pbx}/fax_{fax}.pdf")).status == 200
    api.sandbox.state.events.remove(row["id"])
    assert (await fetch(api, url)).status == 404


async def test_it_is_told_whether_a_key_came() -> None:
    async with Sandbox(events=0) as sandbox:
        import aiohttp  # noqa: PLC0415 - a session without the key

        async with aiohttp.ClientSession() as session:
            for headers in ({}, {"Voverc-Auth": "wrong"}, {"voverc-auth": sandbox.api_key}):
                async with session.get(f"{sandbox.url}/media/1/fax_1.pdf", headers=headers) as response:
                    assert response.status == 404
        assert [request.with_key for request in sandbox.requests] == [False, True, True]


async def test_links_may_be_the_same_whatever_the_port(serve: Serve) -> None:
    first, second = [await serve(media_url="https://media.example") for _ in range(2)]
    assert await events_of(first) == await events_of(second)
    url = (await recorded(first))["recordingUrl"]
    path = url.removeprefix("https://media.example")
    assert (await first.ask("GET", f"/media{path}")).body == (await second.ask("GET", f"/media{path}")).body != b""


def test_before_it_runs_links_lead_nowhere() -> None:
    sandbox = Sandbox(events=200, quirks=Quirks())
    urls = [sandbox.state.events[each].get("recordingUrl") for each in sandbox.state.events.ids]
    assert {url.partition("/2")[0][:21] for url in urls if url} == {"https://media.example"}


@pytest.mark.parametrize(("seconds", "frames"), [(0, 1), (1, 28), (60, 1667), (3600, 1667)])
def test_silence_has_its_length(seconds: int, frames: int) -> None:
    body = silence("x.mp3", seconds)
    assert len(body) == 36 * frames
    assert all(body.startswith(b"\xff\xf3\x18\xc0" + bytes(9), start) for start in range(0, len(body), 36))


@pytest.mark.parametrize("pages", [1, 3])
def test_a_document_tells_where_its_objects_are(pages: int) -> None:
    body = sheets("Fax 7", pages)
    start = int(body.rpartition(b"startxref\n")[2].split()[0])
    table = body[start:].splitlines()
    assert (table[0], table[1]) == (b"xref", b"0 %d" % (4 + 2 * pages))
    places = [int(line[:10]) for line in table[3 : 3 + 3 + 2 * pages]]
    assert [body[place:].split()[:3] for place in places] == [
        [b"%d" % number, b"0", b"obj"] for number in range(1, 4 + 2 * pages)
    ]
    assert body.count(b"/Type /Page ") == pages
