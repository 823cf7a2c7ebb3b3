"""Telephony events, against the sandbox."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import pytest

from voxloud_async import VoxloudClient
from voxloud_async.errors import BadRequestError, NotFoundError
from voxloud_async.models import (
    ClickToCallCall,
    Fax,
    FaxCall,
    PhoneCall,
    PhoneKind,
    PhoneNumber,
    TelephonyEvent,
    UnknownEvent,
)
from voxloud_async.paging import Progress
from voxloud_async.sandbox import NOW, Fault, Quirks
from voxloud_async.testing import FakeTransport, answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.resources.conftest import Serve, Served
    from voxloud_async.sandbox import Sandbox


def sent(sandbox: Sandbox) -> Any:
    return json.loads(sandbox.requests[-1].body or b"null")


async def test_t10_a_query_asks_for_the_oldest_first(client: VoxloudClient, sandbox: Sandbox) -> None:
    events = await client.telephony_events.query(page_size=50).collect()
    assert [each.id for each in events] == list(sandbox.state.events.ids)
    queries = [dict(parse_qsl(each.query)) for each in sandbox.requests]
    assert [each["sort"] for each in queries] == ["timestamp,asc"] * 3
    assert {each["size"] for each in queries} <= {"50", "49", "48", "47"}, "no more than page_size, and nearly as many"
    assert queries[0] == {"size": "50", "sort": "timestamp,asc"}
    second, third = ((int(each["size"]), int(each["page"])) for each in queries[1:])
    assert second[0] * second[1] < 50 - 1, "it reaches back over the page before"
    assert third[0] * third[1] < second[0] * (second[1] + 1) - 1
    assert third[0] * (third[1] + 1) >= 130
    assert sent(sandbox) == {}, "an end that is left open stays open"


async def test_a_query_may_leave_the_order_open(client: VoxloudClient, sandbox: Sandbox) -> None:
    assert len(await client.telephony_events.query(sort=None, page_size=200).collect()) == 130
    assert sandbox.requests[0].query == "size=200"


async def test_a_query_sends_number_and_interval(client: VoxloudClient, sandbox: Sandbox) -> None:
    start, end = NOW - timedelta(days=30), NOW - timedelta(days=10)
    events = await client.telephony_events.query(number="+390612", date_time_from=start, date_time_to=end).collect()
    assert events == []
    assert sent(sandbox) == {
        "number": "+390612",
        "date_time_from": "2026-05-31T16:00:00.000Z",
        "date_time_to": "2026-06-20T16:00:00.000Z",
    }
    for event in await client.telephony_events.query(date_time_from=start, date_time_to=end).collect():
        assert event.timestamp is not None
        assert start <= event.timestamp <= end


@pytest.mark.parametrize("match", ["exact", "suffix"])
async def test_t6_a_number_is_found_in_one_of_its_spellings(serve: Serve, match: Any) -> None:
    served = await serve(Quirks(number_match=match), events=400)
    query = served.client.telephony_events.query
    known = {event.id: PhoneNumber.parse(event.originator_number or "") async for event in query()}
    number = next(each for each in known.values() if each.kind is PhoneKind.E164)
    national = number.spellings("39")[-1]
    found: dict[Any, TelephonyEvent] = {}
    for spelling in PhoneNumber.parse(national).spellings("39"):
        found |= {event.id: event async for event in query(number=spelling)}
    assert {*found} >= {event for event, each in known.items() if each.e164 == number.e164} != set()
    if match == "exact":
        assert await query(number=national).collect() == []


async def test_every_kind_of_record_has_its_class(client: VoxloudClient, sandbox: Sandbox) -> None:
    kinds = {"PHONE_CALL": PhoneCall, "FAX_CALL": FaxCall, "CLICK_TO_CALL": ClickToCallCall}
    seen = set()
    async for event in client.telephony_events.query(page_size=200):
        seen.add(type(event))
        assert type(event) is kinds[sandbox.state.events[event.id or 0]["type"]]
        assert event.type in kinds
    assert seen == set(kinds.values())


async def test_t1_a_query_is_sent_again_like_a_get(served: Served) -> None:
    served.sandbox.fail_next(Fault(status=500), match="POST")
    served.sandbox.fail_next(Fault(cut="inside_body"), match="POST")
    assert len(await served.client.telephony_events.query(page_size=130).collect()) == 130
    assert served.sandbox.count("POST") == 3


async def test_t8_the_end_is_read_from_the_answer_also_where_a_page_is_capped(serve: Serve) -> None:
    served = await serve(Quirks(size_cap=100))
    pages = [page async for page in served.client.telephony_events.query(page_size=2000).pages()]
    assert [(len(page.items), page.number, page.total, page.has_next) for page in pages] == [
        (100, 0, 130, True),
        (30, 1, 130, False),
    ]
    assert pages[0].size == 100
    assert pages[-1].progress == Progress(rows=130, pages=2, total=130, capped_size=100)


async def test_t9_pages_may_count_from_one(serve: Serve) -> None:
    served = await serve(Quirks(first_page=1))
    assert len(await served.client.telephony_events.query(page_size=50).collect()) == 130
    assert len(served.sandbox.requests) == 3


def row(number: int, day: int) -> dict[str, Any]:
    return {"id": number, "type": "PHONE_CALL", "timestamp": f"2018-04-{day:02}T12:00:00.000+0000"}


def scripted(*pages: Any) -> VoxloudClient:
    return VoxloudClient("key", transport=FakeTransport(*map(answer, pages)), base_url="https://api.example")


async def test_t5_rows_outside_of_the_interval_are_left_out_and_end_nothing() -> None:
    """The sample asks for March and April and shows rows of May."""
    pages = [
        {"content": [row(1, 1), row(2, 30)], "last": False},
        {"content": [row(2, 30), row(3, 30)], "last": False},
        {"content": [row(3, 30), row(4, 10), row(5, 12), {"id": 6, "type": "PHONE_CALL"}], "last": True},
    ]
    start, end = datetime(2018, 4, 5, tzinfo=UTC), datetime(2018, 4, 12, 12, tzinfo=UTC)
    within = scripted(*pages).telephony_events.query(date_time_from=start, date_time_to=end, sort=None)
    assert [each.id async for each in within] == [4, 5, 6]
    after = scripted(*pages).telephony_events.query(date_time_from=start, sort=None)
    assert [each.id async for each in after] == [2, 3, 4, 5, 6]
    before = scripted(*pages).telephony_events.query(date_time_to=end, max_items=2, sort=None)
    assert [each.id async for each in before] == [1, 4]


async def test_t5_a_row_that_comes_on_two_pages_is_given_once() -> None:
    pages = [{"content": [row(1, 1), row(2, 2)], "last": False}, {"content": [row(2, 2), row(3, 3)], "last": True}]
    assert [each.id async for each in scripted(*pages).telephony_events.query(sort=None)] == [1, 2, 3]


async def test_t7_totals_that_do_not_fit_do_no_harm() -> None:
    page = {"content": [row(1, 1), row(2, 2)], "last": True, "totalElements": 8, "numberOfElements": 8, "totalPages": 1}
    assert len(await scripted(page).telephony_events.query().collect()) == 2


async def test_t15_rows_of_a_kind_are_picked_by_the_caller(client: VoxloudClient) -> None:
    inbound = [
        each
        async for each in client.telephony_events.query(page_size=200)
        if isinstance(each, PhoneCall) and each.direction == "INBOUND"
    ]
    assert inbound
    with pytest.raises(TypeError, match="direction"):
        client.telephony_events.query(direction="INBOUND")  # type: ignore[call-arg]


@pytest.mark.parametrize("shape", ["object", "list", "page"])
async def test_t3_find_by_call_id_returns_a_list(serve: Serve, shape: Any) -> None:
    served = await serve(Quirks(found_by_call_id=shape))
    event_id = served.sandbox.state.events.ids[5]
    call_id = served.sandbox.state.events[event_id]["callId"]
    served.sandbox.state.events.append(dict(served.sandbox.state.events[event_id]))  # the call was transferred
    found = await served.client.telephony_events.find_by_call_id(call_id)
    assert {each.call_id for each in found if not isinstance(each, Fax)} == {call_id}
    assert len(found) == (1 if shape == "object" else 2)


@pytest.mark.parametrize("unknown", ["not_found", "null", "empty_list"])
async def test_t3_a_call_that_nobody_knows_is_an_empty_list(serve: Serve, unknown: Any) -> None:
    served = await serve(Quirks(unknown_call_id=unknown))
    assert await served.client.telephony_events.find_by_call_id("aabb ccdd/+&") == []
    assert served.sandbox.requests[0].query == "callId=aabb%20ccdd%2F%2B%26"


async def test_t4_and_p15_an_event_by_id_may_come_enveloped_and_a_fax_as_a_document(serve: Serve) -> None:
    served = await serve(Quirks(single_event="enveloped", single_fax="document"))
    fax = next(
        served.sandbox.state.events[each]
        for each in served.sandbox.state.events.ids
        if served.sandbox.state.events[each]["type"] == "FAX_CALL"
    )
    event = await served.client.telephony_events.get(fax["id"])
    assert isinstance(event, Fax)
    assert event.sender == fax["originatorNumber"]
    assert event.direction == fax["direction"]


async def test_p3_an_unknown_kind_of_record_does_not_stop_a_walk(serve: Serve) -> None:
    served = await serve(Quirks(unknown_event_types="present"))
    events = await served.client.telephony_events.query(page_size=200).collect()
    strange = [each for each in events if isinstance(each, UnknownEvent)]
    assert len(events) == 130
    assert {each.type for each in strange} == {"VIDEO_CALL"}
    assert all("callId" not in each.extra and each.call_id for each in strange)


async def test_a_missing_event(client: VoxloudClient) -> None:
    for event_id in (1, "1"):
        with pytest.raises(NotFoundError):
            await client.telephony_events.get(event_id)


async def test_the_service_may_refuse_an_order(client: VoxloudClient) -> None:
    with pytest.raises(BadRequestError):
        await client.telephony_events.query(sort="duration,asc").collect()


NAIVE = datetime(2026, 1, 1)  # noqa: DTZ001 - naive on purpose
AWARE = datetime(2026, 1, 1, tzinfo=UTC)
BAD: dict[str, tuple[type[Exception], str, Callable[[Any], Any]]] = {
    "naive start": (ValueError, "date_time_from", lambda each: each.query(date_time_from=NAIVE)),
    "naive end": (ValueError, "date_time_to", lambda each: each.query(date_time_to=NAIVE)),
    "text as time": (TypeError, "date_time_from", lambda each: each.query(date_time_from="2026-01-01T00:00:00Z")),
    "backwards": (
        ValueError,
        "must not be after",
        lambda each: each.query(date_time_from=AWARE, date_time_to=AWARE - timedelta(seconds=1)),
    ),
    "empty number": (ValueError, "number", lambda each: each.query(number="")),
    "number as int": (TypeError, "number", lambda each: each.query(number=39)),
    "no rows": (ValueError, "page_size", lambda each: each.query(page_size=0)),
    "too many rows": (ValueError, "page_size", lambda each: each.query(page_size=2001)),
    "yes rows": (TypeError, "page_size", lambda each: each.query(page_size=True)),
    "text rows": (TypeError, "page_size", lambda each: each.query(page_size="20")),
    "less than none": (ValueError, "max_items", lambda each: each.query(max_items=-1)),
    "some": (TypeError, "max_items", lambda each: each.query(max_items="all")),
    "empty order": (ValueError, "sort", lambda each: each.query(sort="")),
    "order without a direction": (ValueError, "sort", lambda each: each.query(sort="timestamp")),
    "order of another dialect": (ValueError, "timestamp,desc", lambda each: each.query(sort="-timestamp")),
    "order in capitals": (ValueError, "sort", lambda each: each.export_csv(sort="timestamp,DESC")),
    "order of lists": (TypeError, "sort", lambda each: each.query(sort=["timestamp", "asc"])),
    "naive export": (ValueError, "date_time_from", lambda each: each.export_csv(date_time_from=NAIVE)),
    "wide export": (ValueError, "page_size", lambda each: each.export_csv(page_size=2001)),
    "unknown filter": (TypeError, "direction", lambda each: each.query(direction="INBOUND")),
}
BAD_AWAITED: dict[str, tuple[type[Exception], str, Callable[[Any], Any]]] = {
    "empty id": (ValueError, "id", lambda each: each.get("")),
    "yes": (TypeError, "id", lambda each: each.get(True)),
    "half": (TypeError, "id", lambda each: each.get(1.5)),
    "climb": (ValueError, "id", lambda each: each.get("../contacts")),
    "empty call": (ValueError, "call_id", lambda each: each.find_by_call_id(" ")),
    "none call": (TypeError, "call_id", lambda each: each.find_by_call_id(None)),
}


@pytest.mark.parametrize(("kind", "names", "call"), BAD.values(), ids=BAD)
def test_a_bad_query_is_told_at_the_call(kind: type[Exception], names: str, call: Callable[[Any], Any]) -> None:
    transport = FakeTransport()
    with pytest.raises(kind, match=names):
        call(VoxloudClient("key", transport=transport).telephony_events)
    assert transport.requests == []


@pytest.mark.parametrize(("kind", "names", "call"), BAD_AWAITED.values(), ids=BAD_AWAITED)
async def test_a_bad_argument_is_told_before_anything_is_sent(
    served: Served, kind: type[Exception], names: str, call: Callable[[Any], Any]
) -> None:
    with pytest.raises(kind, match=names):
        await call(served.client.telephony_events)
    assert served.sandbox.requests == []
