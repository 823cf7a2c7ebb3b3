"""The API's spellings of a moment. Inside the sandbox a moment is an integer: milliseconds since 1970, UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from typing import Literal

Spelling = Literal["iso_basic", "iso_rome", "epoch_ms"]

_ISO_WITH_ZONE = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:?\d\d)", re.ASCII)


def milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970 of an aware datetime."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def spelled(ms: int, spelling: Spelling) -> str | int:
    """A moment as the chosen dialect writes it (P5, T4)."""
    if spelling == "epoch_ms":
        return ms
    return rome_time(ms) if spelling == "iso_rome" else basic_time(ms)


def basic_time(ms: int) -> str:
    """`2018-05-15T15:47:03.000+0000`, the spelling of query rows (L702)."""
    moment = datetime.fromtimestamp(ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03}+0000"


def rome_time(ms: int) -> str:
    """`2022-12-27T14:42:37+01:00`, the spelling of contacts (L47): Rome, whole seconds."""
    return datetime.fromtimestamp(ms // 1000, timezone(timedelta(hours=rome_offset(ms)))).isoformat()


def rome_offset(ms: int) -> int:
    """Hours Rome is ahead of UTC. European summer time runs between the last Sundays of March and October, 01:00 UTC.

    Worked out here because a machine may lack the time zone database.
    """
    summer, winter = _changes(datetime.fromtimestamp(ms // 1000, UTC).year)
    return 2 if summer <= ms < winter else 1


@cache
def _changes(year: int) -> tuple[int, int]:
    return _last_sunday(year, 3), _last_sunday(year, 10)


def _last_sunday(year: int, month: int) -> int:
    last_day = datetime(year, month, 31, 1, tzinfo=UTC)
    return milliseconds(last_day - timedelta(days=last_day.isoweekday() % 7))


def read_iso(text: str) -> int | None:
    """The moment of an ISO 8601 date and time that names its zone; None when the text is anything else."""
    if not _ISO_WITH_ZONE.fullmatch(text):
        return None
    try:
        return milliseconds(datetime.fromisoformat(text.upper()))
    except (ValueError, OverflowError):
        return None
