"""Intervals of time as people type them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

from attrs import frozen
from cyclopts import Parameter

_SPAN = re.compile(r"(\d{1,7})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@Parameter(name="*")
@frozen(kw_only=True)
class Period:
    """From when to when."""

    start: Annotated[str | None, Parameter(name="--from")] = None
    """Begin, in ISO 8601: 2026-06-01, 2026-06-01T08:00, 2026-06-01T08:00Z. A time without zone is local time, a date \
its first moment."""

    end: Annotated[str | None, Parameter(name="--to")] = None
    """End, written likewise; by default now."""

    last: str | None = None
    """In place of --from: this long before the end, such as 30m, 12h, 30d or 2w."""

    def bounds(self) -> tuple[datetime | None, datetime | None]:
        """Both ends, with their zone; None where open. ValueError for what is no time."""
        if self.start is not None and self.last is not None:
            raise ValueError("--from and --last exclude each other")
        end = None if self.end is None else read_moment("--to", self.end)
        if self.last is not None:
            return _before(end or datetime.now(UTC), read_span(self.last, "--last")), end
        start = None if self.start is None else read_moment("--from", self.start)
        if start is not None and end is not None and start > end:
            raise ValueError("--from must not be after --to")
        return start, end


def read_moment(name: str, text: str) -> datetime:
    """A time in ISO 8601, of the local zone where it names none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{name} must be a time in ISO 8601, such as 2026-06-01T08:00") from None
    return moment.astimezone() if moment.tzinfo is None else moment


def read_span(text: str, name: str) -> timedelta:
    """A length of time such as 30d."""
    match = _SPAN.fullmatch(text)
    if match is None:
        raise ValueError(f"{name} must be a number and one of s, m, h, d, w, such as 30d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _before(moment: datetime, span: timedelta) -> datetime:
    try:
        return moment - span
    except OverflowError:
        raise ValueError("--last reaches too far back") from None
