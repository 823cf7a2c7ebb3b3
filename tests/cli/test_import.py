"""`voxloud contacts import`: what is told of each row is checked against what the server holds."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest

from voxloud_async.cli.import_rows import Fault as RowFault, Row, read_rows
from voxloud_async.sandbox import Fault, SlidingWindow, Weather

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Console, Result

POST = "POST /api/v1/contacts"


def imported(voxloud: Console, path: Path, content: str | bytes, *tokens: str) -> Result:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return voxloud("contacts", "import", str(path), *tokens)


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
    assert result.row == {"rows": 2, "valid": 2, "created": 2, "replayed": 0, "refused": 0, "unknown": 0, "untried": 0}
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
    b"first_name,primary_phone,nickname,emails\n"
    b"Ada,+390312345678,,\n"  # 2
    b",+390312345679,,\n"  # 3: no first name
    b"Bea,+390312345680\n"  # 4: short
    b"Cleo,+390312345681,Cle,\n"  # 5: a field that contacts lack
    b'Dan,"+3903"12345682,,\n'  # 6: malformed
    b"\xe9lo,+390312345683,,\n"  # 7: Latin-1
    b"Eve,0312345684,,\n"  # 8: the service refuses it
    b"Fay,+390312345685,,\n"  # 9
    b'Gus,"+390312345686,,\n'  # 10: a quote that nobody closes
    b"Hal,+390312345687,,\n"
)
BAD_LINES = [
    "line 3: first_name: is required",
    "line 4: -: has 2 values where the header has 4 names",
    "line 5: nickname: a contact has no such field (said once; every row that has it is refused)",
    "line 6: -: is no CSV: ',' expected after '\"'",
    "line 7: first_name: is not UTF-8",
    "line 8: primary_phone: 400 Bad Request: primary_phone must be in e164 format",
    "line 10: -: a quote opened here is never closed",
]


def told(result: Result) -> list[str]:
    return sorted(
        (line.removeprefix("voxloud: ") for line in result.err.splitlines()),
        key=lambda line: int(line[5:].split(":")[0]),
    )


def test_a_bad_row_is_told_with_line_field_and_reason_and_the_others_go_on(voxloud: Console, tmp_path: Path) -> None:
    result = imported(voxloud, tmp_path / "people.csv", BAD_CSV)
    assert result.code == 1
    assert told(result) == BAD_LINES
    assert result.row == {"rows": 10, "valid": 4, "created": 3, "replayed": 0, "refused": 7, "unknown": 0, "untried": 0}
    assert names(voxloud) == ["Ada", "Fay", "Hal"]


def test_a_dry_run_tells_the_same_and_sends_nothing(voxloud: Console, tmp_path: Path) -> None:
    result = imported(voxloud, tmp_path / "people.csv", BAD_CSV, "--dry-run")
    assert result.code == 1
    assert told(result) == [line for line in BAD_LINES if "400" not in line]
    assert result.row == {"rows": 10, "valid": 4, "created": 0, "replayed": 0, "refused": 6, "unknown": 0, "untried": 0}
    assert voxloud.sandbox.requests == []


def test_a_dry_run_of_good_rows_ends_well(voxloud: Console, tmp_path: Path) -> None:
    result = imported(voxloud, tmp_path / "people.csv", "first_name,primary_phone\nAda,+390312345678\n", "--dry-run")
    assert (result.code, result.err, result.row["valid"]) == (0, "", 1)


@pytest.mark.parametrize(
    ("line", "field", "reason"),
    [
        ('{"first_name": "Ada"', "-", "is no JSON"),
        ("[1]", "-", "is no JSON object"),
        ('{"first_name": "Ada"}', "primary_phone", "is required"),
        ('{"first_name": "Ada", "primary_phone": 39031}', "primary_phone", "must be a string, not int"),
        ('{"first_name": "Ada", "primary_phone": "1", "phones": "2"}', "phones", "must be a list of strings, not str"),
        ('{"first_name": "Ada", "primary_phone": "1", "phones": [2]}', "phones[0]", "must be a string, not int"),
        ('{"first_name": " ", "primary_phone": "1"}', "first_name", "must not be empty"),
        ('{"name": "Ada", "primary_phone": "1"}', "name", "a contact has no such field"),
        ('{"first_name": "\\ud800", "primary_phone": "1"}', "first_name", "is not UTF-8"),
    ],
)
def test_what_is_wrong_with_a_line_of_ndjson(line: str, field: str, reason: str) -> None:
    assert [*read_rows(io.BytesIO(f"\n{line}\n".encode()), "ndjson")] == [RowFault(2, field, reason)]


def test_the_line_of_a_row_is_where_it_begins() -> None:
    content = b'first_name;primary_phone\n\n"A\nda";1\nBea;2\n'
    rows = [*read_rows(io.BytesIO(content), "csv", delimiter=";")]
    ada, bea = {"first_name": "A\nda", "primary_phone": "1"}, {"first_name": "Bea", "primary_phone": "2"}
    assert rows == [Row(3, ada), Row(5, bea)]


def test_rows_are_read_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text(many(100_000), encoding="utf-8")
    with path.open("rb") as file:
        rows = read_rows(file, "csv")
        assert all(isinstance(next(rows), Row) for _ in range(5))
        assert file.tell() < path.stat().st_size / 10


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "the file is empty"),
        ("last_name;first_name\n", "the first line stands in one cell: say --delimiter ';'"),
        ("nickname\n", "no field of a contact: first_name, primary_phone, last_name"),
        ("Ada,+390312345678\n", "names no field of a contact"),
        ("first_name,first_name\n", "names a column twice"),
        ('"first_name"x\n', "the first line is no CSV"),
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
        ("people.txt", [], "say --input-format"),
        ("people.csv", ["--api-key=hush"], "unknown option --api-key (see"),
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
    assert result.row == {"rows": 5, "valid": 5, "created": 4, "replayed": 0, "refused": 0, "unknown": 1, "untried": 0}
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


def test_rows_below_an_open_quote_are_read_again() -> None:
    content = b'first_name,primary_phone\nA,"1\nB,2\nC,"3\nD,4\n'
    ada, cleo = (RowFault(line, "-", "a quote opened here is never closed") for line in (2, 4))
    bea, dan = (
        Row(line, {"first_name": name, "primary_phone": phone}) for line, name, phone in ((3, "B", "2"), (5, "D", "4"))
    )
    assert [*read_rows(io.BytesIO(content), "csv")] == [ada, bea, cleo, dan]


def test_rows_of_standard_input(voxloud: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(many(2).encode())))
    result = voxloud.ok("contacts", "import", "-", "--input-format", "csv")
    assert result.row["created"] == 2


def test_an_option_before_the_file_is_no_file(voxloud: Console) -> None:
    result = voxloud("contacts", "import", "--api-key=hush")
    assert (result.code, result.err) == (2, "voxloud: unknown option --api-key (see voxloud contacts import --help)\n")


def test_a_column_no_contact_has_is_named_once(voxloud: Console, tmp_path: Path) -> None:
    content = "first_name,primary_phone,nickname\n" + "Ada,+390312345678,A\n" * 20
    result = imported(voxloud, tmp_path / "people.csv", content)
    assert (result.code, result.err.count("nickname"), result.row["refused"]) == (1, 1, 20)


def test_an_import_with_a_journal_creates_nothing_twice(voxloud: Console, tmp_path: Path) -> None:
    journal = str(tmp_path / "import.journal")
    content = many(6).replace("+390310000003", "031")
    first = imported(voxloud, tmp_path / "people.csv", content, "--journal", journal)
    assert (first.code, first.row["created"], first.row["refused"], first.row["replayed"]) == (1, 5, 1, 0)
    content = content.replace(",031\n", ",+390310000003\n")
    again = imported(voxloud, tmp_path / "people.csv", content, "--journal", journal)
    assert (again.code, again.row["created"], again.row["replayed"]) == (0, 1, 5)
    assert names(voxloud) == [f"N{n:03}" for n in range(6)]
    assert voxloud.sandbox.count("POST") == 7


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
