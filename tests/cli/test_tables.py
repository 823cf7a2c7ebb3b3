"""Tables on terminals of every width."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, strategies as st
from rich.cells import cell_len

from voxloud_async.cli.click_to_call import _CLICK_TO_CALLS
from voxloud_async.cli.contacts import _CONTACTS
from voxloud_async.cli.events import EVENTS
from voxloud_async.cli.speech import printable
from voxloud_async.cli.tables import Column, TableWriter, write_fields
from voxloud_async.cli.users import _USERS

if TYPE_CHECKING:
    from voxloud_async.cli.output import View


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def table(
    columns: list[Column], *rows: dict[str, object], width: int = 40, out: io.StringIO | None = None
) -> list[str]:
    out = out or io.StringIO()
    writer = TableWriter(out, columns, width=width)
    for row in rows:
        writer.write(row)
    writer.end()
    return out.getvalue().splitlines()


def test_names_are_cut_where_a_row_is_too_long_and_say_so() -> None:
    columns = [Column("ID", ("id",), 4), Column("KIND", ("kind",), 4, cut=True), Column("NAME", ("first", "last"))]
    rows: list[dict[str, object]] = [
        {"id": "1234", "first": "Ada", "last": "Lovelace", "kind": "FAX_CALL"},
        {"id": "1234", "first": "x" * 50},
        {"id": "漢字", "first": "漢字" * 9},
    ]
    lines = table(columns, *rows, width=26)
    assert lines == [
        "ID    KIND  NAME",
        "1234  FAX…  Ada Lovelace",
        "1234        " + "x" * 13 + "…",
        "漢字        " + "漢字" * 3 + " …",
    ]
    assert max(map(cell_len, lines)) <= 26


NUMBERS = ["+390312345678", "+123456789012345", "00390312345678", "+39 02 1234 5678 ext. 99", "anonymous"]


@pytest.mark.parametrize(
    "view", [_CONTACTS, _USERS, EVENTS, _CLICK_TO_CALLS], ids=["contacts", "users", "events", "c2c"]
)
@pytest.mark.parametrize("width", [40, 60, 80, 100, 120])
def test_no_number_and_no_id_is_cut(view: View, width: int) -> None:
    id_ = "5b8915eb-996b-3917-7942-445ac549d94d"
    for number in NUMBERS:
        row = {
            "id": id_,
            "name": "x" * 99,
            "first_name": "y" * 99,
            "last_name": "z" * 99,
            "primary_phone": number,
            "originatorNumber": number,
            "destinationNumber": number[::-1],
            "outboundNumber": number,
            "outbound_cli": {"outbound_did": {"number": number}},
            "type": "CLICK_TO_CALL",
            "timestamp": "2026-06-01T10:00:00Z",
            "duration": 123456,
        }
        lines = table([*view.columns], row, width=width)
        shown = "\n".join(lines)
        assert number in shown
        assert view is EVENTS or id_ in shown
        assert view is not EVENTS or (number[::-1] in shown and "123456" in shown)
        assert max(map(cell_len, lines)) <= width


def test_columns_that_do_not_fit_go_to_a_second_line() -> None:
    columns = [Column("ID", ("id",), 4), Column("NUMBER", ("number",), 13), Column("NAME", ("name",))]
    lines = table(columns, {"id": 1, "number": "+390312345678", "name": "Ada Lovelace"}, {"id": 2}, width=20)
    assert lines == ["ID    NUMBER", "  NAME", "1     +390312345678", "  Ada Lovelace", "2"]


def test_a_narrow_terminal_gets_a_readable_table_all_the_same() -> None:
    lines = table([Column("ID", ("id",), 36), Column("NAME", ("name",))], {"id": "x" * 36, "name": "Ada"}, width=10)
    assert lines == ["ID", "  NAME", "x" * 36, "  Ada"]


def test_a_table_shows_values_as_people_read_them() -> None:
    columns = [Column("A", ("a",), 9), Column("B", ("b.c",), 9), Column("C", ("c.d.e",), 9), Column("D", ("d",), 9)]
    rows: list[dict[str, object]] = [
        {"a": True, "b": {"c": ["x", "y"]}, "c": {"d": None}, "d": 1},
        {"a": False, "b": 3, "d": {"k": 1}},
    ]
    assert [line.split() for line in table(columns, *rows, width=42)[1:]] == [
        ["yes", "x,", "y", "1"],
        ["no", '{"k":1}'],
    ]


@pytest.mark.parametrize("text", ["", "soon", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00"])
def test_a_time_that_cannot_be_read_is_shown_as_it_is(text: str) -> None:
    assert table([Column("TIME", ("timestamp",), 26)], {"timestamp": text})[1:] == [text]


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
