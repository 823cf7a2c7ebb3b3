"""A list that stands still but for the changes a test asks for, and cursors as a read takes them."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from benchmarks.streaming.shifting import Schedule, Shifting
from voxloud_async.paging import Page
from voxloud_async.paging.cursor import Cursor, read_cursor

CALM = Schedule(seed=1, rows=300, page_size=50, prefetch=4, moments=1_000_000)


def calm(**changes: Any) -> Shifting:
    """A list that stands still, but for the changes."""
    return Shifting(evolve(CALM, **changes))


def parsed(page: Page[Any]) -> Cursor:
    """The cursor of a page, as a read takes it."""
    assert page.cursor is not None
    assert page.cursor.isascii()
    assert page.cursor.isprintable()
    return read_cursor(page.cursor, "rows")
