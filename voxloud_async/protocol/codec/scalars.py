"""Plain values, each of its own type alone; times in every spelling of the API text; values of any content."""

from __future__ import annotations

import re
import types
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, get_args, get_origin

from cattrs import Converter

from ...models import Extension, OpenEnum
from ..jsontext import DEEPEST, is_too_deep

TOO_DEEP = f"nested more than {DEEPEST} levels deep"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_DIGITS = re.compile(r"-?[0-9]{1,20}", re.ASCII)

_NAMES = {
    bool: "a boolean",
    dict: "an object",
    float: "a number",
    int: "a number",
    list: "a list",
    str: "a string",
    type(None): "null",
}


def named(value: object) -> str:
    """What JSON calls a value, for an error that must not show it."""
    return _NAMES.get(type(value), type(value).__name__)


def configure(converter: Converter) -> None:
    """Register strict strings, numbers, booleans, times, open enums, extensions, arrays and values of any content."""
    converter.register_structure_hook(str, _string)
    converter.register_structure_hook(bool, _boolean)
    converter.register_structure_hook(int, _integer)
    converter.register_structure_hook(float, _number)
    converter.register_structure_hook(datetime, moment)
    converter.register_unstructure_hook(datetime, _written)
    converter.register_structure_hook(Extension, _extension)
    converter.register_unstructure_hook(Extension, lambda value: value.raw)
    # By class, not by predicate: the hook of `str`, which they derive from, would come first.
    converter.register_structure_hook(OpenEnum, lambda value, kind: kind(_string(value)))
    converter.register_unstructure_hook(OpenEnum, lambda value: value.value)
    converter.register_structure_hook_func(lambda kind: kind is Any, _anything)
    converter.register_structure_hook_factory(_is_array, lambda kind: _array_hook(kind, converter))
    converter.register_unstructure_hook_factory(_is_array, lambda _: lambda items: [*map(converter.unstructure, items)])


def moment(value: Any, _: Any = None) -> datetime:
    """An aware time from ISO 8601 or from milliseconds since 1970, as a number or its digits (anomaly P5)."""
    if isinstance(value, str):
        return _milliseconds(int(value)) if _DIGITS.fullmatch(value) else _iso(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _milliseconds(value)
    raise TypeError(f"expected a time, got {named(value)}")


def _written(value: datetime) -> str:
    """Milliseconds as everywhere in the API, and microseconds only where there are any to lose."""
    return value.isoformat(timespec="microseconds" if value.microsecond % 1000 else "milliseconds")


def _iso(value: str) -> datetime:
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("not a time in ISO 8601") from None
    if parsed.tzinfo is None:
        raise ValueError("a time without a zone")
    return parsed


def _milliseconds(value: float) -> datetime:
    try:
        return _EPOCH + timedelta(milliseconds=value)
    except (OverflowError, ValueError):
        raise ValueError("a time out of range") from None


def _string(value: Any, _: Any = None) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected a string, got {named(value)}")
    return value


def _boolean(value: Any, _: Any = None) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"expected a boolean, got {named(value)}")
    return value


def _integer(value: Any, _: Any = None) -> int:
    number = _number(value)
    if not isinstance(value, int) and not number.is_integer():
        raise ValueError("expected a whole number")
    return int(number)


def _number(value: Any, _: Any = None) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"expected a number, got {named(value)}")
    return value


def _extension(value: Any, _: Any = None) -> Extension:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError(f"expected an extension, got {named(value)}")
    return Extension(value)


def _anything(value: Any, _: Any = None) -> Any:
    if is_too_deep(value):
        raise ValueError(TOO_DEEP)
    return value


def _is_array(kind: Any) -> bool:
    return get_origin(kind) is tuple


def _array_hook(kind: Any, converter: Converter) -> Callable[[Any, Any], tuple[Any, ...]]:
    items: Any = types.GenericAlias(list, get_args(kind)[:1])

    def array(value: Any, _: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise TypeError(f"expected a list, got {named(value)}")
        return tuple(converter.structure(value, items))

    return array
