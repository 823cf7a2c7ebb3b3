"""JSON text to values and back, strictly: no NaN, no value that would not survive."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

_BOM = b"\xef\xbb\xbf"


def loads(text: bytes) -> Any:
    """Read JSON in UTF-8; raises ValueError, also for NaN, numbers beyond a float, broken text and absurd nesting."""
    try:
        # `json.loads` would guess UTF-16 and let halves of surrogate pairs pass.
        return json.loads(text.removeprefix(_BOM).decode(), parse_constant=_no_constant, parse_float=_finite)
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None


def dumps(value: object) -> bytes:
    """Write compact UTF-8 JSON; raises ValueError for NaN or absurd nesting, TypeError for what JSON does not know."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except RecursionError:
        raise ValueError("the value is nested too deeply") from None


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number beyond a float")
    return number


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
