"""Reads one list: requests its pages ahead, judges each of them, and returns every row once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Generic, TypeVar

from attrs import define, evolve, field

from ..errors import BadRequestError, ConflictError
from ..protocol.page import Page, Progress
from .addressing import PageRequest, Window
from .by_key import ByKey
from .by_time import ByTime
from .cursor import Cursor, KeyCursor, Pages, TimeCursor, write_cursor
from .order import Judged, Rows, Verdict
from .place import Place
from .prefetch import Prefetcher
from .sequence import ANCHORS
from .source import Fetched, Source

T = TypeVar("T")

DEEP_PAGES, DEEP_ROWS = 64, 20_000
"""After both, a list in the order of time continues as a new interval: services count their way to a deep page.

The requests ahead must be waited for each time, so shorter intervals would cost more than they save.
"""

_INTERVAL = 2  # the attempt to read rows of one moment that is made in an interval
_BELIEVED = 2  # first pages in a row that lack what a list had, after which the next one is believed
_PROMISED = 5  # the same, of empty pages that say that there are further ones
_LOST = 4  # requests in a row without a new row, after which an interval may lead to the next one
_WASTED = 25  # requests without a new row in a read, and two more for each page of the list


class _MovedError(Exception):
    """Rows moved while two adjoining pages were fetched."""


@define(eq=False, kw_only=True)
class PageReader(Generic[T]):
    """One read of a list.

    `left` is the number of rows still wanted, None for all; `wanted` decides by its time whether a row is one of them.
    """

    source: Source[T]
    prefetch: int
    left: int | None = None
    wanted: Callable[[datetime | None], bool] | None = None
    cursor_in: Cursor | None = None
    progress: Progress = field(factory=Progress, init=False)
    _order: ByTime | ByKey = field(init=False)
    _place: Place = field(init=False)
    _ahead: Prefetcher[PageRequest, Fetched[T]] = field(init=False)
    _has_ended: bool = field(default=False, init=False)
    _conflict: ConflictError | None = field(default=None, init=False)
    _read: int = field(default=0, init=False)
    _fruitless: int = field(default=0, init=False)  # in a row
    _wasted: int = field(default=0, init=False)
    _read_at_end: int | None = field(default=None, init=False)  # rows read at the end of the last interval
    _whole_total: int | None = field(default=None, init=False)  # of the list, when an interval was entered
    _gaps: int = field(default=0, init=False)
    _doubts: int = field(default=0, init=False)
    _has_moved: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        source, cursor = self.source, self.cursor_in
        self._ahead = Prefetcher(self._fetch)
        self._order = _chosen_order(source, cursor)
        self._place = Place(source.addressing(), source.page_size, source.window)
        self._read = 0 if cursor is None else cursor.position
        if cursor is not None:
            self._place.resume(cursor.window, cursor.position)
            self._place.size = min(cursor.pages.size, self._place.size)
            self._place.most_rows = cursor.pages.most_rows
            self._place.addressing.first_page = cursor.pages.first_page
        if isinstance(cursor, TimeCursor) and cursor.position >= DEEP_ROWS:
            self._begin_interval()

    async def next_page(self) -> tuple[Page[T], Fetched[T]] | None:
        """Return the next page without the rows returned before or not wanted, and the response it came in.

        Returns None at the end. Cancelled or failed, it continues at the same place when called again.

        Raises:
            ConflictError: rows may be lost, or the service repeats itself; then also when called again.
        """
        while not self._has_ended and self.left != 0:
            if self._conflict is not None:
                raise self._conflict
            self._request_ahead(self.prefetch)
            request, fetched = await self._ahead.first()
            try:
                page = self._receive(request, fetched)
            except BaseException as error:
                self._conflict = error if isinstance(error, ConflictError) else None
                await self.aclose()
                raise
            if page is not None:
                self._request_ahead(self.prefetch - 1)
                return page, fetched  # type: ignore[return-value]
        return None

    async def aclose(self) -> None:
        """Cancel the requests under way and wait until they have ended."""
        await self._ahead.aclose()

    def abandon(self) -> None:
        """Cancel the requests under way, from any thread."""
        self._ahead.abandon()

    def cursor(self) -> str:
        """Return where to continue after the last page."""
        place, order = self._place, self._order
        pages = Pages(place.size, place.most_rows, place.addressing.first_page)
        cursor: Cursor
        if isinstance(order, ByTime) and order.watermark is not None and order.bounds_work and not order.timeless:
            position = place.passed + place.furthest
            cursor = TimeCursor(self.source.window, position, pages, order.watermark, order.at_watermark())
        elif isinstance(order, ByTime):
            cursor = KeyCursor(place.window, place.furthest, pages, order.sorted_keys()[-ANCHORS:])
        else:
            cursor = KeyCursor(place.window, order.frontier.position, pages, order.frontier.anchors)
        return write_cursor(cursor, self.source.filters)

    # Requests

    async def _fetch(self, request: PageRequest) -> Fetched[T]:
        if request.preceding is None:
            return await self.source.fetch(request)
        # Nothing moved between two pages if the first of them is the same before and after the second was fetched.
        before = (await self.source.fetch(request.preceding)).page.items
        fetched = await self.source.fetch(request)
        after = (await self.source.fetch(request.preceding)).page.items
        if list(map(self.source.key, before)) != list(map(self.source.key, after)):
            raise _MovedError
        return Fetched(evolve(fetched.page, items=(*before, *fetched.page.items)), fetched.body, len(before))

    def _request_ahead(self, most: int) -> None:
        while len(self._ahead) < most and self._may_request():
            size = self._size()
            self._ahead.start(self._place.next_request(size, self._order.overlap(size)))

    def _size(self) -> int:
        """No more rows than are wanted, where none that comes can be unwanted."""
        is_first = self._place.position == 0 and self.wanted is None
        return min(self._place.size, self.left) if is_first and self.left else self._place.size

    def _may_request(self) -> bool:
        under_way, place = len(self._ahead), self._place
        if self._has_ended or self.left == 0:
            return False
        if under_way == 0:
            return True
        if not place.is_settled or self._is_deep() or self._has_enough():
            return False
        if place.total is not None:
            return place.position < place.total
        return under_way < self.progress.pages  # the list is assumed to be twice as long as what is known of it

    def _has_enough(self) -> bool:
        under_way = sum(max(1, request.end - request.position) for request in self._ahead.requests)
        return self.left is not None and under_way >= self.left

    def _is_deep(self) -> bool:
        place = self._place
        return self._can_begin_interval and place.requests >= DEEP_PAGES and place.position >= DEEP_ROWS

    @property
    def _can_begin_interval(self) -> bool:
        return isinstance(self._order, ByTime) and self._order.can_begin_interval

    def _go_to(self, position: int) -> None:
        self._ahead.drop()
        self._place.go_to(position)

    # Responses

    def _receive(self, request: PageRequest, fetched: Fetched[T] | BaseException) -> Page[T] | None:
        if isinstance(fetched, _MovedError):
            self._spend()
            self._pass_by()
        elif isinstance(fetched, BaseException):
            self._fail(request, fetched)
        elif self._place.is_elsewhere(request, fetched.page):
            self._cap(fetched.page.size or 0)
            self._go_to(request.position)
        else:
            return self._judge(request, fetched)
        return None

    def _fail(self, request: PageRequest, error: BaseException) -> None:
        """Raise the error of a request, unless the service may have refused only a large page, or a deep one."""
        self._go_to(request.position)
        if not isinstance(error, BadRequestError):
            raise error
        if 0 < self._place.largest < request.size:
            self._cap(self._place.largest)
        elif request.first > 0 and self._read == self._read_at_end:
            if self._whole_total is not None and self._read < self._whole_total:
                raise ConflictError(
                    "the list had more rows than were read, and its deeper pages are refused"
                ) from error
            self._has_ended = True
        elif request.first > 0 and self._can_begin_interval:
            self._begin_interval()
        else:
            raise error
        self._spend()

    def _judge(self, request: PageRequest, fetched: Fetched[T]) -> Page[T] | None:
        page = fetched.page
        rows = self._rows(request, page)
        judged = self._order.judge(rows)
        follows = judged.verdict is Verdict.FOLLOWS and bool(judged.new)
        is_other = self._place.addressing.learn(request, page, follows=follows)
        self._count(rows, judged, is_news=follows and not is_other)
        if is_other:
            self._go_to(request.position)
            return None
        if self._fruitless == _LOST and self._can_begin_interval:
            self._begin_interval()
        elif request.preceding is not None and self._has_moved:
            self._pass_by()
        elif judged.verdict is Verdict.FOLLOWS and not self._is_doubtful(page, rows, judged):
            return self._accept(request, page, rows, judged)
        else:
            return self._reject(request, fetched, judged.verdict)
        return None

    def _is_doubtful(self, page: Page[T], rows: Rows, judged: Judged) -> bool:
        """Return True for a page without rows that stands where there were rows, or that promises some."""
        if page.items or not (self._read or page.total):
            return False
        if page.has_next and page.total is not None and rows.start < page.total:
            return True
        if judged.is_exact:
            return False  # it ends a list, whatever it says of a next page (anomaly C13)
        return not rows.is_first or self._doubts < (_PROMISED if page.has_next else _BELIEVED)

    def _rows(self, request: PageRequest, page: Page[T]) -> Rows:
        return Rows(
            items=page.items,
            keys=list(map(self.source.key, page.items)),
            start=request.first,
            expected=self._place.expected(request.first),
            is_first=request.first == 0,
            is_last=page.has_next is False or (page.has_next is None and self._place.is_short(request, page)),
            is_confirmed=self._doubts >= _BELIEVED,
        )

    def _count(self, rows: Rows, judged: Judged, *, is_news: bool) -> None:
        self._has_moved = self._has_moved or not (judged.is_exact or rows.expected is None)
        if is_news:
            self._fruitless = 0
        else:
            self._spend()

    def _spend(self) -> None:
        """Count a request that brought nothing new: one bound covers every way to read on."""
        self._fruitless += 1
        self._wasted += 1
        if self._wasted > _WASTED + 2 * (self._read // self._place.size):
            raise ConflictError("the list changes faster than it can be read, or the service repeats itself")

    def _accept(self, request: PageRequest, page: Page[T], rows: Rows, judged: Judged) -> Page[T] | None:
        given, end = self._given(page, judged)
        self._place.accept(request, page, rows.keys[:end], judged)
        self._note(request, page, judged)
        self._order.accept(rows, judged, end)
        self._read += len(judged.new)
        self._gaps = self._doubts = 0
        self._has_ended = self._is_end(request, page, rows, judged)
        self._go_on(request, page)
        return self._returned(page, given)

    def _is_end(self, request: PageRequest, page: Page[T], rows: Rows, judged: Judged) -> bool:
        """Believe that a page is the last one, unless there is a sign that it is not."""
        if not page.items:
            return True
        if page.has_next is False:
            is_full = len(page.items) == request.end - request.first
            return not is_full or request.first + len(page.items) == page.total
        if rows.is_first and page.size == request.size:
            return rows.is_last
        return rows.is_last and not judged.new and judged.reaches

    def _given(self, page: Page[T], judged: Judged) -> tuple[list[T], int]:
        """The new rows that are wanted, and the place on the page before which they end."""
        given: list[T] = []
        for place in judged.new:
            row = page.items[place]
            if self.wanted is None or self.wanted(self.source.time(row)):
                if len(given) == self.left:
                    return given, place
                given.append(row)
        return given, len(page.items)

    def _note(self, request: PageRequest, page: Page[T], judged: Judged) -> None:
        """Count the rows that came again without having been asked for again."""
        now, repeated = self.progress, len(page.items) - len(judged.new) - (request.position - request.first)
        is_counted = request.first > 0 and not self._is_searching
        total = None if page.total is None else page.total + self._place.passed
        self.progress = evolve(now, total=total, duplicates=now.duplicates + is_counted * max(0, repeated))

    def _go_on(self, request: PageRequest, page: Page[T]) -> None:
        """End, or continue where the page says that the next one is."""
        place, home = self._place, self.source.window
        if self._has_ended:
            if self._is_searching and page.items:
                raise ConflictError("the list lacks the rows it was to continue after")
            self._ahead.drop()
            if place.window != home == Window():  # an interval may leave out rows without a time
                self._has_ended, self._read_at_end = False, self._read
                self._return_home()
        elif place.end != request.end:
            if (size := place.sent_at_once(request, page)) is not None:
                self._cap(size)
            self._go_to(place.end)
        elif self._is_deep() and not self._ahead:
            self._begin_interval()

    def _returned(self, page: Page[T], given: list[T]) -> Page[T] | None:
        now = self.progress
        if self.left is not None:
            self.left -= len(given)
        if not given and (now.pages or not self._has_ended):  # a list without rows is one empty page
            return None
        misfits = now.misfits + (sum(map(self.source.misfit, given)) if self.source.misfit else 0)
        self.progress = evolve(now, rows=now.rows + len(given), pages=now.pages + 1, misfits=misfits)
        has_next = False if self._has_ended else page.has_next is not None or None
        return evolve(
            page,
            items=tuple(given),
            has_next=has_next,
            total=self.progress.total,
            number=now.pages,
            progress=self.progress,
        )

    # Pages that do not follow

    def _reject(self, request: PageRequest, fetched: Fetched[T], verdict: Verdict) -> Page[T] | None:
        order = self._order
        if isinstance(order, ByTime) and verdict is Verdict.UNORDERED:
            self._order = ByKey.taking_over(order, self._place.last_keys, self._place.furthest)
            return self._judge(request, fetched)
        if isinstance(order, ByTime) and verdict is Verdict.TIE:
            self._pass_tie(order, request)
        elif verdict is Verdict.DOUBTFUL:
            self._go_to(self._place.furthest - self._place.size // 2)
        elif verdict is Verdict.BEGINS_LATE:
            self._begin_interval(wider=True)
        elif verdict is Verdict.BEGINS_EARLY:
            self._leave_interval()
        else:
            self._step_back(request)
        return None

    def _pass_tie(self, order: ByTime, request: PageRequest) -> None:
        """Read rows of one moment from their first one on: on one page, or by key where they are too many."""
        ties = order.count_tie()
        if ties == 1:
            self._step_back(request)
        elif ties == _INTERVAL and order.bounds_work:
            self._begin_interval()
        else:
            before = order.keys_before_watermark()
            self._order = ByKey.taking_over(order, before, self._place.furthest)
            self._go_to(self._place.furthest - order.rows_at_watermark)

    def _pass_by(self) -> None:
        """Continue where rows move and pages cannot overlap: in an interval, whose positions are others."""
        if not self._can_begin_interval:
            raise ConflictError(
                f"rows move, and pages of {self._place.size} rows cannot overlap: use a larger page_size"
            )
        self._begin_interval()

    def _step_back(self, request: PageRequest) -> None:
        """Read again from further up, twice as far each time."""
        if not self._gaps:
            self.progress = evolve(self.progress, repaired=self.progress.repaired + 1)
        self._go_to(request.first - self._place.size * 2**self._gaps)
        self._gaps += 1
        self._doubts += request.first == 0

    def _begin_interval(self, *, wider: bool = False) -> None:
        """Continue in the interval that begins at the watermark."""
        assert isinstance(self._order, ByTime)  # noqa: S101 - the callers have looked
        window = self._order.interval(self.source.window, wider=wider)
        if window is None:
            self._leave_interval()
        else:
            if self._place.window == self.source.window and self._place.total is not None:
                self._whole_total = self._place.total
            self._ahead.drop()
            self._place.enter(window)

    def _leave_interval(self) -> None:
        """Continue by positions: the service ignores bounds."""
        assert isinstance(self._order, ByTime)  # noqa: S101 - nothing else reads intervals
        self._order.leave_interval()
        self._return_home()

    def _return_home(self) -> None:
        self._ahead.drop()
        self._place.return_to(self.source.window)

    def _cap(self, size: int) -> None:
        self._place.size = self._place.largest = min(self._place.size, size)
        self.progress = evolve(self.progress, capped_size=self._place.size)

    @property
    def _is_searching(self) -> bool:
        return isinstance(self._order, ByKey) and self._order.is_searching


def _chosen_order(source: Source[Any], cursor: Cursor | None) -> ByTime | ByKey:
    """Decide how a list is read; `_reject` replaces the order where this turns out to be wrong."""
    if isinstance(cursor, KeyCursor) and cursor.position:
        return ByKey.after(cursor.anchors, cursor.position)
    if not source.direction:
        return ByKey()
    if isinstance(cursor, TimeCursor):
        return ByTime.after(source, cursor.watermark, cursor.recent)
    return ByTime(source)
