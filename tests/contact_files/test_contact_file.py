"""Contact files from Python: what each row becomes, and what is found out about the file."""

from __future__ import annotations

import io
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, strategies as st

from voxloud_async.contact_files import ContactFile, ContactRow, RejectedRow
from voxloud_async.errors import ArgumentTypeError, InvalidArgumentError

ADA = {"first_name": "Ada", "primary_phone": "+390312345678"}
CSV = "first_name,primary_phone\nAda,+390312345678\n"


def read(content: str | bytes, **options: Any) -> list[ContactRow | RejectedRow]:
    return [*opened(content, **options)]


def opened(content: str | bytes, **options: Any) -> ContactFile:
    data = content.encode() if isinstance(content, str) else content
    return ContactFile(io.BytesIO(data), **({"format": "csv"} | options))


def fields(content: str | bytes, **options: Any) -> list[dict[str, Any]]:
    """The fields of each row, none of which is rejected."""
    rows = read(content, **options)
    assert [row for row in rows if isinstance(row, RejectedRow)] == []
    return [row.fields for row in rows if isinstance(row, ContactRow)]


def rejected(content: str | bytes, **options: Any) -> list[str]:
    return [str(row) for row in read(content, **options) if isinstance(row, RejectedRow)]


def number(text: str, region: str | None = None) -> str:
    """The E.164 form of a number in a file, or why it has none."""
    (row,) = read(f'first_name,primary_phone\nAda,"{text}"\n', region=region)
    return row.reason if isinstance(row, RejectedRow) else row.fields["primary_phone"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=repr)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_encoding_delimiter_and_line_ends_are_found(encoding: str, delimiter: str, end: str) -> None:
    lines = [["first_name", "primary_phone", "company_name"], ["Zoë", "+390312345678", f'"A{delimiter}B{end}C"'], [""]]
    content = end.join(delimiter.join(cells) for cells in lines)
    with opened(content.encode(encoding)) as file:
        (row,) = file
        assert isinstance(row, ContactRow)
        assert row.fields == ADA | {"first_name": "Zoë", "company_name": f"A{delimiter}B{end}C"}
        assert (file.delimiter, file.encoding.partition("-sig")[0]) == (delimiter, encoding.partition("-sig")[0])


@pytest.mark.parametrize("written", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "utf-8", "utf-32", "utf-32-le"])
def test_an_encoding_may_be_named_whether_there_is_a_mark_or_not(written: str) -> None:
    named = written.partition("-le")[0].partition("-be")[0].partition("-sig")[0]
    assert fields(CSV.encode(written), encoding=named) == [ADA]
    assert fields("\ufeff".encode(written) + CSV.encode(written.partition("-sig")[0]), encoding=written) == [ADA]


def test_utf_16_of_the_other_byte_order_is_found() -> None:
    assert fields(b"\xfe\xff" + CSV.encode("utf-16-be")) == [ADA]
    assert fields(b"\xff\xfe" + CSV.encode("utf-16-le")) == [ADA]


def test_cp1252_is_found_where_no_letter_is_utf_8() -> None:
    content = CSV.replace("Ada", "Zoë “x” €")
    with opened(content.encode("cp1252")) as file:
        assert file.encoding == "cp1252"
    assert fields(content.encode("cp1252"))[0]["first_name"] == "Zoë “x” €"


def test_a_late_letter_decides_the_encoding_and_is_read_whole() -> None:
    rows = f"Ada,+390312345678,{'x' * 9_000}\n" * 150  # more than a MiB
    content = f"first_name,primary_phone,notes\n{rows}Zoë,+390312345678,\n"
    assert fields(content)[-1]["first_name"] == "Zoë"
    assert fields(content.encode("cp1252"))[-1]["first_name"] == "Zoë"


def test_a_file_that_ends_within_a_letter_is_not_utf_8() -> None:
    content = b"first_name,primary_phone,company_name\nAda,+390312345678,Zo" + "ë".encode()[:1]
    assert fields(content, encoding="latin-1")[0]["company_name"] == "ZoÃ"
    assert fields(content)[0]["company_name"] == "ZoÃ"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "shift-jis"])
def test_bytes_that_are_not_of_the_encoding_spoil_their_row_alone(encoding: str) -> None:
    bad = {"utf-8": b"\xff", "utf-16-le": b"\x00\xd8", "shift-jis": b"\x85\x85"}[encoding]
    before, after = "first_name,primary_phone\nAda", ",+390312345678\nBeata,+390312345679\n"
    content = before.encode(encoding) + bad + after.encode(encoding)
    first, second = read(content, encoding=encoding)
    assert isinstance(first, RejectedRow)
    assert (first.line, first.column, first.reason) == (
        2,
        "first_name",
        f"is not {encoding.replace('-j', '_j').upper()}",
    )
    assert isinstance(second, ContactRow)


def test_rows_are_read_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("first_name,primary_phone\n" + "".join(f"N{n},+39031{n:07}\n" for n in range(100_000)))
    with path.open("rb") as binary, ContactFile(binary, format="csv") as file:
        rows = iter(file)
        assert all(isinstance(next(rows), ContactRow) for _ in range(5))
        assert binary.tell() < path.stat().st_size / 10


def test_a_file_given_open_stays_open_and_a_path_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text(CSV, encoding="utf-8")
    with path.open("rb") as binary:
        with ContactFile(binary, format="csv") as file:
            assert len([*file]) == 1
        file.close()
        del file
        with pytest.raises(InvalidArgumentError):
            ContactFile(binary, format="csv", columns={"x": "phones"})
        assert not binary.closed
    with ContactFile(str(path)) as file:
        pass
    with pytest.raises(ValueError, match="detached"):
        next(iter(file))
    with pytest.raises(ValueError, match="format must be given"):
        ContactFile(path.rename(tmp_path / "people.txt"))


def test_a_file_is_read_from_where_it_is() -> None:
    binary = io.BytesIO(f"# exported today\n{CSV}".encode())
    binary.readline()
    with ContactFile(binary, format="csv") as file:
        (row,) = file
    assert isinstance(row, ContactRow)
    assert row.fields == ADA


def test_blank_rows_are_counted_and_skipped() -> None:
    with opened("\n,,\nfirst_name,primary_phone,phones\n\nAda,+390312345678,\n,,\n , ,\n,,,,,\n\n") as file:
        (row,) = file
        assert isinstance(row, ContactRow)
        assert (row.line, row.fields, file.blank_rows) == (5, ADA, 5)


def test_cells_are_stripped_like_headers() -> None:
    assert fields(' first_name , primary_phone \n Ada , "+390312345678 "\n') == [ADA]
    assert fields('{"first_name": " Ada ", "primary_phone": "+390312345678"}', format="ndjson") == [ADA]


def test_the_apostrophe_of_a_safe_cell_is_taken_off() -> None:
    content = "first_name,primary_phone,company_name,last_name\n'=Ada,'+390312345678,'-x,'t Hooft\n"
    expected = {"first_name": "=Ada", "primary_phone": "+390312345678", "company_name": "-x", "last_name": "'t Hooft"}
    assert fields(content) == [expected]


def test_rows_below_an_open_quote_are_read_again() -> None:
    content = 'first_name,primary_phone\nA,"1\nBea,+390312345678\nC,"3\nDan,+390312345679\n'
    rows = read(content)
    assert [(row.line, isinstance(row, ContactRow)) for row in rows] == [(2, False), (3, True), (4, False), (5, True)]
    assert {row.reason for row in rows if isinstance(row, RejectedRow)} == {"a quote opened here is never closed"}


def test_the_line_of_a_row_is_where_it_begins() -> None:
    content = 'first_name;primary_phone;company_name\n\nAda;+390312345678;"A\nB"\nBea;+390312345679;\n'
    assert [row.line for row in read(content)] == [3, 5]


@given(st.binary(max_size=200), st.sampled_from(["csv", "ndjson", "json"]), st.sampled_from([None, "utf-16", "utf-7"]))
@example(b"\xff\xfe\x00", "csv", None)
@example(b'first_name,primary_phone\n"' + b"a" * 200_000, "csv", None)
@example(b"[" * 100_000, "ndjson", None)
@example(b'{"first_name": ' + b"1" * 10_000 + b"}", "json", None)
def test_no_bytes_end_in_an_error_of_python(data: bytes, form: str, encoding: str | None) -> None:
    header = b"first_name,primary_phone\n" if form == "csv" else b""
    for content in (data, header + data):
        with suppress(InvalidArgumentError):
            read(content, format=form, encoding=encoding)


def test_a_header_may_run_over_lines() -> None:
    assert fields('"first\nname","primary_phone"\nAda,+390312345678\n') == [ADA]
    with pytest.raises(ValueError, match="is not CSV"):
        opened('"first_name,primary_phone\n' + "Ada,+390312345678\n" * 60)
    assert fields('"first_name","primary_phone","a\x0b\u2028b"\nAda,+390312345678,\n') == [ADA]


def test_excels_own_line_names_the_delimiter() -> None:
    assert fields("sep=|\nfirst_name|primary_phone\nAda|+390312345678\n") == [ADA]
    assert fields('"sep=;"\nfirst_name,primary_phone\nAda,+390312345678\n', delimiter=",") == [ADA]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+39 031 234-5678", "+390312345678"),
        ("0039 031 2345678", "+390312345678"),
        ("'+390312345678", "+390312345678"),
        ("tel:+39-031-2345678", "+390312345678"),
        ("+49 (0)30 1234567", "+49301234567"),
        ("\u202a+39 031 2345678\u202c", "+390312345678"),
        ("3.9E+11", "is a number that a spreadsheet has rounded"),
        ("3,9E+11", "is a number that a spreadsheet has rounded"),
        ("3.90312345678E+11", "is a number that a spreadsheet has rounded"),
        ("031 2345678", "is a national number, or lacks the + before its country code"),
        ("13812345678", "is a national number, or lacks the + before its country code"),
        ("+39 031 234567 ext. 5", "is a number with an extension, which E.164 cannot express"),
        ("101", "is too short: an extension or a service number"),
        ("+39 031 234567/8", "is ambiguous: two numbers, or a 0 behind the country code"),
        ("+49 030 1234567", "is ambiguous: two numbers, or a 0 behind the country code"),
        ("0000000000000000", "is ambiguous: two numbers, or a 0 behind the country code"),
        ("anonymous", "is not a telephone number"),
        ("ask Ada", "is not a telephone number"),
    ],
)
def test_a_number_without_a_region(text: str, expected: str) -> None:
    assert number(text) == expected


@pytest.mark.parametrize(
    ("text", "region", "expected"),
    [
        ("031 2345678", "IT", "+390312345678"),
        ("(031) 234.5678", "it", "+390312345678"),
        ("390312345678", "IT", "+390312345678"),
        ("0312345678.0", "IT", "+390312345678"),
        ("13812345678", "CN", "+8613812345678"),
        ("030/1234567", "DE", "+49301234567"),
        ("8 495 123-45-67", "RU", "+74951234567"),
        ("0039 031 2345678", "US", "+390312345678"),
        ("+39 031 2345678", "US", "+390312345678"),
        ("5550127", "US", "is not a valid number of region US"),
        ("0000000", "IT", "is not a valid number of region IT"),
        ("011999999", "US", "is not a valid number of region US"),
        ("112", "IT", "is too short: an extension or a service number"),
        ("ext 101", "IT", "is not a telephone number"),
    ],
)
def test_a_number_of_a_region(text: str, region: str, expected: str) -> None:
    assert number(text, region) == expected


@pytest.mark.parametrize(
    ("line", "column", "reason"),
    [
        ('{"first_name": "Ada"', "-", "is not JSON"),
        ("[1]", "-", "is not a JSON object"),
        ('{"first_name": "Ada"}', "primary_phone", "is required"),
        ('{"first_name": null, "primary_phone": "+390312345678"}', "first_name", "is required"),
        ('{"first_name": "Ada", "primary_phone": 39031}', "primary_phone", "must be a string, not int"),
        ('{"first_name": "Ada", "Mobile": ["+390312345678"]}', "Mobile", "must be a string, not list"),
        (
            '{"first_name": "Ada", "primary_phone": "+390312345678", "phones": [2]}',
            "phones[0]",
            "must be a string, not int",
        ),
        ('{"name": {"x": 1}, "primary_phone": "+390312345678"}', "name", "must be a string, not dict"),
        ('{"first_name": "\\ud800", "primary_phone": "+390312345678"}', "first_name", "is not UTF-8"),
        (
            '{"first_nam": "Ada", "primary_phone": "+390312345678"}',
            "first_nam",
            "is no field of a contact: map it to first_name, if that is meant, or to nothing",
        ),
    ],
)
def test_what_is_wrong_with_an_object(line: str, column: str, reason: str) -> None:
    (row,) = read(f"\n{line}\n", format="ndjson")
    assert isinstance(row, RejectedRow)
    assert (row.line, row.column, row.reason) == (2, column, reason)


def test_json_lists_and_texts_are_both_taken() -> None:
    line = (
        '{"id": 7, "name": "Ada Lovelace", "phone": "+390312345678", '
        '"phones": ["", "+390312345679"], "emails": "a@b.c;d@e.f"}'
    )
    with opened(line, format="ndjson") as file:
        (row,) = file
        assert isinstance(row, ContactRow)
        assert row.fields == ADA | {
            "last_name": "Lovelace",
            "phones": ["+390312345679"],
            "emails": ["a@b.c", "d@e.f"],
        }
        assert file.ignored == ["id"]
        assert file.columns["phone"] == "primary_phone"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[\n{"first_name": "Ada", "primary_phone": "+390312345678"}\n,\n{"x": 1}]', [1, "line 4: first_name"]),
        ('\n {"first_name": "Ada", "primary_phone": "+390312345678"} ', [1]),
        ('[{"first_name": "Ada", "primary_phone": "+390312345678"}\n{"x": 1}]', ["line 1: -"]),
        ('[{"first_name": "Ada", "primary_phone": "+390312345678"}', ["line 1: -"]),
        ("[\n\nx]", ["line 3: -"]),
        ("[]", []),
        ("[" * 100_000, ["line 1: -"]),
    ],
)
def test_one_array_of_json(text: str, expected: list[int | str]) -> None:
    rows = read(text, format="json")
    assert [1 if isinstance(row, ContactRow) else f"line {row.line}: {row.column}" for row in rows] == expected


def test_the_first_value_is_primary_and_none_stands_twice() -> None:
    header = "First Name,Home Phone,Primary Phone,Mobile Phone,E-mail Address"
    (row,) = fields(f"{header}\nAda,+390312345671,,+390312345672,a@b.c d@e.f\n")
    assert (row["primary_phone"], row["phones"]) == ("+390312345672", ["+390312345671"])
    assert (row["primary_email"], row["emails"]) == ("a@b.c", ["d@e.f"])
    (row,) = fields("first_name,phones,primary_phone\nAda,+390312345678;+390312345679,+390312345678\n")
    assert (row["primary_phone"], row["phones"]) == ("+390312345678", ["+390312345679"])


def test_secondary_numbers_are_not_promoted() -> None:
    assert rejected("first_name,primary_phone,phones\nAda,,+390312345678\n") == [
        "line 2: primary_phone: is required (fill it in, or leave the row out)"
    ]


def test_a_map_comes_before_what_is_recognised() -> None:
    content = "Name,First Name,Phone,Work\nLovelace Ada,Ada,+390312345671,+390312345672\n"
    (row,) = fields(content, columns={"Work": "primary_phone", "First Name": "last_name", "Name": "first_name"})
    assert row == {
        "first_name": "Lovelace Ada",
        "last_name": "Ada",
        "primary_phone": "+390312345672",
        "phones": ["+390312345671"],
    }


def test_two_columns_for_one_field_are_no_riddle() -> None:
    with opened(
        "First Name,Phone,Company,Associated Company,Title,Job Title,,\nAda,+390312345678,A,B,Dr.,CEO,,\n"
    ) as file:
        (row,) = file
        assert isinstance(row, ContactRow)
        assert (row.fields["company_name"], row.fields["job_title"]) == ("A", "CEO")
        assert file.ignored == ["Associated Company", "Title"]


@pytest.mark.parametrize(
    ("options", "argument"),
    [
        ({"format": "xml"}, "format"),
        ({"region": "XX"}, "region"),
        ({"region": ""}, "region"),
        ({"region": 39}, "region"),
        ({"encoding": 8}, "encoding"),
        ({"encoding": "a\0b"}, "encoding"),
        ({"delimiter": 9}, "delimiter"),
        ({"encoding": "utf-99"}, "encoding"),
        ({"encoding": "hex"}, "encoding"),
        ({"delimiter": '"'}, "delimiter"),
        ({"columns": {"first_name": "nickname"}}, "columns"),
        ({"columns": {"Vorname": "first_name"}}, "columns"),
    ],
)
def test_an_argument_that_does_not_fit_is_named(options: dict[str, Any], argument: str) -> None:
    with pytest.raises((InvalidArgumentError, ArgumentTypeError)) as caught:
        opened(CSV, **options)
    assert caught.value.argument == argument


def test_neither_rows_nor_rejections_show_personal_data() -> None:
    content = (
        "first_name,primary_phone,emails\nAda,+390312345678,ada@engines.example\nBea,031 234567,b@engines.example\n"
    )
    shown = repr(read(content))
    assert not any(text in shown for text in ("Ada", "Bea", "031", "engines"))


def test_reading_files_needs_neither_the_client_nor_an_extra() -> None:
    program = (
        "import sys, io; from voxloud_async.contact_files import ContactFile;"
        f"print(len([*ContactFile(io.BytesIO({CSV.encode()!r}), format='csv')]), *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)  # noqa: S603 - own program
    count, *modules = done.stdout.split()
    assert count == "1"
    assert not {"aiohttp", "cyclopts", "phonenumbers", "rich", "voxloud_async.client"} & set(modules)
