"""Many pages made of one: the same rows again, each with an id of its own."""

from __future__ import annotations

import json
from collections.abc import Sequence

from attrs import frozen

from voxloud_async.frames import ContactFrame, EventFrame

from ..decode.pages import Page, pages


@frozen
class Book:
    """Pages of one kind, the frame they become, and the name of the list of rows in each."""

    pages: Sequence[bytes]
    frame: type[EventFrame | ContactFrame]
    page: Page


def books(count: int) -> dict[str, Book]:
    """Calls and contacts with every documented field, and the rows of a query: as many pages of each."""
    return {
        name: Book(_numbered(page, count), ContactFrame if name == "contacts" else EventFrame, page)
        for name, page in pages().items()
    }


def _numbered(page: Page, count: int) -> Sequence[bytes]:
    whole = json.loads(page.text)
    rows = whole[page.rows]
    return [_page(whole | {page.rows: [_own(row, number) for row in rows]}) for number in range(count)]


def _own(row: dict[str, object], number: int) -> dict[str, object]:
    own = row["id"]
    return row | {"id": own + number * 1_000_000 if isinstance(own, int) else f"{own}-{number}"}


def _page(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
