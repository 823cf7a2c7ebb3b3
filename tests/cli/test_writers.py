from __future__ import annotations

import csv
import io
import json

from hypothesis import given, strategies as st
from rich.cells import cell_len

from voxloud_async.cli.speech import printable
from voxloud_async.cli.writers import Column, CsvWriter, JsonWriter, NdjsonWriter, TableWriter, write_fields

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SCALARS = st.none() | st.booleans() | st.integers() | TEXT
ROWS = st.lists(st.dictionaries(TEXT, SCALARS | st.lists(SCALARS, max_size=3), max_size=4), max_size=4)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@given(ROWS)
def test_ndjson_and_json_give_back_every_row(rows: list[dict[str, object]]) -> None:
    lines, array = io.StringIO(newline=""), io.StringIO(newline="")
    for writer in (NdjsonWriter(lines), JsonWriter(array)):
        for row in rows:
            writer.write(row)
        writer.end()
    assert [json.loads(line) for line in lines.getvalue().split("\n")[:-1]] == rows
    assert json.loads(array.getvalue()) == rows


def test_csv_keeps_what_has_no_column() -> None:
    out = io.StringIO(newline="")
    writer = CsvWriter(out, ["id", "labels", "voicemail", "nested", "none"])
    writer.write({"id": 7, "labels": ["a", "b"], "voicemail": True, "nested": {"x": [1]}, "none": None, "new": "é"})
    writer.write({"id": "x", "labels": [1]})
    writer.end()
    first, second = csv.DictReader(io.StringIO(out.getvalue()))
    assert first == {
        "id": "7",
        "labels": "a;b",
        "voicemail": "true",
        "nested": '{"x":[1]}',
        "none": "",
        "extra": '{"new":"é"}',
    }
    assert second == {"id": "x", "labels": "[1]", "voicemail": "", "nested": "", "none": "", "extra": ""}


def table(
    columns: list[Column], *rows: dict[str, object], width: int = 40, out: io.StringIO | None = None
) -> list[str]:
    out = out or io.StringIO()
    writer = TableWriter(out, columns, width=width)
    for row in rows:
        writer.write(row)
    writer.end()
    return out.getvalue().splitlines()


def test_a_table_cuts_what_is_too_long_and_says_so() -> None:
    columns = [Column("ID", ("id",), 4), Column("NAME", ("first", "last"))]
    rows: list[dict[str, object]] = [
        {"id": "12345", "first": "Ada", "last": "Lovelace"},
        {"id": "1234", "first": "x" * 50},
        {"id": "漢字漢"},
    ]
    lines = table(columns, *rows, width=20)
    assert lines == ["ID    NAME", "123…  Ada Lovelace", "1234  " + "x" * 13 + "…", "漢 …"]
    assert max(map(cell_len, lines)) <= 20


def test_a_narrow_terminal_gets_a_readable_table_all_the_same() -> None:
    assert table([Column("ID", ("id",), 36), Column("NAME", ("name",))], {"name": "Ada"}, width=10)[1].endswith("  Ada")


def test_a_table_shows_values_as_people_read_them() -> None:
    columns = [Column("A", ("a",), 9), Column("B", ("b.c",), 9), Column("C", ("c.d.e",), 9), Column("D", ("d",), 9)]
    rows: list[dict[str, object]] = [
        {"a": True, "b": {"c": ["x", "y"]}, "c": {"d": None}, "d": 1},
        {"a": False, "b": 3, "d": {"k": 1}},
    ]
    assert [line.split() for line in table(columns, *rows)[1:]] == [["yes", "x,", "y", "1"], ["no", '{"k":1}']]


def test_a_time_that_is_none_is_no_trouble() -> None:
    assert (
        table([Column("TIME", ("timestamp",), 16), Column("X", ("x",), 1)], {"timestamp": None, "x": "y"})[1].strip()
        == "y"
    )


def test_titles_are_bold_on_a_terminal() -> None:
    assert table([Column("ID", ("id",), 4)], out=Terminal()) == ["\x1b[1mID\x1b[0m"]


def test_an_object_without_fields_is_nothing() -> None:
    out = io.StringIO()
    write_fields(out, {})
    assert out.getvalue() == ""


@given(st.text())
def test_no_text_can_steer_a_terminal(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert len(shown) == len(text)


def test_a_name_cannot_steer_a_terminal() -> None:
    (line,) = table([Column("NAME", ("name",))], {"name": "\x1b[2J\rAda\n"})[1:]
    assert line == "\N{REPLACEMENT CHARACTER}[2J Ada"
