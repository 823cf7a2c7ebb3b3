"""From the values of a row to the fields of a contact, checked as the client checks them before it sends them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from attrs import frozen

from ..errors import ArgumentTypeError, InvalidArgumentError
from ..resources.contact_fields import whole
from .columns import LISTS, NAME, PRIMARY, Columns
from .numbers import NotANumber, ReadNumber
from .rows import ContactRow, RawRow, RejectedRow

# Google Contacts joins values of one kind with " ::: ", Pipedrive with ", "; `3,9E+11` is one value.
_NUMBERS = re.compile(r":::|[;\r\n]|,\s*(?=\+)|,\s+(?=[(0-9])")
_ADDRESSES = re.compile(r":::|[;,\s]")
_SEVERAL = {"primary_phone": _NUMBERS, "phones": _NUMBERS, "primary_email": _ADDRESSES, "emails": _ADDRESSES}
_ADDRESSED = frozenset({"primary_email", "emails"})
_SURROGATE = re.compile("[\ud800-\udfff]")
_TO_DO = {"is required": "fill it in, or leave the row out"}


@frozen
class _RejectedError(Exception):
    column: str
    reason: str
    remedy: str = ""


def contact_of(row: RawRow, columns: Columns, read_number: ReadNumber, encoding: str) -> ContactRow | RejectedRow:
    """The contact of a row, or why it is none."""
    try:
        return ContactRow(row.line, _checked(row, columns, read_number, encoding))
    except _RejectedError as fault:
        return RejectedRow(row.line, fault.column, fault.reason, fault.remedy)


def _checked(row: RawRow, columns: Columns, read_number: ReadNumber, encoding: str) -> dict[str, Any]:
    for name, near in columns.misspelt.items():
        raise _RejectedError(name, f"is {meant(near)}")
    fields = _collected(row, columns, read_number, encoding)
    try:
        return whole(fields)
    except (ArgumentTypeError, InvalidArgumentError) as error:
        target, bracket, index = error.place.partition("[")
        name = columns.sources.get(target, [target])[0]
        raise _RejectedError(name + bracket + index, error.reason, _TO_DO.get(error.reason, "")) from None


def meant(target: str) -> str:
    """Why a column that is named nearly like a field is not taken."""
    return f"no field of a contact: map it to {target}, if that is meant, or to nothing"


def _collected(row: RawRow, columns: Columns, read_number: ReadNumber, encoding: str) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    several: dict[str, list[str]] = {target: [] for target in _SEVERAL}
    for target, name, value in _given(row, columns):
        if not _is_text(value):
            raise _RejectedError(
                name, f"is not {encoding.removesuffix('-sig').upper()}", "name the encoding, or correct it"
            )
        if target in several and (texts := _texts(target, value)) is not None:
            several[target].extend(texts if target in _ADDRESSED else _numbers(name, texts, read_number))
        elif target == NAME:
            fields |= _split(name, value)
        else:
            fields[target] = value
    for primary, others in PRIMARY.items():
        values = list(dict.fromkeys(several[primary] + several[others]))
        if several[primary]:
            fields[primary] = values.pop(0)
        if values:
            fields[others] = values
    return fields


def _given(row: RawRow, columns: Columns) -> Iterator[tuple[str, str, Any]]:
    """Field, column and value of all that is not empty."""
    for target, names in columns.sources.items():
        for name in names:
            value = row.values[name]
            value = value.strip() if isinstance(value, str) else value
            if value not in (None, "", []):
                yield target, name, value


def _texts(target: str, value: Any) -> list[str] | None:
    """The values in one cell or list; None for what is of another type."""
    if isinstance(value, str):
        return [text.strip() for text in _SEVERAL[target].split(value) if text.strip()]
    if target in LISTS and isinstance(value, list) and all(isinstance(each, str) for each in value):
        return [text.strip() for text in value if text.strip()]
    return None


def _numbers(column: str, texts: list[str], read_number: ReadNumber) -> Iterator[str]:
    for text in texts:
        number = read_number(text)
        if isinstance(number, NotANumber):
            raise _RejectedError(column, number.reason, number.remedy)
        yield number


def _split(column: str, name: Any) -> dict[str, str]:
    if not isinstance(name, str):
        raise _RejectedError(column, f"must be a string, not {type(name).__name__}")
    first, _, last = name.partition(" ")
    return {"first_name": first, "last_name": last.strip()} if last else {"first_name": first}


def _is_text(value: Any) -> bool:
    """Whether a text, or each of a list, was decoded whole."""
    texts = value if isinstance(value, list) else [value]
    return not any(isinstance(each, str) and _SURROGATE.search(each) for each in texts)
