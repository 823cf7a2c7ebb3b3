"""A bound for what would flood a log."""

from __future__ import annotations

import math

from attrs import define, field

_LINES = 10
_SECONDS = 60.0


@define
class Throttle:
    """Admits 10 lines a minute, and counts those that it leaves out."""

    _since: float = field(default=-math.inf, init=False)
    _admitted: int = field(default=0, init=False)
    _left_out: int = field(default=0, init=False)

    def admit(self, now: float) -> int | None:
        """How many were left out since the last line that was admitted, None where this one is left out, too."""
        if now - self._since >= _SECONDS:
            self._since, self._admitted = now, 0
        if self._admitted == _LINES:
            self._left_out += 1
            return None
        self._admitted += 1
        left_out, self._left_out = self._left_out, 0
        return left_out
