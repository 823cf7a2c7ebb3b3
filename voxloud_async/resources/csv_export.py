"""Telephony events as one CSV: the service's own pages joined, or, where it offers none, its JSON rows written out."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from ..errors import DecodeError, NotAcceptableError
from ..models import TelephonyEvent
from ..paging import Listing
from .csv_pages import CsvPages
from .csv_rows import header_line, lines

_STALLED = 2

Fetch = Callable[[int | None], Awaitable[str]]
"""Fetches the CSV page of a number; None is the first."""


async def export(fetch: Fetch, rows: Listing[TelephonyEvent]) -> AsyncGenerator[bytes, None]:
    """Yield the CSV, a chunk a page; `rows` are the same as JSON, for a 406 (anomaly G1)."""
    try:
        first = await fetch(None)
    except NotAcceptableError:
        yield header_line()
        async with aclosing(rows.pages()) as pages:
            async for page in pages:
                yield lines(page.items)
        return
    joined, number = CsvPages(), 0
    yield joined.add(first).encode()
    while joined.may_go_on:
        number += 1
        chunk = joined.add(await fetch(number))
        if joined.stalled == _STALLED:
            raise DecodeError("the service sends the same rows over and over")
        if chunk:
            yield chunk.encode()
