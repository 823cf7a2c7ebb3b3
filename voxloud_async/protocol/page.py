"""A page of a list, whichever of the API's envelopes it came in."""

from __future__ import annotations

from typing import Generic, TypeVar

from attrs import field, frozen

T_co = TypeVar("T_co", covariant=True)


@frozen(kw_only=True)
class Progress:
    """How far a read has come, and what it met.

    `rows` and `pages` were returned so far. `total` is the number of rows in all according to the last response, None
    where it does not say. `duplicates` counts the rows that came again because others moved, `repaired` the places at
    which rows may have been skipped and that were read again. `capped_size` is the most rows the service sends at once,
    where that is fewer than were requested. `misfits` counts the rows that do not fit their type.
    """

    rows: int = 0
    pages: int = 0
    total: int | None = None
    duplicates: int = 0
    repaired: int = 0
    capped_size: int | None = None
    misfits: int = 0


@frozen(kw_only=True)
class Page(Generic[T_co]):
    """Rows of one answer and what it says of the rest.

    `has_next` is None where the answer does not say; `total`, `number` (from 0) and `size` (rows asked for, as the
    service understood it) are known of telephony events only. `cursor` is where to go on after this page, `progress`
    how far the read has come; both are None outside of a read.
    """

    items: tuple[T_co, ...] = field(repr=lambda items: f"<{len(items)} items>")
    has_next: bool | None = None
    total: int | None = None
    number: int | None = None
    size: int | None = None
    cursor: str | None = field(default=None, repr=False)
    progress: Progress | None = field(default=None, repr=False)


@frozen
class Matches(Generic[T_co]):
    """What a look-up found: an answer of one object, of a list, of a page or of nothing (anomaly T3)."""

    items: tuple[T_co, ...] = field(repr=lambda items: f"<{len(items)} items>")


class ListedEvent:
    """Stands for a telephony event in a list: a row that does not fit its type is read as an `UnknownEvent`."""
