"""Where a reader stands in a list."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define

from ..protocol.page import Page
from .addressing import Addressing, PageRequest, Window
from .order import Judged
from .source import Key

_LEAST = 10  # rows: no service gives fewer at once unless it says so


@define
class Place:
    """A position in a window of a list, and what is known of the pages there.

    Pages: `size` is the most rows of a request, `largest` the largest request that was answered, `most_rows` the most
    rows of a page. Positions: `position` is where the next request continues, `end` the one after the last page
    accepted, `furthest` the last of those, `passed` the number of rows of the list before the window, `total` that of
    the rows in it. Since the last jump, `requests` were made; `is_settled` says that a page was accepted, so that
    further ones can be requested ahead.
    """

    addressing: Addressing
    size: int
    window: Window
    position: int = 0
    end: int = 0
    furthest: int = 0
    passed: int = 0
    largest: int = 0
    most_rows: int = 0
    total: int | None = None
    requests: int = 0
    is_settled: bool = False
    _last: tuple[int, Sequence[Key]] | None = None

    def next_request(self, size: int, overlap: int) -> PageRequest:
        """Return the request that continues after the ones before it."""
        request = self.addressing.request(self.window, self.position, size, overlap)
        self.position = max(request.end, self.position)
        self.requests += 1
        return request

    def resume(self, window: Window, position: int) -> None:
        """Continue where another read ended."""
        self._change(window, position)

    def go_to(self, position: int) -> None:
        """Continue elsewhere in the window."""
        self.position = max(0, position)
        self.requests, self.is_settled = 0, False

    def enter(self, window: Window) -> None:
        """Continue in a window that begins with known rows."""
        self.passed += self.furthest
        self._change(window, 0)

    def return_to(self, window: Window) -> None:
        """Continue in the window of the whole list, at known rows."""
        position, self.passed = max(0, self.passed + self.furthest - self.size // 2), 0
        self._change(window, position)

    def accept(self, request: PageRequest, page: Page[object], keys: Sequence[Key], judged: Judged) -> None:
        """Remember a page, of which the reader takes the rows with these keys."""
        if request.first == 0:
            self.passed = max(0, self.passed - (len(page.items) - len(judged.new)))
        self.total, self.is_settled = page.total, True
        self.largest = max(self.largest, request.size)
        self.most_rows = max(self.most_rows, len(page.items))
        self._last = request.first, keys
        self.end = self._end(request, page, len(keys), judged)
        self.furthest = max(request.first + len(keys), self.furthest)

    def expected(self, start: int) -> Sequence[Key] | None:
        """Return the keys of the rows that were last seen from a position on; None where it was not seen."""
        if self._last is None:
            return None
        first, keys = self._last
        if not first <= start <= self.end:
            return None
        is_beyond = first + len(keys) < self.end
        return keys[start - first :] or ([] if is_beyond else None)

    def is_short(self, request: PageRequest, page: Page[object]) -> bool:
        """Return True if a page has fewer rows than were requested, and than the service may send at once."""
        most = request.size if page.size == request.size else max(self.most_rows, _LEAST)
        return len(page.items) < min(request.end - request.first, most)

    @property
    def last_keys(self) -> Sequence[Key]:
        """The keys of the last page accepted in this window."""
        return () if self._last is None else self._last[1]

    def is_elsewhere(self, request: PageRequest, page: Page[object]) -> bool:
        """Return True if a page is smaller than requested and so, by its number, stands in another place."""
        return request.number is not None and request.size > self.largest and _is_capped(request, page)

    def sent_at_once(self, request: PageRequest, page: Page[object]) -> int | None:
        """Return how many rows the service sends at once, where that is fewer than were requested."""
        rows = len(page.items)
        if _is_capped(request, page):
            return page.size
        if page.size is not None or rows >= request.end - request.first:
            return None
        if page.has_next:
            return max(self.most_rows, _LEAST)
        if request.first == 0:  # the only page, or one as large as pages get
            self.size = min(self.size, max(rows, _LEAST))
        return None

    def _change(self, window: Window, position: int) -> None:
        self.window, self.total, self._last = window, None, None
        self.end = self.furthest = position
        self.go_to(position)

    def _end(self, request: PageRequest, page: Page[object], taken: int, judged: Judged) -> int:
        rows = len(page.items)
        is_short = rows < request.end - request.first
        # Positions count rows that the service leaves out of a page; after a page without news they go beyond it.
        is_known = not judged.new and (judged.reaches or judged.is_exact)
        is_beyond = page.has_next and is_short and (page.size == request.size or is_known)
        return request.end if is_beyond and taken == rows else request.first + taken


def _is_capped(request: PageRequest, page: Page[object]) -> bool:
    return page.size is not None and len(page.items) <= page.size and 0 < page.size < request.size
