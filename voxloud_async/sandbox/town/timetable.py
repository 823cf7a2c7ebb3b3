"""When calls come: office hours in Rome, thin evenings, quiet week-ends."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime
from itertools import accumulate

from ..times import rome_offset

_HOUR = 3_600_000
_SATURDAY = 5
_QUIET = 0.05
_BY_HOUR = {7: 0.2, 8: 2, 9: 7, 10: 9, 11: 8, 12: 5, 13: 3, 14: 6, 15: 8, 16: 7, 17: 5, 18: 2, 19: 0.5, 20: 0.2}


class Timetable:
    """Turns an even spread over 0..1 into moments between `start` and `end` (milliseconds), busy hours getting more."""

    def __init__(self, start: int, end: int) -> None:
        hours = range(start, end, _HOUR)
        self._start = start
        self._end = end
        self._upto = [0.0, *accumulate(_busyness(hour) for hour in hours)]

    def moment(self, share: float) -> int:
        """The moment by which this share of all calls has come; whole seconds, as in the API's samples."""
        wanted = share * self._upto[-1]
        hour = min(bisect_right(self._upto, wanted), len(self._upto) - 1) - 1
        passed = (wanted - self._upto[hour]) / (self._upto[hour + 1] - self._upto[hour])
        at = min(self._start + int((hour + passed) * _HOUR), self._end)
        return at - at % 1000


def _busyness(hour: int) -> float:
    local = datetime.fromtimestamp(hour / 1000 + rome_offset(hour) * 3600, UTC)
    weight = _BY_HOUR.get(local.hour, _QUIET)
    if local.weekday() < _SATURDAY:
        return weight
    return max(_QUIET, weight / 10) if local.weekday() == _SATURDAY else _QUIET
