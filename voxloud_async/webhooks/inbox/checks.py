"""What every store refuses before it is asked, so that none meets a value that it cannot keep."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .protocol import Delivery, Origin

_LONGEST = 200
_LONGEST_TYPE = 100


def by_key(deliveries: Sequence[Delivery]) -> dict[str, Delivery]:
    """Deliveries by their keys, the first of each; ValueError or TypeError for one that cannot be stored."""
    found: dict[str, Delivery] = {}
    for each in deliveries:
        _check_delivery(each)
        found.setdefault(each.key, each)
    return found


def check_most(name: str, value: int) -> None:
    """ValueError for a number of things that is not positive."""
    if value < 1:
        raise ValueError(f"{name} must be at least 1")


def check_seconds(name: str, value: float) -> None:
    """ValueError for what is no span of time."""
    if not 0.0 <= value < math.inf:
        raise ValueError(f"{name} must be a number of seconds, 0 or more")


def check_error(error: str) -> None:
    """ValueError for what is no class name: the message of an exception may hold personal data."""
    if len(error) > _LONGEST or not error.isprintable():
        raise ValueError(f"error must be the name of a class: printable, {_LONGEST} characters at most")


def is_type(text: str) -> bool:
    """Whether every store takes a text as an event type."""
    return 0 < len(text) <= _LONGEST_TYPE and text.isascii() and text.isprintable()


def as_origin(stored: str) -> Origin:
    """An origin as it was stored."""
    return "backfill" if stored == "backfill" else "webhook"


def _check_delivery(delivery: Delivery) -> None:
    key = delivery.key
    if not (0 < len(key) <= _LONGEST and key.isascii() and key.isprintable()):
        raise ValueError(f"the key of a delivery must be 1 to {_LONGEST} printable ASCII characters")
    if not is_type(delivery.type):
        raise ValueError("the type of a delivery must be 1 to 100 printable ASCII characters")
    if not delivery.fingerprint.isascii():
        raise ValueError("the fingerprint of a delivery must be ASCII")
    if not isinstance(delivery.body, bytes):
        raise TypeError("the body of a delivery must be bytes")
    if not math.isfinite(delivery.received):
        raise ValueError("received must be seconds since 1970")
