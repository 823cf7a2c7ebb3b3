"""Joins the pages of a CSV export whose dialect nobody documented (anomaly T12)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

_BOM = b"\xef\xbb\xbf"


async def csv_chunks(fetch: Callable[[int], Awaitable[bytes]]) -> AsyncIterator[bytes]:
    """Yield the pages with one header for the whole.

    A page says nothing of the rest, so the end is a page without rows, or one with fewer than the first had: a first
    page shorter than asked for may only show that the service caps its size.
    """
    header, *rows = [*records(await fetch(0))] or [b""]
    if header:
        yield header + b"".join(rows)
    full, number = len(rows), 0
    while rows and len(rows) >= full:
        number += 1
        rows = [*records(await fetch(number))]
        if rows and rows[0] == header:
            del rows[0]
        if rows:
            yield b"".join(rows)


def records(page: bytes) -> Iterator[bytes]:
    """The records of a page, each with its line end; a line break between quotes ends none."""
    record = b""
    for line in page.removeprefix(_BOM).splitlines(keepends=True):
        record += line
        if record.count(b'"') % 2 == 0:  # a quote inside quotes is written twice
            yield _ended(record)
            record = b""
    if record:
        yield _ended(record)


def _ended(record: bytes) -> bytes:
    return record if record.endswith((b"\n", b"\r")) else record + b"\r\n"
