"""Requests byte by byte: who waits to continue, and what cannot be read."""

from __future__ import annotations

import asyncio
import gzip
import json
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from attrs import frozen

from voxloud_async.sandbox import Fault, journal

if TYPE_CHECKING:
    from tests.sandbox.conftest import Api, Serve

CONTACTS = "/api/v1/contacts"
CONTACT = b'{"first_name":"Ada","primary_phone":"+390312345678"}'
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@frozen
class Wire:
    """A connection on which nothing is sent but what the test says."""

    api: Api
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def to(cls, api: Api) -> Wire:
        return cls(api, *await asyncio.open_connection("127.0.0.1", int(api.sandbox.url.rpartition(":")[2])))

    def head(self, length: int, *headers: str, version: str = "1.1") -> None:
        lines = (
            f"POST {CONTACTS} HTTP/{version}",
            "Host: sandbox",
            f"Voverc-Auth: {self.api.sandbox.api_key}",
            "Content-Type: application/json",
            f"Content-Length: {length}",
            *headers,
        )
        self.writer.write("".join(f"{line}\r\n" for line in lines).encode() + b"\r\n")

    async def interim(self) -> bytes:
        async with asyncio.timeout(5):
            return await self.reader.readuntil(b"\r\n\r\n")

    async def answer(self) -> tuple[int, dict[str, str], Any]:
        """Status, headers by lower-case names, and the JSON."""
        status, *lines = (await self.interim()).decode().strip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        async with asyncio.timeout(5):
            body = await self.reader.readexactly(int(headers["content-length"]))
        return int(status.split()[1]), headers, json.loads(body)

    async def close(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()


async def test_who_expects_to_continue_is_answered_before_the_body_is_sent(api: Api) -> None:
    wire = await Wire.to(api)
    for _ in range(2):  # and the connection is fit for the next request
        wire.head(len(CONTACT), "Expect: 100-Continue")
        assert await wire.interim() == CONTINUE
        wire.writer.write(CONTACT)
        assert (await wire.answer())[0] == 200
    assert api.sandbox.count("POST", CONTACTS, 200) == 2
    await wire.close()


async def test_http_1_0_knows_no_interim_answer(api: Api) -> None:
    wire = await Wire.to(api)
    wire.head(len(CONTACT), "Expect: 100-continue", version="1.0")
    wire.writer.write(CONTACT)
    assert (await wire.answer())[0] == 200
    await wire.close()


async def test_another_expectation_is_refused(api: Api) -> None:
    wire = await Wire.to(api)
    wire.head(0, "Expect: a-miracle")
    status, _, error = await wire.answer()
    assert (status, error["error"], error["path"]) == (417, "Expectation Failed", CONTACTS)
    await wire.close()


async def test_a_body_too_large_is_refused_before_it_is_sent(api: Api) -> None:
    wire = await Wire.to(api)
    wire.head(1024**2 + 1, "Expect: 100-continue")
    status, _, error = await wire.answer()
    assert (status, error["status"], error["path"]) == (413, 413, CONTACTS)
    assert error["message"] == "the body must have at most 1048576 bytes"
    assert [(each.status, each.path) for each in api.sandbox.requests] == [(413, CONTACTS)]
    await wire.close()


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_a_body_over_a_mebibyte_is_refused_in_the_shape_of_the_api(api: Api, encoding: str) -> None:
    body = b" " * 1024**2 + CONTACT
    data = gzip.compress(body) if encoding == "gzip" else body
    headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
    message = await api.refused(413, "POST", CONTACTS, data=BytesIO(data), headers=headers)
    assert message == "the body must have at most 1048576 bytes"
    assert await api.get(CONTACTS)


async def test_a_body_that_just_fits_is_read(api: Api) -> None:
    body = CONTACT + b" " * (1024**2 - len(CONTACT))
    reply = await api.ask("POST", CONTACTS, data=body, headers={"Content-Type": "application/json"})
    assert reply.status == 200


async def test_a_gzip_body_is_read(api: Api) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    reply = await api.ask("POST", CONTACTS, data=gzip.compress(CONTACT), headers=headers)
    assert (reply.status, reply.json["first_name"]) == (200, "Ada")


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_body_that_cannot_be_decoded_is_a_400_of_the_api(api: Api, encoding: str) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
    message = await api.refused(400, "POST", CONTACTS, data=b"no gzip", headers=headers)
    assert message == "the body cannot be decoded"
    assert api.sandbox.count("POST", CONTACTS, 400) == 1


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /api/v2/users HTTP/1.1\r\nVoverc-Auth: my-secret-key\x00\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"my-secret-key" * 1000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nmy-secret-key\r\n",
        b"\x16\x03\x01my-secret-key\r\n\r\n",
    ],
)
async def test_a_malformed_request_is_a_400_of_the_api_without_its_bytes(api: Api, sent: bytes) -> None:
    wire = await Wire.to(api)
    wire.writer.write(sent)
    status, headers, error = await wire.answer()
    assert (status, headers["content-type"]) == (400, "application/json")
    assert "30 Jun 2026 16:00:0" in headers["date"]
    assert error["message"] == "the request is not well-formed HTTP"
    assert "my-secret-key" not in json.dumps(error)
    assert await wire.reader.read() == b""
    await wire.close()


async def test_the_weather_comes_before_what_cannot_be_read(serve: Serve) -> None:
    api = await serve()
    api.sandbox.fail_next(Fault(status=503))
    await api.refused(503, "POST", CONTACTS, data=b"no gzip", headers={"Content-Encoding": "gzip"})


async def test_requests_and_placed_calls_are_kept_up_to_a_bound(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "KEPT", 3)
    for number in range(5):
        await api.ask("GET", f"{CONTACTS}/{number}")
    assert [each.path[-1] for each in api.sandbox.requests] == ["2", "3", "4"]
    body = {"name": "a", "extension": "101", "outboundNumber": "+390612345678"}
    made = await api.post("/api/v1/click-to-call", body)
    for number in range(5):
        await api.post(f"/api/v1/click-to-call/{made['id']}/connect", {"contact": f"+3998765432{number}"})
    assert [each.contact[-1] for each in api.sandbox.calls_placed] == ["2", "3", "4"]


async def test_kept_bodies_are_bounded_too(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_BODY_BYTES", 5)
    api = await serve(keep_bodies=True)
    for body in (b"12", b"", b"34", b"56"):
        await api.ask("POST", CONTACTS, data=body)
    assert [each.body for each in api.sandbox.requests] == [None, b"", b"34", b"56"]
