"""Frames hold what the models hold, in every shape the service may give."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from tests.frames.rows import CALL, page
from voxloud_async.errors import DecodeError
from voxloud_async.frames import ContactFrame, EventFrame
from voxloud_async.frames.columns import columns_of
from voxloud_async.models import ClickToCallCall, Contact, Fax, FaxCall, PhoneCall, TelephonyEvent
from voxloud_async.protocol import codec
from voxloud_async.protocol.page import ListedEvent, Page
from voxloud_async.sandbox import Quirks

if TYPE_CHECKING:
    from tests.frames.conftest import Pages

EVENTS = (PhoneCall, ClickToCallCall, FaxCall, Fax)


def models(pages: list[bytes]) -> list[Any]:
    return [row for each in pages for row in codec.decode(each, Page[TelephonyEvent]).items]


def expected(rows: list[Any], kinds: Any = EVENTS) -> list[dict[str, Any]]:
    wire = {each.wire for each in columns_of(kinds)}
    extra = dict.fromkeys(name for row in rows for name in row.extra if name not in wire)
    return [
        {each.name: plain(getattr(row, each.name, row.extra.get(each.wire))) for each in columns_of(kinds)}
        | {name: row.extra.get(name) for name in extra}
        for row in rows
    ]


def plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize("quirks", [Quirks(), *Quirks.every()], ids=lambda quirks: str(quirks.changed()))
async def test_a_frame_holds_what_the_models_hold(event_pages: Pages, quirks: Quirks) -> None:
    pages = await event_pages(quirks)
    rows = list({row.id: row for row in models(pages)}.values())
    assert len(rows) > 100
    assert EventFrame.from_pages(pages).to_arrow().to_pylist() == expected(rows)
    assert EventFrame.from_models(rows).to_arrow().to_pylist() == expected(rows)


@pytest.mark.parametrize(
    "text",
    [
        page(CALL | {"timestamp": 1782806400123}),
        page(CALL | {"timestamp": "1782806400123"}),
        page(CALL | {"id": 1.0}),
        page({"type": "CALL_PARKED"}),
        b"\xef\xbb\xbf" + page(CALL),
        json.dumps([CALL]).encode(),
        json.dumps({"data": [CALL], "has_next": False}).encode(),
        json.dumps({"content": [CALL], "sort": {"sorted": True}}, indent=2).encode(),
        page(),
        page(CALL | {"direction": "inbound", "labels": ["a", "b"], "ruleNames": []}),
        page(CALL | {"timestamp": None, "labels": None}),
    ],
)
def test_what_models_take_a_frame_takes_and_holds_alike(text: bytes) -> None:
    assert EventFrame.from_pages([text]).to_arrow().to_pylist() == expected(models([text]))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"<html>",
        b"{}",
        b"null",
        b" null ",
        b'{"content": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        page(CALL) + page(CALL),
        page(CALL | {"duration": float("nan")}),
        page(CALL)[:-3],
        b'{"content": [{"id": 1, "type": "PHONE_CALL", "duration": 1e999}]}',
    ],
)
def test_what_is_no_page_is_refused_and_not_shown(text: bytes) -> None:
    with pytest.raises(DecodeError):
        EventFrame.from_pages([text])


@pytest.mark.parametrize(
    "row",
    [
        1,
        None,
        CALL | {"timestamp": "2026-06-30T10:00:00"},
        CALL | {"timestamp": "yesterday"},
        CALL | {"duration": "12"},
        CALL | {"recorded": "yes"},
        CALL | {"originatorNumber": 5},
        CALL | {"labels": ["a", None]},
        CALL | {"labels": "a"},
        CALL | {"id": 1.5},
    ],
)
def test_what_does_not_fit_its_type_has_a_row_with_the_reason(row: Any) -> None:
    text = page(CALL | {"id": 7}, row)
    fits, does_not = EventFrame.from_pages([text]).to_arrow().to_pylist()
    (_, event) = codec.decode(text, Page[ListedEvent]).items
    assert (fits["id"], fits["misfit"]) == (7, None)
    assert does_not["misfit"] == event.misfit
    assert "yesterday" not in event.misfit
    assert (
        codec.decode(text, Page[ListedEvent]).items[0]
        == codec.decode(page(CALL | {"id": 7}), Page[TelephonyEvent]).items[0]
    )
    with pytest.raises(DecodeError):
        codec.decode(text, Page[TelephonyEvent])


def test_a_record_without_an_id_is_a_row_like_others() -> None:
    rows = EventFrame.from_pages([page(CALL | {"id": None}, {"type": "PHONE_CALL"})]).to_arrow().to_pylist()
    assert [row["id"] for row in rows] == [None, None]


def test_a_frame_without_misfits_has_no_such_column() -> None:
    assert "misfit" not in EventFrame.from_pages([page(CALL)]).to_arrow().schema.names


def test_an_id_is_of_its_type() -> None:
    pages = [page(CALL, CALL | {"type": "CLICK_TO_CALL"}), page(CALL)]
    assert EventFrame.from_pages(pages).to_arrow().column("type").to_pylist() == ["PHONE_CALL", "CLICK_TO_CALL"]


def test_half_of_a_surrogate_pair_costs_one_character() -> None:
    row = CALL | {
        "originatorName": "Ada\ud83d",
        "labels": ["a\udc00"],
        "new": ["b\ud800"],
        "destinationName": "\U0001f600",
    }
    (held,) = EventFrame.from_pages([page(row)]).to_arrow().to_pylist()
    assert (held["originator_name"], held["labels"]) == ("Ada\N{REPLACEMENT CHARACTER}", ["a\N{REPLACEMENT CHARACTER}"])
    assert (held["new"], held["destination_name"]) == ('["b\N{REPLACEMENT CHARACTER}"]', "\U0001f600")


def test_a_number_beyond_its_column() -> None:
    (row,) = EventFrame.from_pages([page(CALL | {"duration": 2**70, "new": 2**70})]).to_arrow().to_pylist()
    assert (row["duration"], row["new"]) == (float(2**70), str(2**70))
    for name, value in (("id", 2**70), ("duration", 10**400)):
        with pytest.raises(DecodeError, match=f"{name}: the number is too large for a frame"):
            EventFrame.from_pages([page(CALL | {name: value})])


def test_each_row_is_there_once_and_in_order() -> None:
    calls = [CALL | {"id": each} for each in (3, 1, 2)]
    frame = EventFrame.from_pages([page(*calls), page(calls[2], CALL | {"id": 4}, calls[0])])
    assert frame.to_arrow().column("id").to_pylist() == [3, 1, 2, 4]


def test_rows_without_an_id_are_all_kept() -> None:
    frame = EventFrame.from_pages([page({"type": "X"}, CALL, {"type": "X"}, CALL)])
    assert frame.to_arrow().column("id").to_pylist() == [None, 1, None]


def test_p10_unknown_fields_are_columns_behind_the_known_ones() -> None:
    known = len(columns_of(EVENTS))
    table = EventFrame.from_pages([page(CALL | {"queue": {"name": "support"}}), page(CALL | {"id": 2})]).to_arrow()
    assert table.schema.names[known:] == ["queue"]
    assert table.column("queue").to_pylist() == [{"name": "support"}, None]


def test_p10_an_unknown_field_of_changing_type_becomes_json() -> None:
    pages = [page(CALL | {"cost": 5, "new": 1}), page(CALL | {"id": 2, "cost": {"cents": 5}}), page(CALL | {"id": 3})]
    table = EventFrame.from_pages(pages).to_arrow()
    assert table.column("cost").to_pylist() == ["5", '{"cents": 5}', None]
    assert table.column("new").to_pylist() == [1, None, None]
    mixed = EventFrame.from_models(models([page(CALL | {"cost": 5}, CALL | {"id": 2, "cost": "5"})])).to_arrow()
    assert mixed.column("cost").to_pylist() == ["5", '"5"']


def test_p10_json_text_is_written_once_whatever_pages_the_rows_come_on() -> None:
    rows = [CALL | {"id": number, "cost": cost} for number, cost in enumerate([1, "a", 2, "b", [3]])]
    expected_texts = ["1", '"a"', "2", '"b"', "[3]"]
    for size in (1, 2, 3, 5):
        pages = [page(*rows[start : start + size]) for start in range(0, len(rows), size)]
        assert EventFrame.from_pages(pages).to_arrow().column("cost").to_pylist() == expected_texts


@pytest.mark.parametrize("wrap", [lambda cost: cost, lambda cost: {"cents": cost}])
def test_p10_a_whole_number_that_no_fraction_can_hold_becomes_json(wrap: Any) -> None:
    costs = [wrap(2**53 + 1), wrap(0.5)]
    pages = [page(CALL | {"id": number, "cost": cost}) for number, cost in enumerate(costs)]
    texts = EventFrame.from_pages(pages).to_arrow().column("cost").to_pylist()
    assert [json.loads(text) for text in texts] == costs


def test_p15_a_fax_in_the_shape_of_webhooks_is_whole() -> None:
    fax = {"id": 5, "type": "FAX_CALL", "sender": "3901", "recipient": "3902", "attachment_url": "https://a.example/f"}
    text = page(CALL, fax | {"total_pages": 3})
    assert isinstance(models([text])[1], Fax)
    table = EventFrame.from_pages([text]).to_arrow()
    assert table.to_pylist() == expected(models([text]))
    assert table.column("total_pages").to_pylist() == [None, 3]
    assert table.column("attachment_url").to_pylist() == [None, fax["attachment_url"]]


@pytest.mark.parametrize("stamp", [CALL["timestamp"], 1782806400123])
def test_p10_an_unknown_field_named_like_a_column_stands_apart(stamp: object) -> None:
    table = EventFrame.from_pages([page(CALL | {"timestamp": stamp, "callId": "a", "call_id": "b"})]).to_arrow()
    assert table.column("call_id").to_pylist() == ["a"]
    assert table.column("extra_call_id").to_pylist() == ["b"]


def test_p10_unknown_fields_never_share_a_column() -> None:
    pages = [page(CALL | {"extra_call_id": "a"}), page(CALL | {"id": 2, "call_id": "b", "extra_call_id": "c"})]
    table = EventFrame.from_pages(pages).to_arrow()
    assert table.column("extra_extra_call_id").to_pylist() == ["a", "c"]
    assert table.column("extra_call_id").to_pylist() == [None, "b"]


def test_an_empty_frame_has_its_columns() -> None:
    for frame in (EventFrame.from_pages([]), EventFrame.from_models([]), EventFrame.from_pages([page()])):
        assert len(frame) == 0
        assert frame.to_arrow().schema.names == [each.name for each in columns_of(EVENTS)]
    assert ContactFrame.from_pages([]).to_arrow().schema.field("created_at").type == pa.timestamp("us", "UTC")


def test_contacts_are_a_frame_too() -> None:
    rows = [
        {"id": "a", "first_name": "Ada", "phones": ["+39031"], "created_at": "2026-01-01T00:00:00+01:00"},
        {"id": "b"},
    ]
    text = json.dumps({"data": rows, "has_next": False}).encode()
    contacts = list(codec.decode(text, Page[Contact]).items)
    assert ContactFrame.from_pages([text]).to_arrow().to_pylist() == expected(contacts, (Contact,))
    assert ContactFrame.from_models(contacts).to_arrow().to_pylist() == expected(contacts, (Contact,))
    with pytest.raises(DecodeError):
        ContactFrame.from_pages([b'{"data": [{"first_name": "Ada"}]}'])


def test_an_event_of_an_unknown_type_fills_the_columns_it_fits() -> None:
    row = {"id": 5, "type": "CALL_PARKED", "lastEvent": "CALL_ANSWERED", "ringTime": "long", "duration": "12"}
    pages = [page(row), page(row | {"id": 6, "ringTime": 2, "timestamp": 1782806400123, "labels": ["a"]})]
    first, second = EventFrame.from_pages(pages).to_arrow().to_pylist()
    assert (first["last_event"], first["ring_time"], first["ringTime"]) == ("CALL_ANSWERED", None, "long")
    assert (first["duration"], first["extra_duration"]) == (None, "12")
    assert (second["last_event"], second["ring_time"], second["labels"]) == ("CALL_ANSWERED", 2.0, ["a"])
    (folded,) = EventFrame.from_pages([page(CALL | {"type": "phone_call"})]).to_arrow().to_pylist()
    assert folded["type"] == "PHONE_CALL"


async def test_who_speaks_arrow_takes_a_frame(event_pages: Pages) -> None:
    import duckdb  # noqa: PLC0415 - they load slowly
    import pandas as pd  # noqa: PLC0415
    import polars as pl  # noqa: PLC0415

    frame = EventFrame.from_pages(await event_pages())
    total = sum(row["duration"] or 0 for row in frame.to_arrow().to_pylist())
    assert pa.table(frame).equals(frame.to_arrow())
    assert pa.schema(frame) == frame.to_arrow().schema
    assert pl.DataFrame(frame).equals(frame.to_polars())
    assert frame.to_polars()["duration"].sum() == total
    read: Any = pd.DataFrame  # its stubs are older than `from_arrow`
    taken, own = read.from_arrow(frame), frame.to_pandas()
    assert taken["duration"].sum() == own["duration"].sum() == total
    assert str(own.dtypes["id"]) == "int64[pyarrow]"
    assert own["timestamp"].iloc[0].tzinfo is not None
    with duckdb.connect() as connection:
        found = connection.execute("select count(*), sum(duration) from frame").fetchone()
    assert found == (len(frame), total)


def test_a_repr_shows_no_personal_data() -> None:
    row = CALL | {"originatorNumber": "+390312345678", "newField": "Ada <b>Rossi</b>", "callId": "<aabb>" + "x" * 60}
    frame = EventFrame.from_pages([page(*(row | {"id": each} for each in range(1000, 1012)))])
    shown = frame._repr_html_()
    assert repr(frame) == f"<EventFrame: 12 rows, {len(columns_of(EVENTS)) + 1} columns>"
    assert "+390312345678" not in shown
    assert "Rossi" not in shown
    assert "***" in shown
    assert "&lt;aabb&gt;" in shown
    assert "1004" in shown
    assert "1005" not in shown
    assert "1006" not in shown
    assert "1007" in shown
    assert "transcription" not in shown


def test_a_short_frame_is_shown_whole() -> None:
    shown = EventFrame.from_pages([page(CALL | {"duration": 5}, CALL | {"id": 77})])._repr_html_()
    assert shown.count("<tr>") == 3
    assert "2026-06-30" in shown


def test_a_model_that_is_no_row_of_a_column_leaves_it_empty() -> None:
    event = FaxCall(id=5, type="FAX_CALL", timestamp=datetime(2026, 1, 1, tzinfo=UTC))  # type: ignore[arg-type]
    (row,) = EventFrame.from_models([event]).to_arrow().to_pylist()
    assert (row["id"], row["transcription"], row["click_to_call_type"]) == (5, None, None)


def test_what_makes_no_frame_is_told() -> None:
    person = Contact(id="5", first_name="Ada", primary_phone="+390312345678")
    with pytest.raises(TypeError, match="models must be those of EventFrame, not Contact"):
        EventFrame.from_models([person])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="pages must be a list of pages"):
        ContactFrame.from_pages(page())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="must be what read, from_pages and from_models make, not list"):
        ContactFrame([person])


def test_without_pyarrow_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "voxloud_async.frames")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r"voxloud_async\[frames\]"):
        import_module("voxloud_async.frames")
