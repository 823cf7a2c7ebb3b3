"""What a resource tells of a list, so that it can be read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Generic, TypeVar

from attrs import evolve, field, frozen

from ..protocol.page import Page
from .places import Ask, Places, Window
from .seam import Key

T = TypeVar("T")

_ALL = Window()


@frozen
class Fetched(Generic[T]):
    """A page, and the bytes it came in where they are wanted."""

    page: Page[T]
    body: bytes = field(default=b"", repr=False)


def key_of(row: Any) -> Key:
    """The id of a row; the whole of one that has none."""
    identifier = getattr(row, "id", None)
    return row if identifier is None else identifier  # type: ignore[no-any-return]


def moment_of(row: Any) -> datetime | None:
    """When a row says it happened."""
    at = getattr(row, "timestamp", None)
    return at if isinstance(at, datetime) else None


@frozen(kw_only=True)
class Source(Generic[T]):
    """A list of the service.

    `places` makes a fresh address book for each read. `size` is the rows to ask for at once. `direction` says whether
    rows come in rising (1) or falling (-1) order of `moment`, or in another (0). `window` is what the caller asked for;
    `now` tells where an open end is frozen, None where rows have no time. `digest` stands for all filters.
    """

    fetch: Callable[[Ask], Awaitable[Fetched[T]]]
    places: Callable[[], Places]
    size: int
    digest: str
    direction: int = 0
    window: Window = _ALL
    now: Callable[[], datetime] | None = None
    key: Callable[[T], Key] = key_of
    moment: Callable[[T], datetime | None] = moment_of

    def frozen(self, window: Window) -> Window:
        """The window without what happens from now on, which would move its end."""
        if self.now is None or window.until is not None:
            return window
        now = self.now()
        is_ahead = window.since is not None and window.since > now
        return window if is_ahead else evolve(window, until=now)

    def beyond(self, window: Window, edge: datetime) -> Window:
        """What is left of a window from a moment on."""
        return evolve(window, until=edge) if self.direction < 0 else evolve(window, since=edge)
