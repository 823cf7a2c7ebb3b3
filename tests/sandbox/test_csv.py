"""T12: events as CSV, in every dialect."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pytest

from voxloud_async.sandbox import Quirks
from voxloud_async.sandbox.csv_pages import csv_page

if TYPE_CHECKING:
    from tests.sandbox.conftest import Api, Serve

PATH = "/api/v1/telephony-events?size=200&sort=timestamp,asc"
CSV = {"Accept": "text/csv"}


async def read(api: Api, *, encoding: str = "utf-8", delimiter: str = ",") -> list[list[str]]:
    reply = await api.ask("POST", PATH, json={}, headers=CSV)
    assert reply.status == 200
    text = reply.body.decode(encoding)
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


async def test_csv_has_the_rows_of_json(api: Api) -> None:
    header, *lines = await read(api)
    rows = (await api.post(PATH, {}))["content"]
    assert len(lines) == len(rows) == 200
    for line, row in zip(lines, rows, strict=True):
        cells = dict(zip(header, line, strict=True))
        assert cells["id"] == str(row["id"])
        assert cells["timestamp"] == row["timestamp"]
        assert cells["archived"] == str(row["archived"]).lower()
        assert cells["ruleNames"] == ";".join(row.get("ruleNames", []))
        assert cells["transcription"] == row.get("transcription", "")


async def test_the_content_type_names_the_charset_or_not(serve: Serve) -> None:
    for named, content_type in (("yes", "text/csv; charset=utf-8"), ("no", "text/csv")):
        api = await serve(quirks={"csv_charset_named": named})
        assert (await api.ask("POST", PATH, json={}, headers=CSV)).headers["Content-Type"] == content_type


async def test_g1_csv_is_refused(serve: Serve) -> None:
    api = await serve(quirks={"csv": "refused"})
    await api.refused(406, "POST", PATH, json={}, headers=CSV)
    assert (await api.ask("POST", PATH, json={}, headers={"Accept": "text/csv, */*;q=0.1"})).status == 200


async def test_columns_in_snake_case(serve: Serve) -> None:
    header, *_ = await read(await serve(quirks={"csv_columns": "snake"}))
    assert {"call_id", "originator_number", "sentiment_score", "voicemail_url"} < set(header)


async def test_used_columns_only(serve: Serve) -> None:
    api = await serve(quirks={"csv_column_set": "used"}, events=1)
    header, _ = await read(api)
    assert header == [name for name in (await read(await serve()))[0] if name in header]
    assert "queueCallId" not in header


async def test_an_undocumented_field_gets_a_column(serve: Serve) -> None:
    header, *_ = await read(await serve(quirks={"undocumented_fields": "present"}))
    assert header[-1] == "revision"


async def test_no_header(serve: Serve) -> None:
    lines = await read(await serve(quirks={"csv_header": "absent"}))
    assert [line[0] for line in lines] == [str(each) for each in range(8000, 8200)]


@pytest.mark.parametrize("delimiter", [";", "\t"])
async def test_delimiters(serve: Serve, delimiter: str) -> None:
    lines = await read(await serve(quirks={"csv_delimiter": delimiter}), delimiter=delimiter)
    assert {len(line) for line in lines} == {31}


async def test_line_ends(serve: Serve) -> None:
    unix, windows = [await serve(quirks={"csv_newline": each}) for each in ("\n", "\r\n")]
    bodies = [(await api.ask("POST", PATH, json={}, headers=CSV)).body for api in (unix, windows)]
    assert b"\r" not in bodies[0]
    assert bodies[1].replace(b"\r\n", b"\n") == bodies[0]


@pytest.mark.parametrize("charset", ["utf-8-sig", "iso-8859-1", "utf-16"])
async def test_charsets(serve: Serve, charset: str) -> None:
    api, plain = await serve(quirks={"csv_charset": charset}), await serve()
    assert await read(api, encoding=charset) == await read(plain)


def test_what_a_charset_lacks_becomes_a_question_mark() -> None:
    answer = csv_page([{"id": 1, "type": "\u4e16"}], Quirks(csv_charset="iso-8859-1", csv_column_set="used"))
    assert answer.body == b"id,type\r\n1,?\r\n"
