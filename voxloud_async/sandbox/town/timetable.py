"""When calls come: office hours in Rome, thin evenings, quiet week-ends."""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache
from itertools import accumulate

from ..times import rome_offset

_HOUR = 3_600_000
_EPOCH_WEEKDAY, _SATURDAY = 3, 5  # counted from Monday
_QUIET = 0.05
_BY_HOUR = {7: 0.2, 8: 2, 9: 7, 10: 9, 11: 8, 12: 5, 13: 3, 14: 6, 15: 8, 16: 7, 17: 5, 18: 2, 19: 0.5, 20: 0.2}


class Timetable:
    """Turns an even spread over 0..1 into moments between `start` and `end` (milliseconds), busy hours getting more."""

    def __init__(self, start: int, end: int) -> None:
        self._start = start
        self._end = end
        self._upto = _added_up(start, end)

    def moment(self, share: float) -> int:
        """The moment by which this share of all calls has come; whole seconds, as in the API's samples."""
        wanted = share * self._upto[-1]
        hour = min(bisect_right(self._upto, wanted), len(self._upto) - 1) - 1
        passed = (wanted - self._upto[hour]) / (self._upto[hour + 1] - self._upto[hour])
        at = min(self._start + int((hour + passed) * _HOUR), self._end)
        return at - at % 1000


@lru_cache(maxsize=8)  # sandboxes mostly start at the same moment
def _added_up(start: int, end: int) -> tuple[float, ...]:
    return (0.0, *accumulate(map(_busyness, range(start, end, _HOUR))))


def _busyness(at: int) -> float:
    # in whole numbers, as half a year has 4,000 hours
    hours = at // _HOUR + rome_offset(at)
    weight, weekday = _BY_HOUR.get(hours % 24, _QUIET), (hours // 24 + _EPOCH_WEEKDAY) % 7
    if weekday < _SATURDAY:
        return weight
    return max(_QUIET, weight / 10) if weekday == _SATURDAY else _QUIET
