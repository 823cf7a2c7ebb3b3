"""`voxloud contacts import`: what is told of each row is checked against what the server holds."""

from __future__ import annotations

import io
import json
import os
import sys
from typing import TYPE_CHECKING

import pytest

from voxloud_async.sandbox import Fault, SlidingWindow, Weather

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Console, Result

POST = "POST /api/v1/contacts"


def imported(voxloud: Console, path: Path, content: str | bytes, *tokens: str) -> Result:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return voxloud("contacts", "import", str(path), *tokens)


def summary(**counts: int) -> dict[str, int]:
    keys = ("rows", "valid", "created", "replayed", "refused", "unknown", "untried", "blank")
    return dict.fromkeys(keys, 0) | counts


def names(voxloud: Console) -> list[str]:
    """The first names of the contacts that came after the seeded ones."""
    return sorted(contact.first_name for contact in [*voxloud.sandbox.state.contacts.values()][30:])


def test_csv(voxloud: Console, tmp_path: Path) -> None:
    content = (
        "\ufefffirst_name, primary_phone ,phones,emails,company_name\r\n"
        'Ada,+390312345678,+390311111111; +390322222222,,"Engines,\r\nAnalytical"\r\n'
        "\r\n"
        "Élodie,+390312345679,,e@x.example;,\r\n"
    )
    result = imported(voxloud, tmp_path / "people.CSV", content)
    assert (result.code, result.err) == (0, "")
    assert result.row == summary(rows=2, valid=2, created=2, blank=1)
    ada, elodie = sorted([*voxloud.sandbox.state.contacts.values()][30:], key=lambda each: each.first_name)
    assert ada.phones == ("+390311111111", "+390322222222")
    assert (ada.company_name, ada.emails) == ("Engines,\r\nAnalytical", ())
    assert (elodie.first_name, elodie.emails, elodie.company_name) == ("Élodie", ("e@x.example",), None)


@pytest.mark.parametrize("name", ["people.ndjson", "people.jsonl"])
def test_ndjson(voxloud: Console, tmp_path: Path, name: str) -> None:
    rows = [
        {"first_name": "Ada", "primary_phone": "+390312345678", "phones": ["+390311111111"]},
        {"first_name": "Bea", "primary_phone": "+390312345679", "last_name": None},
    ]
    content = "\ufeff" + "\n\n".join(map(json.dumps, rows))
    result = imported(voxloud, tmp_path / name, content)
    assert (result.code, result.err, result.row["created"]) == (0, "", 2)
    assert names(voxloud) == ["Ada", "Bea"]


BAD_CSV = (
    "first_name,primary_phone,nickname,emails\n"
    "Ada,+390312345678,,\n"  # 2
    ",+390312345679,,\n"  # 3: no first name
    "Bea,+390312345680\n"  # 4: short
    "Cléo,+390312345681,Cle,\n"  # 5
    'Dan,"+3903"12345682,,\n'  # 6: malformed
).encode() + (
    b"\xe9lo,+390312345683,,\n"  # 7: Latin-1 in a file of UTF-8
    b"Eve,0312345684,,\n"  # 8: a national number
    b"Fay,+390312345685,,,,\n"  # 9: delimiters behind the last value
    b'Gus,"+390312345686,,\n'  # 10: a quote that nobody closes
    b"Hal,+390312345687,,\n"
    b"Ida,+390312345688,,,x\n"  # 12: too long
)
NATIONAL = (
    "is a national number, or lacks the + before its country code "
    "(give the region of the file, such as IT, or write it with + and country code)"
)
BAD_LINES = [
    "line 3: first_name: is required (fill it in, or leave the row out)",
    "line 4: -: has 2 values where the header has 4 names (quote the values that contain a delimiter)",
    "line 6: -: is not CSV: ',' expected after '\"' (write a quote within a value twice: \"\")",
    "line 7: first_name: is not UTF-8 (name the encoding, or correct it)",
    f"line 8: primary_phone: {NATIONAL}",
    "line 10: -: a quote opened here is never closed (close it, or double it)",
    "line 12: -: has 5 values where the header has 4 names (quote the values that contain a delimiter)",
]
NOTES = ["columns that are no field of a contact, ignored: nickname (--map COLUMN=FIELD takes one)"]
UNSENT = "nothing was sent; only the service knows whether it takes these rows: its own checks, and contacts that exist"


def told(result: Result) -> list[str]:
    return [line.removeprefix("voxloud: ") for line in result.err.splitlines()]


def test_a_bad_row_is_reported_with_line_column_reason_and_remedy(voxloud: Console, tmp_path: Path) -> None:
    result = imported(voxloud, tmp_path / "people.csv", BAD_CSV)
    assert result.code == 1
    assert told(result) == NOTES + BAD_LINES
    assert result.row == summary(rows=11, valid=4, created=4, refused=7)
    assert names(voxloud) == ["Ada", "Cléo", "Fay", "Hal"]


def test_a_dry_run_reports_the_same_and_sends_nothing(voxloud: Console, tmp_path: Path) -> None:
    result = imported(voxloud, tmp_path / "people.csv", BAD_CSV, "--dry-run")
    assert result.code == 1
    assert told(result) == [*NOTES, *BAD_LINES, UNSENT]
    assert result.row == summary(rows=11, valid=4, refused=7)
    assert voxloud.sandbox.requests == []


def test_a_dry_run_says_what_it_cannot_know(voxloud: Console, tmp_path: Path) -> None:
    result = imported(voxloud, tmp_path / "people.csv", "first_name,primary_phone\nAda,+390312345678\n", "--dry-run")
    assert (result.code, told(result), result.row["valid"]) == (0, [UNSENT], 1)


def test_what_the_service_refuses_is_reported_by_line(voxloud: Console, tmp_path: Path) -> None:
    voxloud.sandbox.fail_next(Fault(status=400), match=POST)
    result = imported(voxloud, tmp_path / "people.csv", many(1))
    assert (result.code, result.row["valid"], result.row["refused"]) == (1, 1, 1)
    assert told(result)[0].startswith("line 2: -: 400 Bad Request: ")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "the file is empty"),
        ("\n,,\n \n", "the file is empty"),
        ("last_name;first_name\n", "the file has no column that is recognised as primary_phone: map one to it"),
        ("nickname,primary_phone\n", "the file has no column that is recognised as first_name: map one to it"),
        ("nickname\n", "no field of a contact in its first line (first_name, primary_phone, last_name"),
        ("Ada,+390312345678\n", "names no field of a contact"),
        ("first_name,first_name,primary_phone\n", "names the column 'first_name' twice"),
        ("first_name,primary_phone,compny_name\n", "'compny_name', no field of a contact: map it to company_name"),
        ('"first_name"x\n', "the file is not CSV"),
    ],
)
@pytest.mark.parametrize("tokens", [[], ["--dry-run"]])
def test_a_header_that_is_none(voxloud: Console, tmp_path: Path, content: str, reason: str, tokens: list[str]) -> None:
    result = imported(voxloud, tmp_path / "people.csv", content, *tokens)
    assert (result.code, result.out) == (2, "")
    assert reason in result.err
    assert "Ada" not in result.err
    assert voxloud.sandbox.requests == []


@pytest.mark.parametrize(
    ("name", "tokens", "reason"),
    [
        ("people.txt", [], "--input-format must be given, as the name ends with none of .csv, .tsv, "),
        ("people.txt", ["--format", "csv"], "--input-format must be given, as the name"),
        ("people.csv", ["--api-key=hush"], "unknown option --api-key (see"),
        ("people.csv", ["--region=ITALY"], "--region must be the two letters of a country"),
        ("people.csv", ["--encoding", "utf-99"], "--encoding must be an encoding of text"),
        ("people.csv", ["--encoding", "rot13"], "--encoding must be an encoding of text"),
        ("people.csv", ["--map", "Telefono"], "--map must be COLUMN=FIELD"),
        ("people.csv", ["--map", "=phones"], "--map must be COLUMN=FIELD"),
        ("people.csv", ["--map", "first_name=fon"], "--map must map to a field (first_name, primary_phone"),
        ("people.csv", ["--map", "Fon=phones"], "--map names 'Fon', which is not a column of the file"),
        ("people.csv", ["--concurrency", "0"], "--concurrency must be at least 1"),
        ("people.csv", ["--delimiter", ";;"], "--delimiter must be one character"),
    ],
)
def test_options_that_do_not_do(voxloud: Console, tmp_path: Path, name: str, tokens: list[str], reason: str) -> None:
    result = imported(voxloud, tmp_path / name, "first_name,primary_phone\n", *tokens)
    assert (result.code, result.out) == (2, "")
    assert reason in result.err


def test_another_delimiter_and_format(voxloud: Console, tmp_path: Path) -> None:
    content = 'first_name;primary_phone;phones\nAda;+390312345678;"+390311111111;+390322222222"\n'
    result = imported(voxloud, tmp_path / "people.txt", content, "--input-format", "csv", "--delimiter", ";")
    assert (result.code, result.err) == (0, "")
    tabs = content.replace(";", "\t").replace("1\t+", "1;+")
    assert imported(voxloud, tmp_path / "people.TSV", tabs, "--delimiter", "tab").code == 0
    assert [*voxloud.sandbox.state.contacts.values()][-1].phones == ("+390311111111", "+390322222222")


def many(count: int) -> str:
    return "first_name,primary_phone\n" + "".join(f"N{n:03},+39031{n:07}\n" for n in range(count))


def test_a_row_whose_outcome_is_unknown_is_told_and_not_sent_again(voxloud: Console, tmp_path: Path) -> None:
    voxloud.sandbox.fail_next(Fault(cut="before_headers", executed=True), match=POST)
    voxloud.sandbox.fail_next(Fault(status=500), match=POST)
    result = imported(voxloud, tmp_path / "people.csv", many(5), "--concurrency", "1")
    assert result.code == 7
    assert [line[:18] for line in result.err.splitlines()] == ["voxloud: line 3: -"]  # that of line 2 was found
    assert result.err.count("may have been created or not") == 1
    assert result.row == summary(rows=5, valid=5, created=4, unknown=1)
    assert voxloud.sandbox.count("POST") == 5
    assert names(voxloud) == ["N000", "N002", "N003", "N004"]


def test_rows_go_side_by_side_but_not_too_many(voxloud: Console, tmp_path: Path) -> None:
    voxloud.sandbox.change_weather(Weather(latency=0.3))
    tokens = ["--concurrency", "4", "--rate", "none"]
    assert imported(voxloud, tmp_path / "people.csv", many(12), *tokens).row["created"] == 12
    starts = sorted(each.at for each in voxloud.sandbox.requests)
    assert starts[3] - starts[0] < 0.3 <= starts[4] - starts[0]


def test_refusals_for_now_lose_no_row(voxloud: Console, tmp_path: Path) -> None:
    voxloud.sandbox.change_weather(Weather(limits=(SlidingWindow(10, 0.5),)))
    result = imported(voxloud, tmp_path / "people.csv", many(30), "--rate", "none")
    assert (result.code, result.row["created"]) == (0, 30)
    assert names(voxloud) == [f"N{n:03}" for n in range(30)]
    assert voxloud.sandbox.count(status=429) > 0


def test_a_row_that_may_not_wait_is_refused(voxloud: Console, tmp_path: Path) -> None:
    voxloud.sandbox.fail_next(Fault(status=429, retry_after="60"), match=POST)
    result = imported(voxloud, tmp_path / "people.csv", many(1), "--max-wait", "2")
    assert result.code == 1
    assert "line 2: -: 429 Too Many Requests: " in result.err
    assert "; --max-wait of 2 s is too short to wait for the service to take requests again" in result.err


def test_a_refused_key_ends_the_run_and_the_rest_is_counted(
    voxloud: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOXLOUD_API_KEY", "wrong")
    result = imported(voxloud, tmp_path / "people.csv", many(50), "--concurrency", "3")
    assert result.code == 3
    assert result.err.count("\n") == 1
    assert "401" in result.err
    assert (result.row["rows"], result.row["created"], result.row["untried"]) == (50, 0, 50)
    assert voxloud.sandbox.count("POST") == 3


def test_the_summary_is_shown_in_every_form(voxloud: Console, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    assert imported(voxloud, path, many(2), "--format", "table").out.splitlines()[2].split() == ["created", "2"]
    title, row = imported(voxloud, path, many(2), "--format", "csv").out.splitlines()
    assert dict(zip(title.split(","), row.split(","), strict=True))["created"] == "2"


def test_what_the_service_says_of_a_row_holds_no_value_of_it(voxloud: Console, tmp_path: Path) -> None:
    voxloud.sandbox.fail_next(Fault(status=418), match=POST)
    result = imported(voxloud, tmp_path / "people.csv", many(1))
    assert result.code == 1
    assert "line 2: -: 418" in result.err
    assert "031" not in result.err


def test_rows_of_standard_input(voxloud: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(many(2).encode())))
    result = voxloud.ok("contacts", "import", "-", "--input-format", "csv")
    assert result.row["created"] == 2


def test_standard_input_may_be_a_pipe(voxloud: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.write(writer, many(3).encode("utf-16"))
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as pipe:
        monkeypatch.setattr("sys.stdin", pipe)
        assert voxloud.ok("contacts", "import", "-", "--input-format", "csv").row["created"] == 3


def test_an_option_before_the_file_is_no_file(voxloud: Console) -> None:
    result = voxloud("contacts", "import", "--api-key=hush")
    assert (result.code, result.err) == (2, "voxloud: unknown option --api-key (see voxloud contacts import --help)\n")
    result = voxloud("contacts", "import", "--delimeter=;", "people.csv")
    assert result.err.startswith("voxloud: unknown option --delimeter: did you mean --delimiter? (see ")


def test_columns_that_no_field_takes_are_named_once(voxloud: Console, tmp_path: Path) -> None:
    columns = [f"Custom {letter}" for letter in "ABCDEFGHIJKL"]
    content = f"first_name,primary_phone,{','.join(columns)}\n" + f"Ada,+390312345678,A{',' * 11}\n" * 2
    result = imported(voxloud, tmp_path / "people.csv", content)
    assert (result.code, result.row["created"]) == (0, 2)
    (note,) = told(result)
    assert note.endswith("Custom I, Custom J and 2 more (--map COLUMN=FIELD takes one)")


def test_columns_are_mapped(voxloud: Console, tmp_path: Path) -> None:
    content = "Wer;Anruf=1;Auch;Firma\nAda Lovelace;+390312345678;+390312345679;Engines\n"
    maps = ["Wer=name", "Anruf=1=primary_phone", "Auch=phones", "Firma="]
    tokens = [token for text in maps for token in ("--map", text)]
    result = imported(voxloud, tmp_path / "people.csv", content, *tokens)
    assert (result.code, result.row["created"]) == (0, 1)
    ada = [*voxloud.sandbox.state.contacts.values()][-1]
    assert (ada.first_name, ada.last_name, ada.phones, ada.company_name) == (
        "Ada",
        "Lovelace",
        ("+390312345679",),
        None,
    )


def test_a_file_that_is_not_utf_8_is_read_as_cp1252_and_said_so(voxloud: Console, tmp_path: Path) -> None:
    content = "first_name,primary_phone\nÉlodie,+390312345678\n"
    result = imported(voxloud, tmp_path / "people.csv", content.encode("cp1252"))
    assert (result.code, names(voxloud)) == (0, ["Élodie"])
    assert told(result) == ["the file is not UTF-8: it is read as cp1252 (--encoding names another)"]


def test_an_encoding_that_cannot_be_found_is_asked_for(voxloud: Console, tmp_path: Path) -> None:
    content = "first_name,primary_phone\rÉlodie,+390312345678\r".encode("mac_roman")
    result = imported(voxloud, tmp_path / "people.csv", content)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("voxloud: --encoding must be given: the file is not UTF-8")
    assert imported(voxloud, tmp_path / "people.csv", content, "--encoding", "mac_roman").code == 0
    assert names(voxloud) == ["Élodie"]


def test_a_region_needs_a_library(voxloud: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "phonenumbers", None)
    result = imported(voxloud, tmp_path / "people.csv", many(1), "--region", "IT")
    assert (result.code, result.out) == (2, "")
    assert result.err == "voxloud: national numbers need phonenumbers: pip install 'voxloud_async[cli]'\n"


def test_an_import_with_a_journal_creates_nothing_twice(voxloud: Console, tmp_path: Path) -> None:
    journal = str(tmp_path / "import.journal")
    content = many(6).replace("+390310000003", "031")
    first = imported(voxloud, tmp_path / "people.csv", content, "--journal", journal)
    assert (first.code, first.row["created"], first.row["refused"], first.row["replayed"]) == (1, 5, 1, 0)
    content = content.replace(",031\n", ",+390310000003\n")
    again = imported(voxloud, tmp_path / "people.csv", content, "--journal", journal)
    assert (again.code, again.row["created"], again.row["replayed"]) == (0, 1, 5)
    assert names(voxloud) == [f"N{n:03}" for n in range(6)]
    assert voxloud.sandbox.count("POST") == 6


def test_a_faulty_row_keeps_its_number_in_the_journal(voxloud: Console, tmp_path: Path) -> None:
    journal = str(tmp_path / "import.journal")
    broken, mended = many(4).replace("N001", ""), many(4)
    assert imported(voxloud, tmp_path / "people.csv", broken, "--journal", journal).code == 1
    again = imported(voxloud, tmp_path / "people.csv", mended, "--journal", journal)
    assert (again.code, again.row["created"], again.row["replayed"]) == (0, 1, 3)
    assert names(voxloud) == [f"N{n:03}" for n in range(4)]


def test_a_journal_of_another_file_is_refused(voxloud: Console, tmp_path: Path) -> None:
    journal = str(tmp_path / "import.journal")
    imported(voxloud, tmp_path / "people.csv", many(2), "--journal", journal)
    result = imported(voxloud, tmp_path / "others.csv", many(50).replace("N000", "X000"), "--journal", journal)
    assert result.code == 2
    assert "import.journal is of other items: item 0 was another one" in result.err
    assert voxloud.sandbox.count("POST") == 2
