"""How a resource makes a listing: its rows as objects, and as the bytes they came in."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from hashlib import blake2b
from typing import Any, TypeVar

from attrs import frozen

from ..errors import DecodeError
from ..paging import Listing
from ..paging.cursor import Cursor
from ..paging.places import Ask, Places, Window
from ..paging.source import Fetched, Source
from ..protocol import arguments
from ..protocol.codec import decode
from ..protocol.codec.scalars import moment
from ..protocol.page import Page, Progress

T = TypeVar("T")

_ALL = Window()


@frozen(kw_only=True)
class Shape:
    """What a `Source` needs beside its rows, and what errors call the operation."""

    places: Callable[[], Places]
    size: int
    digest: str
    operation: str
    direction: int = 0
    window: Window = _ALL
    now: Callable[[], datetime] | None = None

    def source(self, fetch: Callable[[Ask], Awaitable[Fetched[T]]], **row: Any) -> Source[T]:
        """The source of rows that come like this; `row` tells `key` and `moment` where they are no attributes."""
        return Source(
            fetch=fetch,
            places=self.places,
            size=self.size,
            digest=self.digest,
            direction=self.direction,
            window=self.window,
            now=self.now,
            **row,
        )


@frozen(kw_only=True)
class Reading:
    """How the caller wants a list to be read."""

    prefetch: int
    max_items: int | None = None
    on_progress: Callable[[Progress], object] | None = None
    cursor: str | None = None

    def check(self) -> None:
        """Raise ValueError or TypeError for bad arguments."""
        arguments.number("prefetch", self.prefetch, 1)
        if self.max_items is not None:
            arguments.number("max_items", self.max_items, 0)
        if self.on_progress is not None and not callable(self.on_progress):
            raise TypeError(f"on_progress must be callable, not {type(self.on_progress).__name__}")


def listing(
    fetch: Callable[[Ask], Awaitable[Page[T]]],
    fetch_raw: Callable[[Ask], Awaitable[bytes]],
    shape: Shape,
    reading: Reading,
    includes: Callable[[datetime | None], bool] | None = None,
) -> Listing[T]:
    """A listing; `includes` says by its time whether a row is wanted."""
    reading.check()
    return Listing(
        source=shape.source(partial(_fetched, fetch)),
        raw=shape.source(partial(_fetched_raw, fetch_raw, shape.operation), key=_raw_key, moment=_raw_moment),
        prefetch=reading.prefetch,
        max_items=reading.max_items,
        includes=includes,
        on_progress=reading.on_progress,
        cursor=None if reading.cursor is None else Cursor.parse(reading.cursor, shape.digest),
    )


def digest(kind: str, filters: object) -> str:
    """A word for a list and its filters that does not tell them."""
    text = json.dumps([kind, filters], sort_keys=True)
    return blake2b(text.encode(errors="surrogatepass"), digest_size=16).hexdigest()


async def _fetched(fetch: Callable[[Ask], Awaitable[Page[T]]], ask: Ask) -> Fetched[T]:
    return Fetched(await fetch(ask))


async def _fetched_raw(fetch: Callable[[Ask], Awaitable[bytes]], operation: str, ask: Ask) -> Fetched[Any]:
    body = await fetch(ask)
    with told_of(operation):
        return Fetched(decode(body, Page[Any]), body)


@contextmanager
def told_of(operation: str) -> Iterator[None]:
    """Say of an answer that does not read which operation it answered."""
    try:
        yield
    except DecodeError as error:
        error.operation = operation
        raise


def _raw_key(row: Any) -> Any:
    identifier = _bare(row).get("id")
    return identifier if isinstance(identifier, int | str) else json.dumps(row, sort_keys=True)


def _raw_moment(row: Any) -> datetime | None:
    try:
        return moment(_bare(row)["timestamp"])
    except (KeyError, TypeError, ValueError):
        return None


def _bare(row: Any) -> dict[str, Any]:
    """The row without the envelope of a webhook, in which it may come (anomaly T4)."""
    data = row.get("data") if isinstance(row, dict) and "id" not in row else None
    row = row if data is None else data
    return row if isinstance(row, dict) else {}
