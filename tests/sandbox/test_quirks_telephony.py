"""Readings of the section on telephony events, by the id of the anomaly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.conftest import events_of

if TYPE_CHECKING:
    from tests.sandbox.conftest import Serve

EVENTS = "/api/v1/telephony-events"
CLICK_TO_CALL = "/api/v1/click-to-call"


async def test_p5_times_of_rows(serve: Serve) -> None:
    stamps = {}
    for spelling in ("iso_basic", "iso_rome", "epoch_ms"):
        api = await serve(quirks={"event_times": spelling, "single_event_times": spelling})
        (row,) = await events_of(api, f"{EVENTS}?size=1")
        assert (await api.get(f"{EVENTS}/{row['id']}"))["timestamp"] == row["timestamp"]
        stamps[spelling] = row["timestamp"]
    assert stamps["iso_basic"].endswith(".000+0000")
    assert stamps["iso_rome"].endswith("+01:00")
    assert isinstance(stamps["epoch_ms"], int)


async def test_t4_a_single_event_is_enveloped(serve: Serve) -> None:
    bare, enveloped = [await serve(quirks={"single_event": each}) for each in ("bare", "enveloped")]
    event = await bare.get(f"{EVENTS}/8000")
    assert await enveloped.get(f"{EVENTS}/8000") == {
        "timestamp": event["timestamp"],
        "type": event["type"],
        "data": event,
        "pbx_id": bare.sandbox.state.directory.pbx_id,
    }


async def test_p14_p15_a_single_fax_has_the_fields_of_the_webhook(serve: Serve) -> None:
    api = await serve(quirks={"single_fax": "document"})
    rows = await events_of(api)
    for direction in ("INBOUND", "OUTBOUND"):
        row = next(each for each in rows if (each["type"], each["direction"]) == ("FAX_CALL", direction))
        fax = await api.get(f"{EVENTS}/{row['id']}")
        assert (fax["sender"], fax["recipient"]) == (row["originatorNumber"], row["destinationNumber"])
        assert fax["direction"] == direction.lower()
        assert ("description" in fax) is (direction == "OUTBOUND")
        assert not {"type", "callId"} & set(fax)


async def test_t3_a_call_id_finds_an_object_a_list_or_a_page(serve: Serve) -> None:
    apis = [await serve(quirks={"found_by_call_id": each}) for each in ("object", "list", "page")]
    call_id = apis[0].sandbox.state.events[8006]["callId"]
    found, listed, page = [await api.get(f"{EVENTS}?callId={call_id}") for api in apis]
    assert [each["id"] for each in listed] == [8006, 8007]
    assert found == listed[-1]
    assert (page["content"], page["totalElements"], page["last"]) == (listed, 2, True)
    assert [(await api.get(f"{EVENTS}?callId=none")) for api in apis[1:]] == [[], page | _empty_page()]


def _empty_page() -> dict[str, Any]:
    return {"content": [], "totalElements": 0, "totalPages": 0, "numberOfElements": 0}


@pytest.mark.parametrize(("reading", "answer"), [("null", None), ("empty_list", [])])
async def test_t3_an_unknown_call_id(serve: Serve, reading: str, answer: object) -> None:
    api = await serve(quirks={"unknown_call_id": reading})
    assert await api.get(f"{EVENTS}?callId=none") == answer


async def test_t5_the_end_of_an_interval(serve: Serve) -> None:
    closed, half_open = [await serve(quirks={"interval": each}) for each in ("closed", "half_open")]
    end = (await events_of(closed))[50]["timestamp"]
    inside, outside = [await events_of(api, date_time_to=end) for api in (closed, half_open)]
    assert inside[-1]["timestamp"] == end
    assert outside[-1]["timestamp"] < end


async def test_t6_a_number_matches_by_suffix(serve: Serve) -> None:
    api = await serve(quirks={"number_match": "suffix"}, contacts=0, events=0)
    for number in ("0697631539", "390697631539", "+390697631539", "97631539", "1539", "+390697631530", "anonymous"):
        row = {"type": "PHONE_CALL", "timestamp": 0, "originatorNumber": number, "destinationNumber": "x"}
        api.sandbox.state.events.append(row)
    found = [row["originatorNumber"] for row in await events_of(api, number="0697631539")]
    assert found == ["0697631539", "390697631539", "+390697631539", "97631539", "1539"]
    assert [row["originatorNumber"] for row in await events_of(api, number="anonymous")] == ["anonymous"]


@pytest.mark.parametrize(("reading", "other"), [("originator", "destination"), ("destination", "originator")])
async def test_t6_a_number_matches_one_leg(serve: Serve, reading: str, other: str) -> None:
    api = await serve(quirks={"number_legs": reading})
    found = await events_of(api, number="101")
    assert found
    assert {row[f"{reading}Number"] for row in found} == {"101"}
    assert {row[f"{other}Number"] for row in found} != {"101"}


async def test_t8_sort_is_an_object(serve: Serve) -> None:
    api = await serve(quirks={"sort_shape": "object"})
    sort = (await api.post(f"{EVENTS}?sort=timestamp,asc", {}))["sort"]
    assert (sort["property"], sort["ascending"], sort["descending"]) == ("timestamp", True, False)
    assert (await api.post(EVENTS, {}))["sort"] == {"ascending": False, "descending": False}


async def test_t9_pages_count_from_one(serve: Serve) -> None:
    api = await serve(quirks={"first_page": 1})
    default, first = await api.post(EVENTS, {}), await api.post(f"{EVENTS}?page=1", {})
    assert default == first
    assert (first["number"], first["first"]) == (1, True)
    assert (await api.post(f"{EVENTS}?page=10", {}))["last"] is True
    await api.refused(400, "POST", f"{EVENTS}?page=0", json={})


async def test_t10_an_unknown_sort_is_ignored(serve: Serve) -> None:
    api = await serve(quirks={"unknown_sort": "ignored"})
    assert (await api.post(f"{EVENTS}?sort=duration,asc", {}))["sort"] == []


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_t10_ties_change_places_between_queries(serve: Serve, order: str) -> None:
    api = await serve(quirks={"tie_order": "unstable"})
    path = f"{EVENTS}?sort=timestamp,{order}&size=200"
    first, second, third = [[row["id"] for row in await events_of(api, path)] for _ in range(3)]
    assert first == third != second
    assert sorted(first) == sorted(second)
    moment = api.sandbox.state.events.moment
    assert [moment(each) for each in first] == [moment(each) for each in second]


async def test_t10_a_row_is_lost_and_another_doubled_where_a_page_ends_in_a_tie(serve: Serve) -> None:
    api = await serve(quirks={"tie_order": "unstable"})
    rows = [row["id"] for page in (0, 1) for row in await events_of(api, f"{EVENTS}?size=7&page={page}")]
    assert rows == [8000, 8001, 8002, 8003, 8004, 8005, 8006, 8006, 8008, 8009, 8010, 8011, 8012, 8013]


@pytest.mark.parametrize("cap", [100, 1000])
async def test_t8_t11_a_large_size_is_capped_in_silence(serve: Serve, cap: int) -> None:
    api = await serve(quirks={"size_cap": cap})
    page = await api.post(f"{EVENTS}?size={cap + 1}", {})
    assert (page["size"], len(page["content"])) == (cap, min(cap, 200))


async def test_t8_a_large_size_is_rejected(serve: Serve) -> None:
    api = await serve(quirks={"oversize": "rejected"})
    assert await api.refused(400, "POST", f"{EVENTS}?size=2001", json={}) == "size must be at most 2000"
    assert (await api.post(f"{EVENTS}?size=2000", {}))["size"] == 2000


async def test_t14_click_to_calls_are_no_part_of_queries(serve: Serve) -> None:
    api = await serve(quirks={"click_to_call_rows": "hidden"})
    api.sandbox.state.events.append({"type": "CLICK_TO_CALL", "timestamp": 0, "callId": "x"})
    assert {row["type"] for row in await events_of(api)} == {"PHONE_CALL", "FAX_CALL"}
    assert {row["type"] for row in await events_of(api, number="101")} == {"PHONE_CALL"}
    assert (await api.get(f"{EVENTS}?callId=x"))["type"] == "CLICK_TO_CALL"


async def test_p3_some_rows_have_an_unknown_type(serve: Serve) -> None:
    api = await serve(quirks={"unknown_event_types": "present"})
    assert {row["id"] for row in await events_of(api) if row["type"] == "VIDEO_CALL"} == set(range(8000, 8200, 25))
