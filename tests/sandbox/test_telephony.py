from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from voxloud_async.sandbox import Sandbox

if TYPE_CHECKING:
    from tests.sandbox.conftest import Api, Serve

PATH = "/api/v1/telephony-events"


async def all_rows(api: Api, body: dict[str, Any], sort: str = "") -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for number in range(100):
        page = await api.post(f"{PATH}?size=50&page={number}{sort}", body)
        rows += page["content"]
        if page["last"]:
            return rows
    pytest.fail("no last page")


async def test_a_page_has_the_envelope_of_the_sample(api: Api) -> None:
    page = await api.post(f"{PATH}?sort=timestamp,desc&size=30&page=0", {})
    content = page.pop("content")
    assert len(content) == 30
    assert page == {
        "last": False,
        "totalElements": 200,
        "totalPages": 7,
        "sort": [
            {
                "direction": "DESC",
                "property": "timestamp",
                "ignoreCase": False,
                "nullHandling": "NATIVE",
                "ascending": False,
                "descending": True,
            }
        ],
        "first": True,
        "numberOfElements": 30,
        "size": 30,
        "number": 0,
    }


async def test_defaults_are_20_rows_of_the_first_page_unsorted(api: Api) -> None:
    page = await api.post(PATH, {})
    assert (page["size"], page["number"], page["sort"]) == (20, 0, [])


async def test_the_last_page_and_the_one_after(api: Api) -> None:
    last = await api.post(f"{PATH}?size=150&page=1", {})
    assert (last["last"], last["first"], last["numberOfElements"]) == (True, False, 50)
    beyond = await api.post(f"{PATH}?size=150&page=999999999999999999999", {})
    assert (beyond["last"], beyond["content"]) == (True, [])


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_all_pages_hold_every_row_once_in_order(api: Api, order: str) -> None:
    rows = await all_rows(api, {}, f"&sort=timestamp,{order}")
    assert sorted(row["id"] for row in rows) == list(api.sandbox.state.events.ids)
    stamps = [row["timestamp"] for row in rows]
    assert stamps == sorted(stamps, reverse=order == "desc")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("size=0", "size must be at least 1"),
        ("size=many", "size must be an integer"),
        ("page=-1", "page must be at least 0"),
        ("sort=timestamp", "sort must be timestamp,asc or timestamp,desc"),
        ("sort=duration,asc", "sort must be timestamp,asc or timestamp,desc"),
    ],
)
async def test_bounds_of_a_page(api: Api, query: str, message: str) -> None:
    assert await api.refused(400, "POST", f"{PATH}?{query}", json={}) == message


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"number": 6123456789}, "number must be a string, not a number"),
        ({"date_time_from": "2026-06-01"}, "date_time_from must be an ISO 8601 date and time with a timezone"),
        ({"date_time_from": "2026-06-01T00:00:00"}, "date_time_from must be an ISO 8601 date and time with a timezone"),
        ({"date_time_to": "2026-13-01T00:00:00Z"}, "date_time_to must be an ISO 8601 date and time with a timezone"),
        ({"date_time_to": 1523025126000}, "date_time_to must be a string, not a number"),
    ],
)
async def test_what_a_query_may_hold(api: Api, body: dict[str, Any], message: str) -> None:
    assert await api.refused(400, "POST", PATH, json=body) == message


async def test_an_interval_in_any_timezone(api: Api) -> None:
    rows = await all_rows(api, {})
    utc = {"date_time_from": "2026-03-01T00:00:00.000Z", "date_time_to": "2026-04-01T00:00:00.000Z"}
    rome = {"date_time_from": "2026-03-01T01:00:00.000+01:00", "date_time_to": "2026-04-01T02:00:00.000+0200"}
    expected = [row for row in rows if "2026-03-01T00" <= row["timestamp"] < "2026-04-01T00"]
    assert expected
    assert await all_rows(api, utc) == await all_rows(api, rome) == expected
    assert await all_rows(api, {"date_time_from": utc["date_time_to"], "date_time_to": utc["date_time_from"]}) == []


async def test_a_number_is_looked_for_at_both_ends(api: Api) -> None:
    rows = await all_rows(api, {})
    number = next(row["originatorNumber"] for row in rows if row["direction"] == "INTERNAL")
    expected = [row for row in rows if number in (row["originatorNumber"], row["destinationNumber"])]
    assert {row["originatorNumber"] == number for row in expected} == {True, False}
    assert await all_rows(api, {"number": number}) == expected
    assert await all_rows(api, {"number": number}, "&sort=timestamp,desc") == expected[::-1]
    assert await all_rows(api, {"number": "no such number"}) == []
    assert await all_rows(api, {"number": ""}) == rows


async def test_t13_get_by_id(api: Api) -> None:
    (row,) = (await api.post(f"{PATH}?size=1", {}))["content"]
    event = await api.get(f"{PATH}/{row['id']}")
    assert isinstance(event.pop("timestamp"), int)
    del row["timestamp"]
    assert event == row
    assert await api.refused(404, "GET", f"{PATH}/1") == "telephony event not found"
    assert await api.refused(404, "GET", f"{PATH}/-5") == "telephony event not found"
    assert await api.refused(400, "GET", f"{PATH}/abc") == "id must be an integer"


async def test_get_by_call_id_finds_every_seeded_row(api: Api) -> None:
    for row in await all_rows(api, {}):
        found = await api.get(f"{PATH}?callId={row['callId']}")
        assert found["callId"] == row["callId"]


@pytest.mark.parametrize("call_id", ["zzzzzzzz", "ffffffff00000000", "short"])
async def test_an_unknown_call_id(api: Api, call_id: str) -> None:
    await api.refused(404, "GET", f"{PATH}?callId={call_id}")


async def test_a_call_id_that_only_begins_like_one(api: Api) -> None:
    call_id = api.sandbox.state.events[8000]["callId"]
    await api.refused(404, "GET", f"{PATH}?callId={call_id[:8]}")


@pytest.mark.parametrize("query", ["", "?callId=", "?call_id=1"])
async def test_a_look_up_needs_its_call_id(api: Api, query: str) -> None:
    assert await api.refused(400, "GET", PATH + query) == "callId is required"


def test_seeded_rows_have_the_shapes_of_the_text() -> None:
    events = Sandbox(events=3000, contacts=50).state.events
    rows = [events[each] for each in events.ids]
    by_kind = {kind: [row for row in rows if row["type"] == kind] for kind in {row["type"] for row in rows}}
    assert set(by_kind) == {"PHONE_CALL", "FAX_CALL", "CLICK_TO_CALL"}
    assert {len(row) for row in by_kind["FAX_CALL"]} == {12}
    assert all("lastEvent" not in row for row in by_kind["CLICK_TO_CALL"])
    phone_fields = {name for row in by_kind["PHONE_CALL"] for name in row}
    assert phone_fields >= {"voicemail_url", "labels", "ruleNames", "contactCrm", "transcription", "sentiment_score"}
    numbers = {row["originatorNumber"] for row in by_kind["PHONE_CALL"]}
    assert "anonymous" in numbers
    assert {number[0] for number in numbers} >= {"+", "0", "1", "3", "a"}
    assert all(row["duration"] >= row.get("ringTime", 0) >= 0 for row in rows)
    assert {row["direction"] for row in by_kind["PHONE_CALL"]} == {"INBOUND", "OUTBOUND", "INTERNAL"}


def test_t3_t10_a_transferred_call_has_two_rows_of_one_moment() -> None:
    events = Sandbox(events=200).state.events
    legs = [events[each] for each in events.of_call(events[8006]["callId"])]
    assert [leg["lastEvent"] for leg in legs] == ["CALL_TERMINATED", "CALL_TRANSFERRED"]
    assert legs[0]["timestamp"] == legs[1]["timestamp"]
    assert [leg["id"] for leg in legs] == [8006, 8007]


def test_a_call_cut_off_by_the_end_of_the_records_has_one_row() -> None:
    events = Sandbox(events=7).state.events
    assert events.of_call(events[8006]["callId"]) == [8006]


def test_calls_come_in_office_hours_and_never_after_now() -> None:
    events = Sandbox(events=5000).state.events
    moments = [datetime.fromtimestamp(events.moment(each) / 1000, UTC) for each in events.ids]
    assert moments == sorted(moments)
    assert moments[-1] <= datetime(2026, 6, 30, 16, 0, tzinfo=UTC)
    assert (moments[-1] - moments[0]).days >= 170
    assert sum(6 <= moment.hour < 18 for moment in moments) > 4500
    assert sum(moment.weekday() == 6 for moment in moments) < 200


def test_the_same_seed_makes_the_same_world() -> None:
    one, same, other = (Sandbox(seed=seed, events=50).state for seed in (7, 7, 8))
    assert [one.events[each] for each in one.events.ids] == [same.events[each] for each in same.events.ids]
    assert one.contacts == same.contacts
    assert one.events[8000] != other.events[8000]


async def test_rows_may_be_added_changed_and_removed(api: Api) -> None:
    events = api.sandbox.state.events
    row = events[8010]
    with_row = {"type": "PHONE_CALL", "timestamp": row["timestamp"], "callId": "mine", "originatorNumber": "+1"}
    added = events.append(with_row)
    assert (added, len(events)) == (8200, 201)
    ids = [each["id"] for each in await all_rows(api, {})]
    assert ids.index(8200) == ids.index(8010) + 1
    assert (await api.get(f"{PATH}?callId=mine"))["id"] == 8200
    assert [each["id"] for each in await all_rows(api, {"number": "+1"})] == [8200]

    events.replace(8010, row | {"originatorNumber": "+1", "timestamp": row["timestamp"] + 1000})
    assert [each["id"] for each in await all_rows(api, {"number": "+1"})] == [8200, 8010]
    assert (await api.get(f"{PATH}/8010"))["originatorNumber"] == "+1"

    events.remove(8200)
    assert [each["id"] for each in await all_rows(api, {"number": "+1"})] == [8010]
    await api.refused(404, "GET", f"{PATH}/8200")
    await api.refused(404, "GET", f"{PATH}?callId=mine")
    for act in (events.remove, events.__getitem__, lambda each: events.replace(each, row)):
        with pytest.raises(KeyError):
            act(8200)


def test_a_row_is_a_copy() -> None:
    events = Sandbox(events=10).state.events
    added = events.append({"type": "PHONE_CALL", "timestamp": 0})
    events[added]["timestamp"] = 5
    assert events[added] == {"type": "PHONE_CALL", "timestamp": 0, "id": added}
    assert events.ids[0] == added


async def test_many_numbers_are_remembered_for_a_while_only(serve: Serve) -> None:
    api = await serve(events=2)
    for number in range(70):
        assert await all_rows(api, {"number": str(number)}) == []
    assert len(api.sandbox.state.events._matches) < 70


async def test_without_any_events(serve: Serve) -> None:
    page = await (await serve(events=0, contacts=0)).post(PATH, {})
    assert (page["content"], page["totalPages"], page["first"], page["last"]) == ([], 0, True, True)
