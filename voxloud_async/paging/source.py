"""What a resource provides so that one of its lists can be read."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from hashlib import blake2b
from typing import Any, Generic, TypeVar

from attrs import field, frozen

from ..models import Model
from ..protocol.codec import unstructure
from ..protocol.page import Page
from .addressing import Addressing, PageRequest, Window

T = TypeVar("T")

Key = str | int
"""What identifies a row: its id with its type, or a digest of the whole row where it has no id."""

_ALL = Window()


@frozen
class Fetched(Generic[T]):
    """A page, and the bytes of its response where they are wanted.

    `skipped` is the number of its first items that are not in `body`, as they came with another response.
    """

    page: Page[T]
    body: bytes = field(default=b"", repr=False)
    skipped: int = 0


def key_of(row: Any) -> Key:
    """Return the key of a model."""
    identifier = getattr(row, "id", None)
    if identifier is None:
        return digest_of(unstructure(row) if isinstance(row, Model) else repr(row))
    kind = getattr(row, "type", None)
    return identifier if kind is None else f"{kind} {identifier}"


def digest_of(row: object) -> str:
    """Return a digest of a row that has no id."""
    text = json.dumps(row, sort_keys=True, default=str)
    return blake2b(text.encode(errors="surrogatepass"), digest_size=12).hexdigest()


def time_of(row: Any) -> datetime | None:
    """Return the time of a model, if it has one."""
    at = getattr(row, "timestamp", None)
    return at if isinstance(at, datetime) else None


@frozen(kw_only=True)
class Source(Generic[T]):
    """A list of the service.

    `addressing` makes the object that each read addresses its pages with. `page_size` is the most rows of a request.
    `direction` is 1 where the rows are requested in rising order of `time`, -1 in falling order, 0 in another one.
    `window` is the interval that the caller asked for. `filters` is a digest of list, filters and order, which a cursor
    must match. `misfit` says of a row that it does not fit its type.
    """

    fetch: Callable[[PageRequest], Awaitable[Fetched[T]]]
    addressing: Callable[[], Addressing]
    page_size: int
    filters: str
    direction: int = 0
    window: Window = _ALL
    key: Callable[[T], Key] = key_of
    time: Callable[[T], datetime | None] = time_of
    misfit: Callable[[T], bool] | None = None
