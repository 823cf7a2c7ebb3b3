"""Which representation a request asks for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from http import HTTPStatus

from .exchange import RefusalError


def preferred(accept: str, offered: Sequence[str]) -> str:
    """The offered media type that an Accept header likes best; the first offered when it says nothing. Else 406."""
    if not accept.strip():
        return offered[0]
    for media_range in _by_quality(accept):
        for media_type in offered:
            if media_range in (media_type, media_type.partition("/")[0] + "/*", "*/*"):
                return media_type
    raise RefusalError(HTTPStatus.NOT_ACCEPTABLE, f"only {' and '.join(offered)} can be produced")


def _by_quality(accept: str) -> Iterator[str]:
    ranges = [_quality(part) for part in accept.split(",")]
    return (name for quality, name in sorted(ranges, key=lambda each: -each[0]) if quality > 0)


def _quality(part: str) -> tuple[float, str]:
    name, *parameters = (each.strip().lower() for each in part.split(";"))
    values = [each.removeprefix("q=") for each in parameters if each.startswith("q=")]
    try:
        return float(values[0]) if values else 1.0, name
    except ValueError:
        return 0.0, name
