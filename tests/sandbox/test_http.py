from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from voxloud_async.sandbox import Sandbox, Weather
from voxloud_async.sandbox.accept import preferred
from voxloud_async.sandbox.exchange import RefusalError

if TYPE_CHECKING:
    from tests.sandbox.conftest import Api, HeldSleep, Serve

BOTH = ("application/json", "text/csv")


async def test_an_error_has_springs_body(api: Api) -> None:
    reply = await api.ask("GET", "/api/v1/contacts/nobody")
    error = reply.json
    assert error.pop("timestamp").startswith("2026-06-30T16:00:0")
    assert error == {
        "status": 404,
        "error": "Not Found",
        "message": "contact not found",
        "path": "/api/v1/contacts/nobody",
    }


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", "/api/v1/contacts", "GET, POST"),
        ("PATCH", "/api/v1/contacts/1", "GET, PUT, POST, DELETE"),
        ("GET", "/api/v1/validate-auth", "POST"),
        ("PUT", "/api/v1/telephony-events", "GET, POST"),
        ("OPTIONS", "/api/v2/users", "GET"),
        ("GET", "/api/v1/click-to-call/1/connect", "POST"),
        ("PUT", "/api/v1/click-to-call/1", "GET, DELETE"),
    ],
)
async def test_405_tells_what_is_allowed(api: Api, method: str, path: str, allow: str) -> None:
    reply = await api.ask(method, path, json={})
    assert (reply.status, reply.headers["Allow"]) == (405, allow)


@pytest.mark.parametrize(
    "path",
    ["/", "/api", "/api/v1/", "/api/v1/contacts/", "/api/v2/contacts", "/api/v1/contacts/1/phones", "/api/v1/Contacts"],
)
async def test_404_outside_the_api(api: Api, path: str) -> None:
    assert await api.refused(404, "GET", path) == "no such path"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"text"', b"null", b"\xff\xfe", b'{"a": NaN}', b'{"a": "\\ud800"}', b"[" * 100_000]
)
async def test_400_when_the_body_is_no_json_object(api: Api, body: bytes) -> None:
    for path in ("/api/v1/contacts", "/api/v1/telephony-events"):
        await api.refused(400, "POST", path, data=body, headers={"Content-Type": "application/json"})


async def test_the_content_type_may_be_missing_but_not_another(api: Api) -> None:
    missing = await api.ask("POST", "/api/v1/telephony-events", data=b"{}", skip_auto_headers=["Content-Type"])
    assert missing.status == 200
    other = {"Content-Type": "application/xml"}
    message = await api.refused(400, "POST", "/api/v1/telephony-events", data=b"{}", headers=other)
    assert message == "the body must be application/json"


async def test_406_for_a_format_that_is_not_json(api: Api) -> None:
    for accept in ("text/html", "text/csv", "application/json;q=0", "application/xml, image/*"):
        await api.refused(406, "GET", "/api/v2/users", headers={"Accept": accept})
    await api.refused(406, "POST", "/api/v1/telephony-events", json={}, headers={"Accept": "text/html"})


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("text/csv", "text/csv"),
        ("text/*", "text/csv"),
        ("TEXT/CSV; charset=utf-8", "text/csv"),
        ("text/csv, application/json", "text/csv"),
        ("text/csv;q=0.5, application/json", "application/json"),
        ("application/json;q=0.1, text/csv; q=0.2", "text/csv"),
        ("text/csv;q=much, application/json;q=0.1", "application/json"),
    ],
)
def test_the_preferred_format(accept: str, media_type: str) -> None:
    assert preferred(accept, BOTH) == media_type


def test_no_format_at_all() -> None:
    with pytest.raises(RefusalError, match="only application/json and text/csv can be produced") as refusal:
        preferred("image/png", BOTH)
    assert refusal.value.status == 406


async def test_what_arrived_is_noted_without_its_body(api: Api) -> None:
    await api.post("/api/v1/contacts", {"first_name": "J", "primary_phone": "+391234"})
    await api.ask("GET", "/api/v1/contacts/x?secret=1")
    await api.ask("GET", "/api/v1/contacts")
    sandbox = api.sandbox
    assert [(each.method, each.path, each.query, each.status) for each in sandbox.requests] == [
        ("POST", "/api/v1/contacts", "", 200),
        ("GET", "/api/v1/contacts/x", "secret=1", 404),
        ("GET", "/api/v1/contacts", "", 200),
    ]
    assert all(each.executed and not each.refused and each.body is None for each in sandbox.requests)
    assert sandbox.requests[0].at <= sandbox.requests[-1].at < 5
    assert "secret" not in repr(sandbox.requests)
    counts: dict[tuple[Any, ...], int] = {
        (): 3,
        ("GET",): 2,
        ("GET", "/api/v1/contacts/"): 1,
        (None, "/api/v1/contacts", 200): 2,
        ("GET", "/", 500): 0,
    }
    assert {each: sandbox.count(*each) for each in counts} == counts


async def test_bodies_are_kept_on_demand(serve: Serve) -> None:
    api = await serve(keep_bodies=True)
    await api.ask("POST", "/api/v1/contacts", data=b"{}")
    assert api.sandbox.requests[0].body == b"{}"


async def test_start_and_stop(serve: Serve) -> None:
    sandbox = Sandbox(events=0, contacts=0)
    with pytest.raises(RuntimeError, match="not running"):
        _ = sandbox.url
    await sandbox.stop()
    await sandbox.start()
    assert sandbox.url.startswith("http://127.0.0.1:")
    with pytest.raises(RuntimeError, match="the sandbox is running"):
        await sandbox.start()
    port = int(sandbox.url.rpartition(":")[2])
    with pytest.raises(OSError, match="address already in use"):
        await serve(port=port)
    await sandbox.stop()
    await sandbox.start()
    await sandbox.stop()
    assert (await serve(port=port)).sandbox.url.endswith(f":{port}")


async def test_an_address_of_ipv6_stands_in_brackets(serve: Serve) -> None:
    api = await serve(host="::1")
    assert api.sandbox.url.startswith("http://[::1]:")
    assert await api.get("/api/v2/users")


async def test_a_stop_waits_for_nobody(serve: Serve, held: HeldSleep) -> None:
    api = await serve(weather=Weather(latency=1.0), sleep=held.sleep)
    asking = asyncio.create_task(api.ask("GET", "/api/v2/users"))
    await held.asleep.acquire()
    async with asyncio.timeout(5):
        await api.sandbox.stop()
        with pytest.raises(aiohttp.ClientConnectionError):
            await asking


async def test_nothing_of_a_malformed_request_is_logged(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(api.sandbox.url.rpartition(":")[2]))
    writer.write(b"GET / HTTP/1.1\r\nVoverc-Auth: my-secret-key\x00\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.0 400")
    writer.close()
    await writer.wait_closed()
    assert "my-secret-key" not in caplog.text


async def test_raw_bytes_in_a_header_harm_nothing(api: Api) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(api.sandbox.url.rpartition(":")[2]))
    writer.write(b"GET /api/v2/users HTTP/1.1\r\nHost: a\r\nVoverc-Auth: \xff\r\nAccept: \xff\r\n\r\n")
    assert await reader.readline() == b"HTTP/1.1 401 Unauthorized\r\n"
    writer.close()
    await writer.wait_closed()


async def test_a_bug_is_a_500_and_is_logged(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    api.sandbox.state.contacts = None  # type: ignore[assignment] # a broken state is what is wanted
    await api.refused(500, "GET", "/api/v1/contacts")
    assert "the sandbox itself failed" in caplog.text


def test_time_goes_on_from_now() -> None:
    sandbox = Sandbox(now=datetime(2020, 1, 1, tzinfo=UTC), events=10, clock=iter(range(100)).__next__)
    before = sandbox.state.clock()
    assert sandbox.state.clock() - before == 1000
    assert sandbox.state.events.moment(8009) <= 1577836800000


def test_the_start_needs_a_timezone() -> None:
    with pytest.raises(ValueError, match="now needs a timezone"):
        Sandbox(now=datetime(2026, 1, 1))  # noqa: DTZ001 - what is refused
