"""The Retry-After header (RFC 9110 section 10.2.3), read without trust."""

from __future__ import annotations

import math
import re
from email.utils import parsedate_to_datetime

_SECONDS = re.compile(r"[ \t]*([0-9]{1,100}(?:\.[0-9]{0,100})?)[ \t]*", re.ASCII)
_HTTP_DATE = re.compile(r"[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT", re.ASCII)


def retry_after(value: str | None, *, date: str | None, wall: float) -> float | None:
    """Return seconds to wait, never negative; None where the header is absent or not one of the two documented forms.

    A fraction, which some services send, is rounded up. A date counts from the response's own `Date`, which a wrong
    clock on this side cannot skew; `wall` (Unix seconds) is used where that is missing.
    """
    if value is None:
        return None
    seconds = _SECONDS.fullmatch(value)
    if seconds:
        return float(math.ceil(float(seconds[1])))
    until = http_date(value)
    if until is None:
        return None
    now = http_date(date) if date is not None else None
    return max(0.0, until - (wall if now is None else now))


def http_date(value: str) -> float | None:
    """Seconds since 1970 of an HTTP date (RFC 9110 section 5.6.7, the form that is to be sent), or None."""
    text = value.strip(" \t")
    if not _HTTP_DATE.fullmatch(text):
        return None
    try:
        return parsedate_to_datetime(text).timestamp()
    except ValueError:  # the thirty-first of February
        return None
