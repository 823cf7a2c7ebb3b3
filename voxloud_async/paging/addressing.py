"""How the pages of a list are addressed, and which page overlaps with the rows read so far.

A page that begins with rows of the page before shows that none was skipped between the two: after a deletion further up
in the list it would begin later. So every page but the first overlaps, without asking for more rows than the caller
allows.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from attrs import define, field, frozen

from ..protocol.page import Page

_SMALLER = 64  # so many sizes below the wanted one are tried


@frozen
class Window:
    """The interval that a list is restricted to, both ends included; None leaves an end open."""

    since: datetime | None = None
    until: datetime | None = None


@frozen
class PageRequest:
    """A page to ask for: `size` rows from `start` on, to continue after the first `position` rows of the list.

    `number` is the service's number of the page; None where the service counts rows, and for the first page.
    `preceding` is set where no page can hold both the last known row and the next one: it ends where this one begins,
    is fetched before and after this one, and the two are read as one page.
    """

    window: Window
    position: int
    start: int
    size: int
    number: int | None = None
    preceding: PageRequest | None = None

    @property
    def first(self) -> int:
        """The position of the first row that comes back."""
        return self.start if self.preceding is None else self.preceding.start

    @property
    def end(self) -> int:
        """The position after the last row that may come back."""
        return self.start + self.size


class Addressing(Protocol):
    """How a service addresses the pages of a list. `first_page` is the number of its first page, where it has one."""

    first_page: int

    def request(self, window: Window, position: int, size: int, overlap: int) -> PageRequest:
        """Return the request that continues at a position, with at most `size` rows and about `overlap` known ones."""
        ...

    def learn(self, request: PageRequest, page: Page[object], *, follows: bool) -> bool:
        """Compare the number in a response with the requested one; return True if it is not the requested page.

        `follows` says that the page continues the list with new rows, and so is the right one.
        """
        ...


class Offsets:
    """Contacts are addressed by the number of rows before them."""

    first_page = 0

    def request(self, window: Window, position: int, size: int, overlap: int) -> PageRequest:
        """Return the request that begins `overlap` rows before the position."""
        start = max(0, position - min(overlap, size - 1))
        if start < position or position == 0:
            return PageRequest(window, position, start, size)
        preceding = PageRequest(window, position, position - size, size)
        return PageRequest(window, position, position, size, preceding=preceding)

    def learn(self, request: PageRequest, page: Page[object], *, follows: bool) -> bool:  # noqa: ARG002 - as below
        """Return False: an offset is unambiguous."""
        return False


@define
class Numbers:
    """Telephony events are addressed by the number of their page, so a page can only begin at a multiple of its size.

    Pages may be numbered from 0 or from 1, and responses may number them differently from requests, or not at all
    (anomaly T9). The first page is requested without a number. `first_page` is the number to request it by, `_told` the
    one that responses give it; `_tells` says whether these numbers were seen to be right.
    """

    first_page: int = field(default=0, init=False)
    _told: int | None = field(default=None, init=False)
    _is_certain: bool = field(default=False, init=False)
    _tells: bool = field(default=False, init=False)

    def request(self, window: Window, position: int, size: int, overlap: int) -> PageRequest:
        """Return the page, of at most `size` rows, that brings the most new rows besides some known ones."""
        if position == 0:
            return PageRequest(window, 0, 0, size)
        best = max(_overlapping(position, size, overlap), default=None)
        if best is None:
            return self._adjoining(window, position, size)
        *_, start, each = best
        return self._page(window, position, start // each, each)

    def learn(self, request: PageRequest, page: Page[object], *, follows: bool) -> bool:
        """Find out from which number the service counts, and whether this is another page than the requested one."""
        if page.number is None:
            return False
        index = request.start // request.size
        if request.number is None and self._told is None:
            self._told = self.first_page = 1 if page.number == 1 else 0
        if follows and request.number is not None:
            self._is_certain = True
            self._tells = page.number == index + (self._told or 0)
        elif follows:
            return False
        elif self._told is not None and self._tells:
            return page.number != index + self._told
        elif self._told is not None and request.number is not None and not self._is_certain:
            return self._rebase(request.number - (page.number - self._told))
        return False

    def _rebase(self, base: int) -> bool:
        self._is_certain = base in {0, 1}
        is_other = self._is_certain and base != self.first_page
        self.first_page = base if is_other else self.first_page
        return is_other

    def _adjoining(self, window: Window, position: int, size: int) -> PageRequest:
        """The two pages that meet at a position at which pages of all sizes do."""
        index = position // size
        preceding = self._page(window, position, index - 1, size)
        page = self._page(window, position, index, size)
        return PageRequest(window, position, page.start, size, page.number, preceding)

    def _page(self, window: Window, position: int, index: int, size: int) -> PageRequest:
        return PageRequest(window, position, index * size, size, index + self.first_page if index else None)


def _overlapping(position: int, size: int, overlap: int) -> Iterator[tuple[bool, int, int, int]]:
    """The pages that overlap, each rated by whether it does so as wanted, and by its new rows; then start and size."""
    for each in range(size, max(size - _SMALLER, size // 2, 1), -1):
        for known in {overlap, 1}:
            start = max(0, position - known) // each * each
            new = start + each - position
            if new > 0 and start < position:
                yield position - start >= overlap and new >= size // 3, new, start, each
