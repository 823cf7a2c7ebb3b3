"""JSON text to values and back, strictly: no NaN, no value that would not survive."""

from __future__ import annotations

import json
from typing import Any, NoReturn


def loads(text: bytes) -> Any:
    """Read JSON; raises ValueError, also for NaN, broken UTF-8, huge integers and absurd nesting."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None


def dumps(value: object) -> bytes:
    """Write compact UTF-8 JSON; raises ValueError for NaN and TypeError for what JSON does not know."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
