"""Deliveries that wait for their moment. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import count

from attrs import define, field

from .deliveries import Delivery


@define
class WaitingRoom:
    """Deliveries by the moment they are due, in milliseconds since 1970; of one moment, `last` ones come last."""

    _waiting: list[tuple[int, bool, int, Delivery]] = field(factory=list, init=False, repr=False)
    _counter: Iterator[int] = field(factory=count, init=False, repr=False)

    @property
    def next_due(self) -> int | None:
        """The moment of the first of them."""
        return self._waiting[0][0] if self._waiting else None

    def add(self, delivery: Delivery, due: int, *, last: bool = False) -> None:
        """Let a delivery wait."""
        heappush(self._waiting, (due, last, next(self._counter), delivery))

    def due(self, now: int) -> Iterator[Delivery]:
        """Take out those whose moment has come."""
        while self._waiting and self._waiting[0][0] <= now:
            yield heappop(self._waiting)[-1]
