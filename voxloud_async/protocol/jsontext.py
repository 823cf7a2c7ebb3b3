"""JSON text to values and back, strictly: no NaN, no value that would not survive.

Reading has two ways. `loads`, of the standard library, keeps every digit. `quick_loads` is orjson's where that is
installed (the extra `speed`): it reads the same texts or fewer, except that whole numbers beyond 64 bits become floats.
Its users look for those with `exact`, and read a text that it refuses with `loads`. Writing is always the standard
library's: requests are small, and orjson writes NaN as null.

Either may return values nested deeper than `pickle` and `copy.deepcopy` can follow. `exact` and `is_too_deep` bound
what is kept of them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

_BOM = b"\xef\xbb\xbf"

INEXACT = 2.0**63
"""A float from here on may have been a whole number, and lost digits."""

DEEPEST = 64
"""Levels that a value of unknown content may nest, as by default in .NET's System.Text.Json.

The documented objects have four. `copy.deepcopy` takes two frames of Python's 1,000 for a level, and pickle one.
"""


def loads(text: bytes) -> Any:
    """Read JSON in UTF-8; raises ValueError, also for NaN, numbers beyond a float, broken text and absurd nesting."""
    try:
        # `json.loads` would guess UTF-16 and let halves of surrogate pairs pass.
        return json.loads(text.removeprefix(_BOM).decode(), parse_constant=_no_constant, parse_float=_finite)
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None


def backend() -> Callable[[bytes], Any]:
    """What reads JSON fastest here: orjson, or the standard library where that is not installed."""
    try:
        import orjson  # noqa: PLC0415 - an extra
    except ModuleNotFoundError:
        return loads
    return orjson.loads


quick_loads = backend()


def exact(values: Iterable[Any], levels: int = DEEPEST) -> None:
    """Raise ValueError where values of `quick_loads` contain a number that may have lost digits, or nest too deeply."""
    for value in values:
        kind = type(value)
        if kind is float:
            if not -INEXACT < value < INEXACT:
                raise ValueError("a number that may have lost digits")
        elif kind is dict or kind is list:
            if not levels:
                raise ValueError("nested too deeply")
            exact(value.values() if kind is dict else value, levels - 1)


def is_too_deep(value: Any, levels: int = DEEPEST) -> bool:
    """Return True if a value nests more levels than may be kept."""
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(is_too_deep(each, levels - 1) for each in inner)


def dumps(value: object) -> bytes:
    """Write compact UTF-8 JSON.

    Raises ValueError for NaN, halves of surrogate pairs and absurd nesting, TypeError for what JSON does not know.
    """
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except RecursionError:
        raise ValueError("the value is nested too deeply") from None
    except UnicodeEncodeError:  # its repr would show the whole text
        raise ValueError("the value holds surrogates, which UTF-8 cannot write") from None


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number beyond a float")
    return number


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
