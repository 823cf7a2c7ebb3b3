"""Telephony events as lines of CSV, for a service that offers none of its own."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from typing import Any

from ..models import ClickToCallCall, FaxCall, PhoneCall, TelephonyEvent
from ..protocol.codec import unstructure, wire_names

COLUMNS = tuple(
    dict.fromkeys(name for kind in (PhoneCall, ClickToCallCall, FaxCall) for name in wire_names(kind).values())
)
"""The documented fields of the records that a query gives, by wire name."""

EXTRA = "extra"
"""The last column: what has no other, as a JSON object."""


def header_line() -> bytes:
    """The column names: the documented fields, then `extra` for the unknown ones as JSON."""
    return _line([*COLUMNS, EXTRA])


def lines(events: Iterable[TelephonyEvent]) -> bytes:
    """A line for each event: lists as JSON, booleans as `true` and `false`, what is missing as nothing."""
    return b"".join(_line(_cells(unstructure(event))) for event in events)


def _cells(row: dict[str, Any]) -> list[str]:
    extra = {name: value for name, value in row.items() if name not in COLUMNS}
    return [*(_cell(row.get(name)) for name in COLUMNS), _cell(extra or None)]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _line(cells: list[str]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerow(cells)
    return text.getvalue().encode(errors="backslashreplace")
