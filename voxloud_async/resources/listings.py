"""How a resource makes a listing: its rows as objects, and as the bytes they came in."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from hashlib import blake2b
from typing import Any, Generic, TypeVar

from attrs import field, frozen

from ..errors import DecodeError
from ..models import UnknownEvent
from ..paging import Listing, Progress
from ..paging.addressing import Addressing, PageRequest, Window
from ..paging.cursor import read_cursor
from ..paging.listing import Reading
from ..paging.source import Fetched, Key, Source, digest_of
from ..protocol import arguments
from ..protocol.codec import decode
from ..protocol.codec.scalars import TOO_DEEP, moment
from ..protocol.jsontext import is_too_deep
from ..protocol.operations import Operation
from ..protocol.page import Page
from ..session.caller import Caller

T = TypeVar("T")

_ALL = Window()
_MOST_KINDS = 100

_logger = logging.getLogger("voxloud_async")


class MisfitLog:
    """Logs each kind of row that does not fit its type once."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def __call__(self, row: Any) -> bool:
        """Return True if a telephony event does not fit its type."""
        if type(row) is not UnknownEvent or row.misfit is None:
            return False
        kind = f"{row.type}: {row.misfit}"
        if kind not in self._seen and len(self._seen) < _MOST_KINDS:
            self._seen.add(kind)
            _logger.warning("a telephony event does not fit its type and is kept as UnknownEvent: %s", kind)
        return True


@frozen(kw_only=True)
class PagedList(Generic[T]):
    """A list of the service with its filters. `parameters` are those of the call for one page: `query` and `body`."""

    caller: Caller = field(repr=False)
    operation: Operation[Page[T]]
    raw_operation: Operation[bytes]
    parameters: Callable[[PageRequest], Mapping[str, Any]]
    addressing: Callable[[], Addressing]
    page_size: int
    filters: str
    direction: int = 0
    window: Window = _ALL
    wanted: Callable[[datetime | None], bool] | None = None
    misfit: Callable[[T], bool] | None = None

    def listing(self, reading: Reading) -> Listing[T]:
        """Return the list as a stream."""
        return Listing(
            self.source(fetch=self.fetch, misfit=self.misfit),
            self.source(fetch=self._fetch_raw, key=_raw_key, time=_raw_time),
            reading,
            self.operation.result,
        )

    def source(self, **how: Any) -> Source[Any]:
        """Return the source of rows that `fetch` gets, known by `key` and `time`."""
        return Source(
            addressing=self.addressing,
            page_size=self.page_size,
            filters=self.filters,
            direction=self.direction,
            window=self.window,
            **how,
        )

    async def fetch(self, request: PageRequest) -> Fetched[T]:
        """Get a page of rows."""
        return Fetched(await self.caller.call(self.operation, **self.parameters(request)))

    async def _fetch_raw(self, request: PageRequest) -> Fetched[Any]:
        body = await self.caller.call(self.raw_operation, **self.parameters(request))
        with decoding(self.operation):
            return Fetched(decode(body, Page[Any]), body)


def checked_reading(
    prefetch: int,
    on_progress: Callable[[Progress], object] | None,
    *,
    filters: str,
    cursor: str | None = None,
    max_items: int | None = None,
    wanted: Callable[[datetime | None], bool] | None = None,
) -> Reading:
    """Check how a caller wants a list to be read; raises ValueError or TypeError."""
    arguments.number("prefetch", prefetch, 1)
    if max_items is not None:
        arguments.number("max_items", max_items, 0)
    if on_progress is not None:
        arguments.function("on_progress", on_progress)
    return Reading(
        prefetch=prefetch,
        max_items=max_items,
        wanted=wanted,
        on_progress=on_progress,
        cursor=None if cursor is None else read_cursor(cursor, filters),
    )


def digest(kind: str, filters: object) -> str:
    """Return an opaque digest of a list and its filters."""
    text = json.dumps([kind, filters], sort_keys=True)
    return blake2b(text.encode(errors="surrogatepass"), digest_size=16).hexdigest()


@contextmanager
def decoding(operation: Operation[Any]) -> Iterator[None]:
    """Let a DecodeError name the operation whose response it is about."""
    try:
        yield
    except DecodeError as error:
        error.operation = str(operation)
        raise


def _raw_key(row: Any) -> Key:
    fields = _without_envelope(row)
    identifier, kind = fields.get("id"), fields.get("type")
    if isinstance(identifier, int | str):
        return f"{kind} {identifier}" if isinstance(kind, str) else identifier
    if is_too_deep(row):  # more than `json.dumps` may follow
        raise DecodeError(TOO_DEEP)
    return digest_of(row)


def _raw_time(row: Any) -> datetime | None:
    try:
        return moment(_without_envelope(row)["timestamp"])
    except (KeyError, TypeError, ValueError):
        return None


def _without_envelope(row: Any) -> dict[str, Any]:
    """The row itself, which may come in the envelope of a webhook (anomaly T4)."""
    data = row.get("data") if isinstance(row, dict) and "id" not in row else None
    row = row if data is None else data
    return row if isinstance(row, dict) else {}
