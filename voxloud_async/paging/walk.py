"""One read of a list: asks ahead, proves each seam, mends what does not hold, and gives every row once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from attrs import define, evolve, field

from ..errors import ConflictError, DecodeError
from ..protocol.page import Page, Progress
from .ahead import Ahead
from .cursor import Cursor
from .places import LEAST, OVERLAP, Ask, Window
from .plan import Plan
from .seam import TICK, Rank, Seam
from .source import Fetched, Source
from .tail import Tail

T = TypeVar("T")

WINDOW_PAGES, WINDOW_ROWS = 64, 20_000
"""After both a read goes on from a moment instead of a number: a service counts its way to a deep page.

Each time the pages ahead must be waited for, so that shorter windows would cost more than they save.
"""

_SAME, _FRUITLESS = 8, 200  # pages in a row that bring nothing new: the very same, and any


@define(eq=False, kw_only=True)
class Walk(Generic[T]):
    """Where a read stands. `left` is the rows still wanted, None for all."""

    source: Source[T]
    prefetch: int
    left: int | None = None
    wanted: Callable[[T], bool] | None = None
    on_progress: Callable[[Progress], object] | None = None
    cursor_in: Cursor | None = None
    progress: Progress = field(factory=Progress, init=False)
    came: Fetched[T] = field(factory=lambda: Fetched(Page(items=())), init=False, repr=False)
    """The page that came last, whole."""
    _plan: Plan = field(init=False)
    _most: int = field(init=False)
    _seam: Seam[T] = field(init=False)
    _ahead: Ahead[Ask, Fetched[T]] = field(init=False)
    _ended: bool = field(default=False, init=False)
    _started: bool = field(default=False, init=False)  # the end is frozen
    _settled: bool = field(default=False, init=False)  # a page was taken since the last restart
    _taken: int = field(default=0, init=False)
    _seen: int = field(default=0, init=False)
    _total: int | None = field(default=None, init=False)  # of the window
    _before: int = field(default=0, init=False)  # rows that are not in the window
    _home: tuple[Window, int] | None = field(default=None, init=False)  # where it was before it went on from a moment
    _bounded: bool = field(default=True, init=False)  # the service keeps to the bounds of a window
    _rebased_at: Rank | None = field(default=None, init=False)
    _is_mending: bool = field(default=False, init=False)
    _is_seeking: bool = field(default=False, init=False)  # from the start, for rows that it was to go on from
    _tail: Tail = field(factory=Tail, init=False)
    _last: tuple[object, ...] = field(default=(), init=False)
    _same: int = field(default=0, init=False)
    _fruitless: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        source = self.source
        self._ahead = Ahead(source.fetch)
        self._plan = Plan(source.places(), source.window, source.size)
        self._most = self._plan.places.most
        self._seam = Seam(source.key, source.moment, source.direction)
        if self.cursor_in is not None:
            self.cursor_in.restore(self._plan, self._seam)
            self._tail = self.cursor_in.tail
            self._started = True

    async def step(self) -> Page[T] | None:
        """The next page, less what was given before and what is not wanted; None at the end."""
        while not self._ended and self.left != 0:
            self._fill(self.prefetch)
            ask, fetched = await self._ahead.take()
            page = self._receive(ask, fetched.page)
            if page is not None:
                self.came = fetched
                self._fill(self.prefetch - 1)
                return page
        return None

    async def aclose(self) -> None:
        """Cancel what is under way and wait until it has let go."""
        self._ended = True
        await self._ahead.aclose()

    def abandon(self) -> None:
        """Cancel what is under way, from wherever the last reference went."""
        self._ended = True
        self._ahead.abandon()

    def cursor(self) -> str:
        """Where to go on after the page that came last."""
        if self._seam.edge is not None and self._can_rebase():
            cursor = Cursor.at_edge(self._seam.edge, self._seam, self._beyond_edge())
        else:
            direction = self._seam.direction if self._seam.edge is None else 0
            cursor = Cursor.at_position(self._tail, self._plan.window, direction)
        return cursor.text(self.source.digest)

    # Asking

    def _fill(self, room: int) -> None:
        while len(self._ahead) < room and self._may_ask():
            self._ahead.start(self._plan.next())

    def _may_ask(self) -> bool:
        waiting = len(self._ahead)
        if self._ended or self.left == 0:
            return False
        if waiting == 0:
            return True
        if not self._settled or self._is_deep() or self._has_enough():
            return False
        if self._total is not None:
            return self._plan.position < self._total
        return waiting < self._taken  # a list is guessed to be twice as long as what is known of it

    def _is_deep(self) -> bool:
        plan = self._plan
        return self._can_rebase() and plan.asked >= WINDOW_PAGES and plan.position >= WINDOW_ROWS

    def _can_rebase(self) -> bool:
        return self._seam.is_timed and self._bounded

    def _has_enough(self) -> bool:
        expected = sum(max(1, ask.size - OVERLAP) for ask in self._ahead.upcoming())
        return self.left is not None and expected >= self.left

    # Receiving

    def _receive(self, ask: Ask, page: Page[T]) -> Page[T] | None:
        is_head = ask.start == 0
        if is_head and self._is_out_of_bounds(page):
            self._go_home()
        elif self._is_capped_elsewhere(ask, page):
            self._restart(ask.position)
        elif not self._holds(ask, page):
            self._mend(ask, page)
        else:
            return self._accept(ask, page)
        return None

    def _holds(self, ask: Ask, page: Page[T]) -> bool:
        if self._is_seeking:
            return True
        if ask.start > 0 or (self._seam.ids and not self._seam.complete and not self._seam.is_timed):
            return self._seam.holds(page.items)
        return True

    def _accept(self, ask: Ask, page: Page[T]) -> Page[T] | None:
        is_lost = self._is_seeking and not self._seam.holds(page.items)
        new = self._seam.add(page.items)
        is_news = (not new or ask.start == 0) and self._plan.places.relearn(ask, page)
        if is_news:
            self._restart(ask.position)
            return None
        self._settled, self._is_mending = True, False
        self._taken += 1
        self._note(ask, page, len(new))
        self._is_seeking = is_lost
        self._ended = self._is_last(ask, page, new)
        self._look_for_repetition(page, new)
        given = self._given(ask, page, new)
        self._seam.prune()
        self._go_on(ask, page)
        return given

    def _is_last(self, ask: Ask, page: Page[T], new: list[T]) -> bool:
        if page.has_next is None:
            is_sure = ask.start == 0 or not self._can_rebase()
            return is_sure and not new and len(page.items) < ask.size
        # `has_next` may promise a row that was deleted meanwhile (anomaly C14): no rows are the end as well.
        return not page.items or not page.has_next

    def _given(self, ask: Ask, page: Page[T], new: list[T]) -> Page[T] | None:
        items = new if self.wanted is None else list(filter(self.wanted, new))
        read = page.items
        if self.left is not None:
            if len(items) > self.left:
                read = self._cut(page, new, items[self.left])
            items = items[: self.left]
            self.left -= len(items)
        if not self._can_rebase():
            self._tail.extend([self.source.key(row) for row in read], ask.start + len(read))
        now = self.progress
        if not items and (now.pages or not self._ended):  # a list without rows is one empty page
            return None
        self.progress = evolve(now, rows=now.rows + len(items), pages=now.pages + 1)
        if self.on_progress is not None:
            self.on_progress(self.progress)
        return evolve(page, items=tuple(items), total=now.total, number=self.progress.pages - 1, progress=self.progress)

    def _cut(self, page: Page[T], new: list[T], first_beyond: T) -> tuple[T, ...]:
        """Leave the rows that are one too many for a cursor to go on with; the rows before them."""
        index = next(index for index, row in enumerate(new) if row is first_beyond)
        self._seam.forget(new[index:])
        return page.items[: next(place for place, row in enumerate(page.items) if row is first_beyond)]

    def _note(self, ask: Ask, page: Page[T], new: int) -> None:
        repeated = 0 if self._is_seeking else len(page.items) - new
        expected = ask.position - ask.start if ask.position else repeated
        if ask.start == 0:
            self._before = self._seen - repeated
        self._seen += new
        self._total = page.total
        total = None if page.total is None else page.total + self._before
        duplicates = self.progress.duplicates + max(0, repeated - expected)
        self.progress = evolve(self.progress, total=total, duplicates=duplicates)

    def _look_for_repetition(self, page: Page[T], new: list[T]) -> None:
        keys = tuple(map(self.source.key, page.items))
        self._fruitless = 0 if new or self._ended else self._fruitless + 1
        self._same = self._same + 1 if self._fruitless and keys == self._last else 0
        self._last = keys
        is_too_long = self._same >= _SAME or self._fruitless >= _FRUITLESS
        if self._is_seeking and (self._ended or is_too_long):
            raise ConflictError("the list changes faster than it can be read, or lacks the rows it was to go on from")
        if is_too_long:
            raise DecodeError("the service sends the same rows over and over")

    def _go_on(self, ask: Ask, page: Page[T]) -> None:
        if not self._started:
            self._started = True
            self._plan.window = self.source.frozen(self._plan.window)
        if self._ended:
            self._ahead.drop()
            return
        self._fit(ask, page)
        if self._is_deep() and not self._ahead:
            self._rebase(self._plan.position)

    # Sizes

    def _is_capped_elsewhere(self, ask: Ask, page: Page[T]) -> bool:
        """Whether a page that is not the first is smaller than was asked for, and so stands in another place."""
        if ask.start == 0 or ask.number is None or page.size is None or not 0 < page.size < ask.size:
            return False
        self._cap(page.size)
        return True

    def _fit(self, ask: Ask, page: Page[T]) -> None:
        """Ask for no more than the service gives at once."""
        rows, is_numbered = len(page.items), page.size is not None
        if ask.start == 0 and is_numbered and 0 < (page.size or 0) < ask.size:
            self._cap(page.size or 0)
            self._restart(rows)
        elif page.has_next and not is_numbered and 0 < rows < ask.size:
            self._cap(rows)
            self._restart(ask.start + rows)
        elif page.has_next is None and not is_numbered:
            self._fit_blindly(ask, rows)

    def _fit_blindly(self, ask: Ask, rows: int) -> None:
        """Nothing is told. A short page is the last, or as long as pages get: the first page of a window tells."""
        if ask.start == 0:
            self._plan.shrink(max(LEAST, rows))
        if rows < ask.size and self._can_rebase():
            self._rebase(ask.start + rows)
        elif rows < ask.size:
            self._restart(ask.start + rows)

    def _cap(self, most: int) -> None:
        self._plan.shrink(most)
        self._most = most
        self.progress = evolve(self.progress, capped_size=most)

    # Mending

    def _mend(self, ask: Ask, page: Page[T]) -> None:
        """Rows may have slipped by: read on from a moment that is certain, or from further back."""
        if self._plan.places.relearn(ask, page):
            self._restart(ask.position)
            return
        if not self._is_mending:
            self.progress = evolve(self.progress, repaired=self.progress.repaired + 1)
        self._is_mending = True
        if self._can_rebase():
            self._rebase(ask.position)
            return
        self._is_seeking = ask.start == 0  # so many rows arrived ahead of those it goes on from
        self._restart(ask.start - self._plan.size)

    def _rebase(self, position: int) -> None:
        """Go on from the edge, as the first page of a window of its own, before which nothing can be deleted."""
        if self._rebased_at == self._seam.edge and not self._widened():
            self._seam.distrust()
            self._restart(position)
            return
        if self._rebased_at != self._seam.edge:
            self._plan.size = min(self.source.size, self._plan.places.most)
        self._rebased_at = self._seam.edge
        if self._home is None:
            self._home = (self._plan.window, position)
        self._restart(0, self._beyond_edge())

    def _widened(self) -> bool:
        """Whether a larger page may hold all the rows of one moment."""
        size = self._plan.size
        self._plan.size = min(2 * size, self._most)
        return size < self._most

    def _beyond_edge(self) -> Window:
        assert self._seam.edge is not None  # noqa: S101 - callers know that it is timed
        return self.source.beyond(self._plan.window, self._seam.at(self._seam.edge - TICK))

    def _is_out_of_bounds(self, page: Page[T]) -> bool:
        """Whether a window begins with rows from before it (anomaly T5)."""
        if self._home is None or not self._seam.is_timed or self._rebased_at is None:
            return False
        return self._seam.starts_before(self._rebased_at - TICK, page.items)

    def _go_home(self) -> None:
        """The service ignores bounds: positions are all there is."""
        self._bounded = False
        assert self._home is not None  # noqa: S101 - it is out of the bounds of a window
        window, position = self._home
        self._restart(position - self._plan.size, window)

    def _restart(self, position: int, window: Window | None = None) -> None:
        self._ahead.drop()
        self._settled = False
        self._plan.restart(position, window)
