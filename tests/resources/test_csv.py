"""The export: CSV of any dialect joined, or written from JSON."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from attrs import define, field
from hypothesis import given, settings, strategies as st

from voxloud_async import VoxloudClient
from voxloud_async.errors import BadRequestError, ConflictError, DecodeError, NotAcceptableError
from voxloud_async.models import FaxCall, PhoneCall, UnknownEvent
from voxloud_async.protocol.codec import structure
from voxloud_async.resources.csv_pages import CsvPages
from voxloud_async.resources.csv_rows import COLUMNS, header_line, lines
from voxloud_async.sandbox import Fault, Quirks
from voxloud_async.testing import answer
from voxloud_async.wire.message import Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.resources.conftest import Serve


NAMES = ("id", "timestamp", "callId", "transcription")


@define
class Service:
    """A transport that gives CSV, page by page, with the columns that `header` says for a page."""

    rows: Sequence[Mapping[str, str]]
    header: Callable[[int], Sequence[str]] = lambda _: NAMES
    delimiter: str = ","
    line_end: str = "\r\n"
    encoding: str = "utf-8"
    cap: int = 2000
    has_header: bool = True
    requests: list[Request] = field(factory=list)

    async def send(self, request: Request, *, timeout: float) -> Response:  # noqa: ARG002, ASYNC109 - the contract
        self.requests.append(request)
        await asyncio.sleep(0)
        query = dict(parse_qsl(urlsplit(request.url).query))
        since = json.loads(request.body or b"{}").get("date_time_from")
        rows = [row for row in self.rows if since is None or row.get("timestamp", "~") >= since]
        size, number = min(int(query["size"]), self.cap), int(query.get("page", "0"))
        page = rows[size * number : size * (number + 1)]
        if request.headers["accept"] == "application/json":
            return answer([{**row, "type": "PHONE_CALL"} for row in page])
        return answer(self.page(page, number))

    def page(self, rows: Sequence[Mapping[str, str]], number: int) -> bytes:
        columns = self.header(number)
        lines = [columns] if self.has_header else []
        lines += [[row.get(name, "") for name in columns] for row in rows]
        return "".join(map(self.line, lines)).encode(self.encoding)

    def line(self, cells: Sequence[str]) -> str:
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=self.delimiter, lineterminator="\r\n").writerow(cells)
        return text.getvalue()[:-2] + self.line_end

    async def aclose(self) -> None: ...


START = datetime(2026, 1, 1, tzinfo=UTC)


def stamp(number: int) -> str:
    return (START + timedelta(seconds=number)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def some(count: int, **cells: str) -> list[dict[str, str]]:
    return [{"id": str(number), "timestamp": stamp(number), **cells} for number in range(count)]


async def export(service: Service, **options: Any) -> list[bytes]:
    client = VoxloudClient("key", transport=service, base_url="https://api.example")
    chunks = [chunk async for chunk in client.telephony_events.export_csv(**options)]
    assert {request.headers["accept"] for request in service.requests} <= {"text/csv", "application/json"}
    return chunks


async def table(service: Service, **options: Any) -> list[dict[str, str]]:
    """The rows of an export, without their empty cells."""
    text = b"".join(await export(service, **options)).decode()
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=service.delimiter, strict=True)
    return [{name: cell for name, cell in row.items() if cell} for row in rows]


@pytest.mark.parametrize("count", [0, 1, 19, 20, 21, 120])
@pytest.mark.parametrize("cap", [2000, 20, 10])
async def test_t12_the_whole_has_one_header_and_every_row_once(count: int, cap: int) -> None:
    service = Service(some(count), cap=cap)
    chunks = await export(service, page_size=20)
    assert b"".join(chunks).count(b"timestamp") == 1
    assert all(chunk.endswith(b"\r\n") for chunk in chunks)
    assert await table(service, page_size=20) == some(count)


async def test_a_short_export_takes_two_requests() -> None:
    service = Service(some(130))
    assert await table(service) == some(130)
    assert len(service.requests) == 2, "a short page is the last, or as long as pages get: the second one tells"


async def test_nothing_at_all() -> None:
    assert b"".join(await export(Service([], has_header=False))) == b""
    assert b"".join(await export(Service([]))).count(b"\r\n") == 1


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
async def test_t12_a_text_of_many_commas_is_one_cell(delimiter: str) -> None:
    said = 'So, well; yes, | \t "no", and,\r\n1;2,3, on'
    rows = [{"id": "1", "type": "PHONE_CALL", "timestamp": stamp(1), "transcription": said}]
    names = ("id", "type", "timestamp", "transcription")
    service = Service(rows, header=lambda _: names, delimiter=delimiter)
    text = b"".join(await export(service)).decode()
    table = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    assert table[-1][:4] == list(rows[0].values())


def test_t12_a_wrong_delimiter_may_make_no_csv_at_all() -> None:
    rows = "".join(f"{number};PHONE_CALL;{stamp(number)};on and on\r\n" for number in range(1, 4_000))
    pages = CsvPages()
    page = pages.read(f'id;type;timestamp;transcription\r\n0;PHONE_CALL;{stamp(0)};he said,"hello\r\n{rows}')
    assert len(page.items) == 4_000
    assert page.items[0].cells == ("0", "PHONE_CALL", stamp(0), 'he said,"hello')


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12) | st.text(
    st.sampled_from(list("\"\r\n,;\t |ab'")), max_size=8
)


@given(
    cells=st.lists(CELLS, max_size=40),
    delimiter=st.sampled_from([",", ";", "\t"]),
    line_end=st.sampled_from(["\r\n", "\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    size=st.integers(1, 30),
)
@settings(max_examples=150, deadline=None)
def test_any_cell_survives(cells: list[str], delimiter: str, line_end: str, encoding: str, size: int) -> None:
    rows = [row | ({"transcription": cell} if cell else {}) for row, cell in zip(some(len(cells)), cells, strict=True)]
    service = Service(rows, delimiter=delimiter, line_end=line_end, encoding=encoding)
    assert asyncio.run(table(service, page_size=size)) == rows


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
async def test_the_export_is_utf_8_whatever_came(encoding: str) -> None:
    rows = some(5, transcription='perch\xe9, "s\xec"')
    assert await table(Service(rows, encoding=encoding), page_size=2) == rows


async def test_a_page_without_line_end_or_with_blank_lines() -> None:
    pages = CsvPages()
    assert [row.cells for row in pages.read("id,timestamp\n1,5\n\n  \n2,6").items] == [("1", "5"), ("2", "6")]
    assert pages.columns[:2] == ("id", "timestamp")


async def test_other_separators_of_lines_are_text() -> None:
    rows = some(3, transcription="a\u2028b\x0bc\x85d\x0ce")
    assert await table(Service(rows), page_size=2) == rows


def test_a_carriage_return_is_quoted_whatever_ends_a_line() -> None:
    pages = CsvPages()
    page = pages.read('id,timestamp\n1,"a\rb"\n')
    assert pages.lines(page.items).startswith('1,"a\rb",')


async def test_t12_without_a_header_line_the_json_is_written(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing says what its columns are, and so what its rows are known by."""
    rows = some(50)
    service = Service(rows, has_header=False)
    found = await table(service, page_size=20)
    assert [(row["id"], row["type"]) for row in found] == [(row["id"], "PHONE_CALL") for row in rows]
    accepted = [request.headers["accept"] for request in service.requests]
    assert accepted[0] == "text/csv"
    assert set(accepted[1:]) == {"application/json"}
    assert [record.message for record in caplog.records] == [
        "the service's CSV has no header line: its JSON is written as CSV instead"
    ]


async def test_once_rows_are_written_as_they_came_no_other_kind_follows() -> None:
    class Changing(Service):
        async def send(self, request: Request, *, timeout: float) -> Response:  # noqa: ASYNC109 - the contract
            found = await super().send(request, timeout=timeout)
            return found if len(self.requests) == 1 else answer({"message": "no CSV"}, status=406)

    service = Changing(some(50))
    client = VoxloudClient("key", transport=service, base_url="https://api.example")
    chunks = client.telephony_events.export_csv(page_size=20, prefetch=1)
    assert (await anext(chunks)).count(b"\r\n") == 21
    for _ in range(2):
        with pytest.raises(NotAcceptableError):
            await anext(chunks)
    assert len(service.requests) == 3


def test_a_page_that_lost_its_header_goes_by_the_first() -> None:
    pages = CsvPages()
    pages.read("id,timestamp\n1,5\n")
    assert pages.lines(pages.read("2,6\n").items).startswith("2,6,")


async def test_columns_the_first_page_lacks_stand_behind_its_own() -> None:
    wide = ("callId", "id", "duration", "timestamp")
    rows = some(40, callId="x", duration="7")
    service = Service(rows, header=lambda number: wide if number else ("id", "timestamp", "callId"), delimiter=";")
    (head, *_), found = (
        b"".join(await export(service, page_size=20)).decode().splitlines(),
        await table(service, page_size=20),
    )
    columns = head.split(";")
    assert columns[:3] == ["id", "timestamp", "callId"]
    assert columns[-1] == "extra"
    assert set(columns) == {*COLUMNS, "extra"}
    assert len(columns) == len(set(columns))
    assert [row["callId"] for row in found] == ["x"] * 40
    assert found[-1]["duration"] == "7"


def test_columns_are_added_in_the_spelling_of_the_service() -> None:
    pages = CsvPages()
    pages.read("id,call_id,timestamp\n1,x,5\n")
    assert {"originator_number", "sentiment_score", "voicemail_url", "extra"} <= set(pages.columns)
    assert "originatorNumber" not in pages.columns
    assert len(pages.columns) == len(COLUMNS) + 1


async def test_what_only_a_later_page_has_a_column_for_stands_in_extra() -> None:
    rows = some(40, surprise="s", other='"o"')
    service = Service(rows, header=lambda number: (*NAMES, "surprise", "other") if number else NAMES)
    found = await table(service, page_size=20)
    assert "extra" not in found[0]
    assert json.loads(found[-1]["extra"]) == {"surprise": "s", "other": '"o"'}
    assert set(found[-1]) == {"id", "timestamp", "extra"}


def test_cells_beyond_the_header_stand_in_extra() -> None:
    pages = CsvPages()
    page = pages.read("id,timestamp\n1,5,more\n2\n")
    lines = list(csv.DictReader(io.StringIO(pages.head() + pages.lines(page.items), newline="")))
    assert json.loads(lines[0]["extra"]) == {"column 3": "more"}
    assert lines[1]["id"] == "2"


def test_a_column_of_that_very_name_is_kept() -> None:
    pages = CsvPages()
    page = pages.read("extra,id,timestamp\nmine,1,5\n")
    (row,) = csv.DictReader(io.StringIO(pages.head() + pages.lines(page.items), newline=""))
    assert row["extra"] == "mine"
    later = pages.read("extra,id,timestamp,surprise\nmine,2,6,s\n")
    (row,) = csv.DictReader(io.StringIO(pages.head() + pages.lines(later.items), newline=""))
    assert json.loads(row["extra"]) == {"": "mine", "surprise": "s"}


async def test_a_service_that_repeats_itself_is_found_out() -> None:
    service = Service(some(20))
    page = service.page(service.rows, 0)

    class Same(Service):
        async def send(self, request: Request, *, timeout: float) -> Response:  # noqa: ASYNC109 - the contract
            await super().send(request, timeout=timeout)
            return answer(page)

    same = Same([])
    with pytest.raises(ConflictError, match="repeats itself"):
        await export(same, page_size=20)
    assert len(same.requests) <= 30


@pytest.mark.parametrize("text", ["id,timestamp\n1," + "x" * 200_000, "id,timestamp," + "x" * 200_000 + "\n1,2,3\n"])
def test_a_cell_beyond_all_bounds_is_a_decode_error(text: str) -> None:
    with pytest.raises(DecodeError, match="a CSV page cannot be read") as caught:
        CsvPages().read(text)
    assert "xx" not in str(caught.value)


async def test_rows_outside_of_the_interval_are_left_out_as_in_a_query() -> None:
    rows = some(60)
    start, end = START + timedelta(seconds=10), START + timedelta(seconds=19)
    assert await table(Service(rows), date_time_from=start, date_time_to=end, page_size=20) == rows[10:20]


async def test_an_export_that_is_left_early_leaves_nothing_open(serve: Serve) -> None:
    for quirks in (Quirks(), Quirks(csv="refused")):
        served = await serve(quirks)
        chunks = served.client.telephony_events.export_csv(page_size=10)
        assert await anext(chunks)
        await chunks.aclose()
        assert len(served.sandbox.requests) <= 5


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
