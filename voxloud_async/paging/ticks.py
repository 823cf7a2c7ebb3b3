"""Moments as whole microseconds since 1970, which are exact to compare, to add to and to write down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

Ticks = int

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def ticks(at: datetime) -> Ticks:
    """The ticks of a moment."""
    return (at - _EPOCH) // _MICROSECOND


def moment(at: Ticks) -> datetime:
    """The moment of ticks, in UTC."""
    return _EPOCH + at * _MICROSECOND


def span(seconds: float) -> Ticks:
    """The ticks of a length of time, in the API's whole milliseconds."""
    return round(seconds * 1000) * 1000
