"""A frame is written to Parquet and Arrow IPC whatever its unknown fields hold, and shown whatever its times are."""

from __future__ import annotations

import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tests.frames.rows import CALL, page
from voxloud_async.frames import EventFrame


def frame_of(*rows: dict[str, Any]) -> EventFrame:
    return EventFrame.from_pages([page(*(row | {"id": number} for number, row in enumerate(rows)))])


def through_parquet(table: pa.Table) -> pa.Table:
    file = io.BytesIO()
    pq.write_table(table, file)
    return pq.read_table(io.BytesIO(file.getvalue()))


def through_ipc(table: pa.Table) -> pa.Table:
    file = io.BytesIO()
    with pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    return pa.ipc.open_file(io.BytesIO(file.getvalue())).read_all()


def assert_written(frame: EventFrame) -> None:
    table = frame.to_arrow()
    assert through_parquet(table).equals(table)
    assert through_ipc(table).equals(table)
    assert pa.table(frame).equals(table)


def nested(levels: int, wrap: Any) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = wrap(value)
    return value


@pytest.mark.parametrize("value", [{}, [{}], {"a": {}}, {"a": [{"b": {}, "c": 1}]}, [[], [{}]]])
def test_p10_an_unknown_field_with_an_empty_object_is_written_as_json(value: object) -> None:
    frame = frame_of(CALL | {"new": value}, CALL)
    assert_written(frame)
    text, missing = frame.to_arrow().column("new").to_pylist()
    assert json.loads(text) == value
    assert missing is None


def test_p10_an_empty_object_beside_a_full_one_needs_no_json() -> None:
    frame = frame_of(CALL | {"new": {}}, CALL | {"new": {"a": 1}})
    assert_written(frame)
    assert frame.to_arrow().column("new").to_pylist() == [{"a": None}, {"a": 1}]


def test_p10_an_empty_object_on_a_page_of_its_own_makes_all_pages_json() -> None:
    rows: list[Any] = [CALL | {"id": 1, "new": {}}, CALL | {"id": 2, "new": {"a": 1}}, CALL | {"id": 3, "new": None}]
    frame = EventFrame.from_pages([page(row) for row in rows])
    assert_written(frame)
    assert frame.to_arrow().column("new").to_pylist() == ["{}", '{"a": 1}', None]


@pytest.mark.parametrize("wrap", [lambda value: [value], lambda value: {"a": value}, lambda value: {"a": [value]}])
@pytest.mark.parametrize("levels", [4, 8, 20, 30])
def test_p10_a_deeply_nested_field_is_written(levels: int, wrap: Any) -> None:
    value = nested(levels, wrap)
    frame = frame_of(CALL | {"new": value})
    assert_written(frame)
    (held,) = frame.to_arrow().column("new").to_pylist()
    assert held == value or json.loads(held) == value


def test_p10_a_surrogate_in_a_name_is_written_as_its_escape() -> None:
    frame = frame_of(CALL | {"new\ud83d": 1} | {"new\ud83e": {"in\ud83d": 2}}, CALL | {"call_id\udc00": "b"})
    assert_written(frame)
    first, second = frame.to_arrow().to_pylist()
    assert (first["new\\ud83d"], second["call_id\\udc00"]) == (1, "b")
    assert json.loads(first["new\\ud83e"]) == {"in\N{REPLACEMENT CHARACTER}": 2}
    assert "new\\ud83d" in frame._repr_html_()


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "x", "\ud800"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "\ud800"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # on a busy machine
@given(
    st.lists(st.lists(st.fixed_dictionaries({}, optional={"new": VALUES, "\ud800": VALUES}), max_size=3), max_size=3)
)
def test_p10_whatever_unknown_fields_hold_is_written(rows: list[list[dict[str, Any]]]) -> None:
    ids = iter(range(1_000_000))
    pages = [page(*(CALL | {"id": next(ids)} | row for row in each)) for each in rows]
    assert_written(EventFrame.from_pages(pages))


@pytest.mark.parametrize(
    ("stamp", "shown"),
    [
        ("0001-01-01T00:00:00.000+0000", "0001-01-01 00:00:00.000000Z"),
        ("0001-01-01T00:00:00.000+0200", "0000-12-31 22:00:00.000000Z"),
        ("9999-12-31T23:59:59.999-0200", "10000-01-01 01:59:59.999000Z"),
        ("2026-06-30T10:00:00.123+0200", "2026-06-30 08:00:00.123000Z"),
    ],
)
def test_a_time_at_either_end_of_the_calendar_is_shown_and_written(stamp: str, shown: str) -> None:
    frame = frame_of(CALL | {"timestamp": stamp}, {"type": "X"})
    assert f"<td>{shown}</td>" in frame._repr_html_()
    assert_written(frame)
