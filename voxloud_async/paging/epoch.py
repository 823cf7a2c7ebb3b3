"""Times as whole microseconds since 1970, which are exact to compare, to add to and to write down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

Microseconds = int

MILLISECOND: Microseconds = 1_000
SECOND: Microseconds = 1_000_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST, _LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)


def to_epoch(at: datetime) -> Microseconds:
    """Return the microseconds of an aware time."""
    return (at - _EPOCH) // _MICROSECOND


def from_epoch(at: Microseconds) -> datetime:
    """Return the time in UTC; what lies outside the years 1 to 9999 becomes their first or last moment."""
    try:
        return _EPOCH + at * _MICROSECOND
    except OverflowError:  # 0001-01-01T00:00+14:00 is a time that UTC cannot express, and so is 9999-12-31T23:00-03:00
        return _FIRST if at < 0 else _LAST


def whole_milliseconds(seconds: float) -> Microseconds:
    """Return the microseconds of a length of time, rounded to the API's milliseconds."""
    return round(seconds * 1000) * MILLISECOND
