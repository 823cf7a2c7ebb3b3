"""Paging of telephony events: what the URL asks for, and Spring's page around the rows (T8)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import frozen

from .exchange import bad_request
from .quirks import Quirks
from .shapes import Shape
from .validation import integer

DEFAULT_SIZE = 20
_ORDERS = {"timestamp,asc": "ASC", "timestamp,desc": "DESC"}


@frozen(kw_only=True)
class PageRequest:
    """Which page: `number` counts from 0, `order` is None where the answer need not be sorted."""

    size: int = DEFAULT_SIZE
    number: int = 0
    order: str | None = None

    def of(self, ids: Sequence[int]) -> Sequence[int]:
        """The ids of the page, from ids in order of time."""
        return self.ordered(ids)[self.size * self.number : self.size * (self.number + 1)]

    def ordered(self, ids: Sequence[int]) -> Sequence[int]:
        """The ids in the order asked for."""
        return ids[::-1] if self.order == "DESC" else ids


def page_request(query: Mapping[str, str], quirks: Quirks) -> PageRequest:
    """The page that the parameters `sort`, `size` and `page` ask for."""
    first = quirks.first_page
    size = integer(query.get("size", str(DEFAULT_SIZE)), "size", low=1)
    if size > quirks.size_cap and quirks.oversize == "rejected":
        raise bad_request(f"size must be at most {quirks.size_cap}")
    number = integer(query.get("page", str(first)), "page", low=first) - first
    return PageRequest(size=min(size, quirks.size_cap), number=number, order=_order(query.get("sort"), quirks))


def _order(sort: str | None, quirks: Quirks) -> str | None:
    if sort is None:
        return None
    if sort not in _ORDERS and quirks.unknown_sort == "rejected":
        raise bad_request("sort must be timestamp,asc or timestamp,desc")
    return _ORDERS.get(sort)


def with_ties_turned(ids: Sequence[int], page: PageRequest, moment: Callable[[int], int]) -> list[int]:
    """The page when rows of one moment stand the other way round, as a sort that is not stable may have it (T10)."""
    ordered = page.ordered(ids)
    places = range(len(ordered))[page.size * page.number : page.size * (page.number + 1)]
    return [ordered[_mirrored(ordered, place, moment)] for place in places]


def _mirrored(ids: Sequence[int], place: int, moment: Callable[[int], int]) -> int:
    at = moment(ids[place])
    first = last = place
    while first > 0 and moment(ids[first - 1]) == at:
        first -= 1
    while last + 1 < len(ids) and moment(ids[last + 1]) == at:
        last += 1
    return first + last - place


def spring_page(content: list[Shape], page: PageRequest, total: int, quirks: Quirks) -> dict[str, Any]:
    """The envelope of a page, with its fields in the order of the sample (L695-746)."""
    pages = -(-total // page.size)
    return {
        "content": content,
        "last": page.number >= pages - 1,
        "totalElements": total,
        "totalPages": pages,
        "sort": _sort_shape(page.order, quirks),
        "first": page.number == 0,
        "numberOfElements": len(content),
        "size": page.size,
        "number": page.number + quirks.first_page,
    }


def _sort_shape(order: str | None, quirks: Quirks) -> Any:
    sort = {
        "direction": order,
        "property": "timestamp",
        "ignoreCase": False,
        "nullHandling": "NATIVE",
        "ascending": order == "ASC",
        "descending": order == "DESC",
    }
    if quirks.sort_shape == "object":
        return sort if order else {"ascending": False, "descending": False}
    return [sort] if order else []
