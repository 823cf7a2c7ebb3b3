"""Rows of JSON: one object a line, or one array of objects."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from attrs import define, field

from .rows import RawRow, RejectedRow

_DECODER = json.JSONDecoder()
_BLANK = " \t\r\n"


@define
class Lines:
    """The objects of NDJSON, which is also called JSON Lines."""

    _text: Iterable[str]
    blank_rows: int = field(default=0, init=False)

    def __iter__(self) -> Iterator[RawRow | RejectedRow]:
        """Give each object."""
        for line, text in enumerate(self._text, 1):
            if not text.strip():
                self.blank_rows += 1
                continue
            try:
                value = json.loads(text)
            except (ValueError, RecursionError):
                yield RejectedRow(line, "-", "is not JSON")
            else:
                yield _row(line, value)


@define
class Array:
    """The objects of one JSON array, or a single object."""

    _text: Iterable[str]
    blank_rows: int = field(default=0, init=False)

    def __iter__(self) -> Iterator[RawRow | RejectedRow]:
        """Give each object; what follows a fault in the JSON cannot be read."""
        text = "".join(self._text)
        at = _next(text, 0)
        if not text.startswith("[", at):
            text = f"{text[:at]}[{text[at:]}]"
        at, line, counted = _next(text, at + 1), 1, 0
        while not text.startswith("]", at):
            line, counted = line + text.count("\n", counted, at), at
            try:
                value, end = _DECODER.raw_decode(text, at)
                at = _after(text, end)
            except (ValueError, RecursionError):
                yield RejectedRow(line, "-", "is not JSON from here on", "correct it: nothing below was read")
                return
            yield _row(line, value)


def _row(line: int, value: Any) -> RawRow | RejectedRow:
    if not isinstance(value, dict):
        return RejectedRow(line, "-", "is not a JSON object")
    return RawRow(line, value)


def _next(text: str, at: int) -> int:
    """Where the next sign is that is not blank."""
    while at < len(text) and text[at] in _BLANK:
        at += 1
    return at


def _after(text: str, end: int) -> int:
    """Where the next value of an array begins, or its end is."""
    at = _next(text, end)
    if text.startswith("]", at):
        return at
    if not text.startswith(",", at):
        raise ValueError("no comma")
    return _next(text, at + 1)
