"""How many deliveries a store may still take, without counting those that wait each time one comes."""

from __future__ import annotations

import math

from attrs import define, field

from .protocol import InboxFullError

RECOUNTED = 1.0
"""Seconds after which a count is old: others store, too. Counting 100,000 rows takes milliseconds."""


@define
class Room:
    """Room for up to `most` waiting deliveries. The last place is given away only on a fresh count."""

    most: int
    _left: int = field(default=0, init=False)
    _counted: float = field(default=-math.inf, init=False)

    def unsure(self, wanted: int, now: float) -> bool:
        """Whether what waits must be counted first."""
        return self._left < wanted or not 0.0 <= now - self._counted < RECOUNTED

    def count(self, waiting: int, now: float) -> None:
        """So many wait."""
        self._left, self._counted = self.most - waiting, now

    def take(self, wanted: int) -> None:
        """Give places away. Raises InboxFullError."""
        if wanted > self._left:
            raise InboxFullError(f"the inbox holds {self.most - self._left} deliveries, and may hold {self.most}")
        self._left -= wanted
