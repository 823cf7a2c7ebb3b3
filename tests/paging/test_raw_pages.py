"""Raw pages: the bytes that came, read by the rules of every other list."""

from __future__ import annotations

import json

import pytest
from attrs import evolve

from benchmarks.streaming.shifting import Row, Shifting
from tests.paging.calm import calm
from voxloud_async import VoxloudClient
from voxloud_async.errors import DecodeError
from voxloud_async.paging import Listing
from voxloud_async.paging.addressing import PageRequest
from voxloud_async.paging.listing import Reading
from voxloud_async.paging.source import Fetched
from voxloud_async.sandbox import Sandbox
from voxloud_async.testing import FakeTransport, answer


async def test_raw_pages_are_the_bytes_that_came() -> None:
    async with (
        Sandbox(events=500, contacts=90, keep_bodies=True) as sandbox,
        VoxloudClient(sandbox.api_key, base_url=sandbox.url, rate=None) as client,
    ):
        bodies = [json.loads(body) async for body in client.telephony_events.query(page_size=100).pages(raw=True)]
        assert bodies[0]["size"] == 100
        assert bodies[0]["totalElements"] == 500
        assert {row["id"] for body in bodies for row in body["content"]} == set(sandbox.state.events.ids)
        found = [json.loads(body) async for body in client.contacts.search(page_size=40).pages(raw=True)]
        assert {row["id"] for body in found for row in body["data"]} == set(sandbox.state.contacts)
        assert len(found) == 3
        few = client.telephony_events.query(page_size=100, max_items=120).pages(raw=True)
        assert len([body async for body in few]) == 2


async def test_raw_pages_lose_no_row_that_stays() -> None:
    service = calm(seed=5, inserts=9, deletes=9)
    seen = [json.loads(body) async for body in raw(service).pages(raw=True)]
    assert service.always <= {number for body in seen for number in body}


def raw(service: Shifting) -> Listing[Row]:
    source = service.source()

    async def fetch(ask: PageRequest) -> Fetched[Row]:
        page = (await service.fetch(ask)).page
        return Fetched(page, json.dumps([row.id for row in page.items]).encode())

    return Listing(source, evolve(source, fetch=fetch), Reading(prefetch=4))


async def test_a_raw_page_of_something_else_is_a_decode_error() -> None:
    client = VoxloudClient("key", transport=FakeTransport(answer(b"<html>")), base_url="https://api.example")
    with pytest.raises(DecodeError) as caught:
        await anext(client.contacts.search().pages(raw=True))
    assert caught.value.operation == "GET /api/v1/contacts"


async def test_a_raw_row_that_nests_too_deeply_to_be_known_is_a_decode_error() -> None:
    page = b'{"content": [{"a": ' + b"[" * 100 + b"]" * 100 + b"}]}"
    client = VoxloudClient("key", transport=FakeTransport(answer(page)), base_url="https://api.example")
    with pytest.raises(DecodeError, match="deep"):
        await anext(client.telephony_events.query().pages(raw=True))


async def test_raw_rows_without_id_or_time() -> None:
    page = {"content": [{"a": 1}, {"a": 2}, 3, {"a": 1}, {"id": [4]}], "last": True}
    client = VoxloudClient("key", transport=FakeTransport(answer(page)), base_url="https://api.example")
    assert [json.loads(body) async for body in client.telephony_events.query().pages(raw=True)] == [page]
