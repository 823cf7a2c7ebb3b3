"""The export: CSV of any dialect joined, or written from JSON."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from voxloud_async import VoxloudClient
from voxloud_async.errors import BadRequestError, DecodeError
from voxloud_async.models import FaxCall, PhoneCall, UnknownEvent
from voxloud_async.protocol.codec import structure
from voxloud_async.resources.csv_pages import CsvPages, records
from voxloud_async.resources.csv_rows import COLUMNS, header_line, lines
from voxloud_async.sandbox import Fault, Quirks
from voxloud_async.testing import FakeTransport, answer

if TYPE_CHECKING:
    from tests.resources.conftest import Serve


async def export(*pages: bytes, status: int = 200) -> list[bytes]:
    """The chunks of an export that is answered with these pages."""
    transport = FakeTransport(*(answer(page, status=status) for page in pages))
    client = VoxloudClient("key", transport=transport, base_url="https://api.example")
    chunks = [chunk async for chunk in client.telephony_events.export_csv()]
    assert transport.left == 0
    assert {request.headers["accept"] for request in transport.requests} == {"text/csv"}
    return chunks


def full(*columns: str) -> str:
    """A header with every documented column, these first."""
    return ",".join([*columns, *(name for name in COLUMNS if name not in columns)])


HEADER = full("id", "timestamp").encode()
WIDTH = len(COLUMNS)


def line(*cells: str) -> bytes:
    return ",".join([*cells, *[""] * (WIDTH - len(cells))]).encode() + b"\r\n"


async def test_t12_the_whole_has_one_header() -> None:
    pages = [HEADER + b"\r\n" + line("1") + line("2"), HEADER + b"\r\n" + line("3") + line("4"), HEADER + b"\r\n"]
    assert await export(*pages) == [HEADER + b"\r\n" + line("1") + line("2"), line("3") + line("4")]


async def test_a_shorter_page_is_not_the_last() -> None:
    pages = [HEADER + b"\r\n" + line("1") + line("2"), HEADER + b"\r\n" + line("3"), HEADER + b"\r\n" + line("4"), b""]
    assert b"".join(await export(*pages)) == HEADER + b"\r\n" + line("1") + line("2") + line("3") + line("4")


@pytest.mark.parametrize("last", [b"", b"\r\n", HEADER + b"\r\n", HEADER])
async def test_a_page_without_rows_is_the_last(last: bytes) -> None:
    assert b"".join(await export(HEADER + b"\n" + line("1"), last)) == HEADER + b"\n" + line("1")


async def test_nothing_at_all() -> None:
    assert b"".join(await export(b"")) == b""
    assert b"".join(await export(HEADER)) == HEADER + b"\r\n"


async def test_a_missing_line_end_joins_no_lines() -> None:
    pages = [HEADER + b"\r\n" + line("1").rstrip(), HEADER + b"\r\n" + line("2").rstrip(), b""]
    assert b"".join(await export(*pages)) == HEADER + b"\r\n" + line("1") + line("2")


async def test_a_line_break_between_quotes_ends_no_row() -> None:
    first = line('"1\r\n""2""\n3"')
    assert [*records(first.decode() + "4")] == [first.decode(), "4\r\n"]
    assert [*records('5,"6\n7')] == ['5,"6\n7\r\n']
    pages = [HEADER + b"\r\n" + first + line("2"), HEADER + b"\r\n" + line("3"), b""]
    assert b"".join(await export(*pages)).count(b"\r\n") == 5


async def test_other_separators_of_lines_are_text() -> None:
    text = line("1", "a\u2028b\x0bc\x85d")
    assert await export(HEADER + b"\r\n" + text, b"") == [HEADER + b"\r\n" + text]


async def test_without_a_header_every_line_is_a_row() -> None:
    assert await export(line("1") + line("2"), line("3") + line("4"), b"") == [
        line("1") + line("2"),
        line("3") + line("4"),
    ]
    assert await export(line("1"), line("2"), b"") == [line("1"), line("2")]


async def test_columns_the_first_page_lacks_stand_behind_its_own() -> None:
    chunks = await export(b"id;timestamp;callId\n1;5;x\n", b"id;callId;duration;timestamp\n2;y;7;6\n", b"")
    table = list(csv.DictReader(io.StringIO(b"".join(chunks).decode()), delimiter=";"))
    assert list(table[0])[:3] == ["id", "timestamp", "callId"]
    assert list(table[0]).count("duration") == 1
    assert set(table[0]) == set(COLUMNS)
    assert [(row["id"], row["timestamp"], row["callId"], row["duration"]) for row in table] == [
        ("1", "5", "x", ""),
        ("2", "6", "y", "7"),
    ]
    assert b"\r" not in b"".join(chunks)


async def test_columns_are_added_in_the_spelling_of_the_service() -> None:
    (chunk, _) = await export(b"id,call_id,timestamp\n1,x,5\n", b"id,call_id,timestamp\n2,y\n", b"")
    header = chunk.decode().splitlines()[0].split(",")
    assert {"originator_number", "sentiment_score", "voicemail_url"} <= set(header)
    assert "originatorNumber" not in header
    assert len(header) == WIDTH


async def test_a_column_nobody_announced_is_not_dropped_in_silence() -> None:
    with pytest.raises(DecodeError, match="columns that the first page had not"):
        await export(HEADER + b"\n" + line("1"), HEADER + b",surprise\n" + line("2"))


async def test_a_column_that_no_table_names_is_kept() -> None:
    header = (full("surprise", "id") + "\n").encode()
    assert await export(header + b"x," + line("1"), b"") == [header + b"x," + line("1")]


async def test_a_row_that_stood_on_the_page_before_is_left_out() -> None:
    pages = [HEADER + b"\n" + line("1") + line("2"), HEADER + b"\n" + line("2") + line("3"), HEADER + b"\n"]
    assert b"".join(await export(*pages)) == HEADER + b"\n" + line("1") + line("2") + line("3")


async def test_t9_a_service_that_counts_from_one_repeats_its_first_page_once() -> None:
    one, two = HEADER + b"\n" + line("1"), HEADER + b"\n" + line("2")
    assert b"".join(await export(one, one, two, b"")) == HEADER + b"\n" + line("1") + line("2")


async def test_a_service_that_repeats_itself_is_found_out() -> None:
    page = HEADER + b"\n" + line("1")
    with pytest.raises(DecodeError, match="the same rows over and over"):
        await export(page, page, page)


def test_a_cell_beyond_all_bounds_is_a_decode_error() -> None:
    pages = CsvPages()
    with pytest.raises(DecodeError, match="a CSV page cannot be read") as caught:
        pages.add("id,timestamp\n1," + "x" * 200_000)
    assert "xx" not in str(caught.value)


async def test_the_export_is_utf_8_whatever_came() -> None:
    text = (HEADER + b"\r\n").decode() + line("1", "é").decode()
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "latin-1"):
        assert b"".join(await export(text.encode(encoding), b"")) == text.encode()


async def test_an_export_that_is_left_early_leaves_nothing_open(serve: Serve) -> None:
    for quirks in (Quirks(), Quirks(csv="refused")):
        served = await serve(quirks)
        chunks = served.client.telephony_events.export_csv(page_size=10)
        assert await anext(chunks)
        await chunks.aclose()
        asked = len(served.sandbox.requests)
        assert asked <= 2


async def test_g1_a_406_falls_back_to_json_pages(serve: Serve) -> None:
    served = await serve(Quirks(csv="refused", undocumented_fields="present"))
    chunks = [chunk async for chunk in served.client.telephony_events.export_csv(page_size=50)]
    assert chunks[0] == header_line() == ",".join([*COLUMNS, "extra"]).encode() + b"\r\n"
    assert len(chunks) == 4
    rows = list(csv.DictReader(io.StringIO(b"".join(chunks).decode(), newline="")))
    assert [int(row["id"]) for row in rows] == list(served.sandbox.state.events.ids)
    assert {row["extra"] for row in rows} == {'{"revision": {"number": 1}}'}
    assert served.sandbox.count("POST", status=406) == 1


async def test_g1_another_refusal_is_no_reason_to_fall_back(serve: Serve) -> None:
    served = await serve()
    served.sandbox.fail_next(Fault(status=400))
    with pytest.raises(BadRequestError):
        await anext(served.client.telephony_events.export_csv())
    assert len(served.sandbox.requests) == 1


def cells(row: dict[str, Any], kind: Any) -> dict[str, str]:
    text = (header_line() + lines([structure(row, kind)])).decode()
    (read,) = csv.DictReader(io.StringIO(text, newline=""))
    return {name: value for name, value in read.items() if value}


def test_a_row_of_json_as_a_line() -> None:
    row = {
        "id": 8395,
        "type": "PHONE_CALL",
        "timestamp": 1523369486000,
        "labels": ["a;b", 'say "hi"'],
        "ruleNames": [],
        "recorded": True,
        "duration": 4,
        "ringTime": 1.5,
        "originatorName": "Niccolò,\r\n=SUM(A1)",
        "summary": None,
        "costs": {"eur": 0.12},
    }
    assert cells(row, PhoneCall) == {
        "id": "8395",
        "type": "PHONE_CALL",
        "timestamp": "2018-04-10T14:11:26.000+00:00",
        "labels": '["a;b", "say \\"hi\\""]',
        "ruleNames": "[]",
        "recorded": "true",
        "duration": "4",
        "ringTime": "1.5",
        "originatorName": "Niccolò,\r\n=SUM(A1)",
        "extra": '{"costs": {"eur": 0.12}}',
    }


def test_unknown_records_keep_all_they_have_in_extra() -> None:
    written = cells({"id": "x", "type": "SMS", "text": "hi \ud800"}, UnknownEvent)
    assert (written["id"], written["type"]) == ("x", "SMS")
    assert json.loads(written["extra"].replace("\\ud800", "?")) == {"text": "hi ?"}


def test_the_columns_are_the_documented_ones() -> None:
    assert len(COLUMNS) == len(set(COLUMNS)) == 31
    assert {"id", "callId", "queueCallId", "voicemail_url", "sentiment_score"} <= set(COLUMNS)
    assert cells({"id": 1, "type": "FAX_CALL"}, FaxCall) == {"id": "1", "type": "FAX_CALL"}
