"""Telephony events as CSV. The text documents none of it, so that every part of it is a quirk (T12)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from typing import Any

from .event_shapes import FIELDS
from .exchange import CSV, Answer
from .quirks import Quirks
from .shapes import Shape

_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_ALL_COLUMNS = tuple(dict.fromkeys(name for names in FIELDS.values() for name in names))


def csv_page(rows: Sequence[Shape], quirks: Quirks) -> Answer:
    """A page of rows; nothing says which page it is, or that it is the last."""
    columns = _columns(rows, quirks)
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=quirks.csv_delimiter, lineterminator=quirks.csv_newline)
    if quirks.csv_header == "present":
        writer.writerow(_snake(name) if quirks.csv_columns == "snake" else name for name in columns)
    writer.writerows([_cell(row.get(name)) for name in columns] for row in rows)
    body = text.getvalue().encode(quirks.csv_charset, "replace")
    return Answer(200, body, _content_type(quirks))


def _columns(rows: Sequence[Shape], quirks: Quirks) -> list[str]:
    used = dict.fromkeys(name for row in rows for name in row)
    if quirks.csv_column_set == "used":
        return [name for name in _ALL_COLUMNS if name in used]
    return list(dict.fromkeys((*_ALL_COLUMNS, *used)))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return ";".join(value) if isinstance(value, list) else str(value)


def _snake(name: str) -> str:
    return _HUMP.sub("_", name).lower()


def _content_type(quirks: Quirks) -> str:
    charset = quirks.csv_charset.removesuffix("-sig")
    return f"{CSV}; charset={charset}" if quirks.csv_charset_named == "yes" else CSV
