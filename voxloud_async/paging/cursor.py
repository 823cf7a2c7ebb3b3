"""Where to continue a list on another day, as a token: by time or by key, as the list was read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from attrs import astuple, field, frozen

from ..errors import InvalidArgumentError
from .addressing import Window
from .epoch import Microseconds, from_epoch, to_epoch
from .source import Key
from .token import from_token, to_token


@frozen
class Pages:
    """What a read has learned of the service's pages.

    `size` is the most rows to ask for, `most_rows` the most that were on a page, `first_page` the number of the first.
    """

    size: int
    most_rows: int
    first_page: int


@frozen
class TimeCursor:
    """Continue in the order of time after a watermark; `recent` are the rows at it, which would come again.

    `position` is the number of rows of the list before.
    """

    window: Window
    position: int
    pages: Pages
    watermark: Microseconds
    recent: dict[Key, Microseconds] = field(repr=False)


@frozen
class KeyCursor:
    """Continue by position in a window, after rows of which the last are the anchors."""

    window: Window
    position: int
    pages: Pages
    anchors: Sequence[Key] = field(repr=False)


Cursor = TimeCursor | KeyCursor


def write_cursor(cursor: Cursor, filters: str) -> str:
    """Return a cursor as a token for a list with these filters."""
    window = [None if at is None else to_epoch(at) for at in (cursor.window.since, cursor.window.until)]
    state: Any = list(cursor.anchors) if isinstance(cursor, KeyCursor) else [cursor.watermark, [*cursor.recent.items()]]
    kind = "key" if isinstance(cursor, KeyCursor) else "time"
    text = json.dumps([kind, window, cursor.position, astuple(cursor.pages), state], separators=(",", ":"))
    return to_token(text.encode(), filters)


def read_cursor(token: object, filters: str) -> Cursor:
    """Read a token.

    Raises:
        InvalidArgumentError: it is damaged, or not one of a list with these filters.
        ArgumentTypeError: it is no string.
    """
    payload = from_token("cursor", token, filters)
    if payload is None:
        raise InvalidArgumentError("cursor", "is not one of a list with these filters")
    kind, window, position, pages, state = json.loads(payload)
    where = Window(*map(_time, window)), position, Pages(*pages)
    if kind == "key":
        return KeyCursor(*where, state)
    watermark, recent = state
    return TimeCursor(*where, watermark, dict(map(tuple, recent)))


def _time(at: Microseconds | None) -> datetime | None:
    return None if at is None else from_epoch(at)
