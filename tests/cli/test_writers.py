from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given, strategies as st

from voxloud_async.cli.writers import CsvWriter, JsonWriter, NdjsonWriter

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SCALARS = st.none() | st.booleans() | st.integers() | TEXT
ROWS = st.lists(st.dictionaries(TEXT, SCALARS | st.lists(SCALARS, max_size=3), max_size=4), max_size=4)


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


@given(st.lists(st.lists(TEXT, min_size=3, max_size=3), max_size=4))
def test_csv_of_any_text_is_read_back(rows: list[list[str]]) -> None:
    columns = ["a", "b", "c"]
    plain, safe = io.StringIO(newline=""), io.StringIO(newline="")
    for writer in (CsvWriter(plain, columns), CsvWriter(safe, columns, safe=True)):
        for row in rows:
            writer.write(dict(zip(columns, row, strict=True)))
    assert read(plain) == rows
    for row, cells in zip(rows, read(safe), strict=True):
        assert all(cell in (text, f"'{text}") for text, cell in zip(row, cells, strict=True))


def read(out: io.StringIO) -> list[list[str]]:
    """The cells below the header, without that of `extra`."""
    return [row[:-1] for row in csv.reader(io.StringIO(out.getvalue(), newline=""), strict=True)][1:]


@pytest.mark.parametrize("cell", ["=1+1", "+390312345678", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_safe_cell_is_no_formula(cell: str) -> None:
    out = io.StringIO(newline="")
    CsvWriter(out, ["a"], safe=True).write({"a": cell, "b": 1})
    ((shown, extra),) = [*csv.reader(io.StringIO(out.getvalue(), newline=""))][1:]
    assert (shown, extra) == (f"'{cell}", '{"b":1}')
