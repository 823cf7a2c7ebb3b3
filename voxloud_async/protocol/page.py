"""A page of a list, whichever of the API's envelopes it came in."""

from __future__ import annotations

from typing import Generic, TypeVar

from attrs import field, frozen

T_co = TypeVar("T_co", covariant=True)


@frozen(kw_only=True)
class Page(Generic[T_co]):
    """Rows of one answer and what it says of the rest.

    `has_next` is None where the answer does not say; `total`, `number` (from 0) and `size` (rows asked for, as the
    service understood it) are known of telephony events only.
    """

    items: tuple[T_co, ...] = field(repr=lambda items: f"<{len(items)} items>")
    has_next: bool | None = None
    total: int | None = None
    number: int | None = None
    size: int | None = None


@frozen
class Matches(Generic[T_co]):
    """What a look-up found: an answer of one object, of a list, of a page or of nothing (anomaly T3)."""

    items: tuple[T_co, ...] = field(repr=lambda items: f"<{len(items)} items>")
