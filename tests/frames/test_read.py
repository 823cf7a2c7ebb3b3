"""Frames that are read from a list: the rows that iterating it gives, whatever moves meanwhile."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from attrs import define, field

from tests.frames.rows import CALL
from voxloud_async import VoxloudClient
from voxloud_async.frames import ContactFrame, EventFrame
from voxloud_async.sandbox import Drift, Quirks, Sandbox
from voxloud_async.testing import FakeTransport, answer
from voxloud_async.wire.message import Request, Response


@pytest.mark.parametrize(
    "quirks", [Quirks(), Quirks(event_times="epoch_ms"), Quirks(first_page=1, interval="half_open")]
)
async def test_a_listing_is_read_as_it_is_iterated(quirks: Quirks) -> None:
    async with (
        Sandbox(quirks=quirks, contacts=120, events=700, users=3, groups=2) as sandbox,
        VoxloudClient(sandbox.api_key, base_url=sandbox.url, rate=None) as client,
    ):
        middle = sandbox.now - timedelta(days=90)
        events = [
            client.telephony_events.query(page_size=50),
            client.telephony_events.query(page_size=50, date_time_from=middle, date_time_to=sandbox.now, max_items=170),
        ]
        people = client.contacts.search(page_size=30)
        frames: list[Any] = [await EventFrame.read(each) for each in events]
        frames.append(await ContactFrame.read(people))
        lists: list[Any] = [*[await each.collect() for each in events], await people.collect()]
    assert [len(rows) for rows in lists] == [700, 170, 120]
    for frame, rows in zip(frames, lists, strict=True):
        assert frame.to_arrow().column("id").to_pylist() == [row.id for row in rows]


async def test_rows_that_arrive_and_go_while_a_frame_is_read_make_no_double() -> None:
    drift = Drift(seed=5, arrivals=3, removals=2, changes=2)
    async with (
        Sandbox(contacts=5, events=700, users=3, groups=2, drift=drift) as sandbox,
        VoxloudClient(sandbox.api_key, base_url=sandbox.url, rate=None) as client,
    ):
        before = set(sandbox.state.events.ids)
        frame = await EventFrame.read(client.telephony_events.query(page_size=50))
        stayed = before & set(sandbox.state.events.ids)
    ids = frame.to_arrow().column("id").to_pylist()
    assert len(ids) == len(set(ids))
    assert stayed <= set(ids)
    assert stayed < before


async def test_a_frame_goes_on_where_a_cursor_says() -> None:
    async with (
        Sandbox(contacts=120, events=300, users=3, groups=2) as sandbox,
        VoxloudClient(sandbox.api_key, base_url=sandbox.url, rate=None) as client,
    ):
        lists: list[tuple[Any, Any]] = [
            (EventFrame, client.telephony_events.query),
            (ContactFrame, client.contacts.search),
        ]
        for kind, query in lists:
            cursor = (await anext(query(page_size=50).pages())).cursor
            for most in (None, 60):
                rows = await query(page_size=50, max_items=most, cursor=cursor).collect()
                frame = await kind.read(query(page_size=50, max_items=most, cursor=cursor))
                assert frame.to_arrow().column("id").to_pylist() == [row.id for row in rows]


@pytest.mark.parametrize("is_enveloped", [True, False])
async def test_t5_rows_from_outside_of_the_interval_are_left_out_and_not_counted(is_enveloped: bool) -> None:  # noqa: FBT001
    noon = datetime(2026, 6, 30, 12, tzinfo=UTC)
    stamps = [noon + timedelta(hours=each) for each in range(-2, 3)]
    rows: list[Any] = [CALL | {"id": number, "timestamp": stamp.isoformat()} for number, stamp in enumerate(stamps)]
    if is_enveloped:
        rows = [{"type": "PHONE_CALL", "timestamp": noon.isoformat(), "data": row} for row in rows]
    content = {"content": [*rows, {"id": 9, "type": "X"}], "last": True}
    client = VoxloudClient("key", transport=FakeTransport(*[answer(content)] * 10), base_url="https://api.example")
    for since, until, most, left in [
        (None, None, None, [0, 1, 2, 3, 4, 9]),
        (stamps[1], None, None, [1, 2, 3, 4, 9]),
        (None, stamps[3], None, [0, 1, 2, 3, 9]),
        (stamps[1], stamps[3], None, [1, 2, 3, 9]),
        (stamps[1], stamps[3], 2, [1, 2]),
    ]:
        query = client.telephony_events.query(date_time_from=since, date_time_to=until, max_items=most)
        assert [row.id for row in await query.collect()] == left
        assert (await EventFrame.read(query)).to_arrow().column("id").to_pylist() == left


@define
class Boundless:
    """A service that looks at no bounds: twenty calls, one an hour."""

    rows: list[Any] = field(
        factory=lambda: [CALL | {"id": each, "timestamp": f"2026-06-30T{each:02}:00:00.000+0000"} for each in range(20)]
    )

    async def send(self, request: Request, *, timeout: float) -> Response:  # noqa: ARG002, ASYNC109 - the contract
        query = dict(parse_qsl(urlsplit(request.url).query))
        size, number = int(query["size"]), int(query.get("page", "0"))
        rows = self.rows[size * number : size * (number + 1)]
        is_last = size * (number + 1) >= len(self.rows)
        return answer({"content": rows, "last": is_last, "totalElements": 20, "size": size, "number": number})

    async def aclose(self) -> None: ...


async def test_t5_pages_from_outside_of_the_interval_do_not_count() -> None:
    client = VoxloudClient("key", transport=Boundless(), base_url="https://api.example")
    since = datetime(2026, 6, 30, 15, tzinfo=UTC)
    query = client.telephony_events.query(date_time_from=since, page_size=4, max_items=4)
    assert [row.id for row in await query.collect()] == [15, 16, 17, 18]
    assert (await EventFrame.read(query)).to_arrow().column("id").to_pylist() == [15, 16, 17, 18]
    bodies = [json.loads(body) async for body in query.pages(raw=True)]
    assert {row["id"] for body in bodies for row in body["content"]} >= {15, 16, 17, 18}
