"""The three list envelopes (anomaly G13): `{data, has_next}`, a bare array, Spring's page."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any, get_args, get_origin

from cattrs import Converter

from ..page import Matches, Page
from .fault import FAULTS, MisplacedError
from .scalars import named

_Hook = Callable[[Any, Any], Any]


def configure(converter: Converter) -> None:
    """Register `Page[...]` and `Matches[...]`."""
    converter.register_structure_hook_factory(_is_generic(Page), lambda kind: _page_hook(kind, converter))
    converter.register_structure_hook_factory(_is_generic(Matches), lambda kind: _matches_hook(kind, converter))


def _is_generic(origin: type) -> Callable[[Any], bool]:
    return lambda kind: bool(get_origin(kind) is origin)


def _page_hook(kind: Any, converter: Converter) -> Callable[[Any, Any], Page[Any]]:
    rows = converter.get_structure_hook(types.GenericAlias(tuple, (*get_args(kind), ...)))
    flag, count = _optional(bool, converter), _optional(int, converter)

    def read(value: Any, _: Any) -> Page[Any]:
        if isinstance(value, list):
            return Page(items=rows(value, None))  # whether it is the whole list, it does not say
        if not isinstance(value, dict):
            raise TypeError(f"expected a list, got {named(value)}")
        return spring(value) if "content" in value or "totalElements" in value else data(value)

    def spring(value: dict[str, Any]) -> Page[Any]:
        last = member(value, "last", flag)
        return Page(
            items=member(value, "content", rows, needed=True),
            has_next=None if last is None else not last,
            total=member(value, "totalElements", count),
            number=member(value, "number", count),
            size=member(value, "size", count),
        )

    def data(value: dict[str, Any]) -> Page[Any]:
        return Page(items=member(value, "data", rows, needed=True), has_next=member(value, "has_next", flag))

    def member(value: dict[str, Any], name: str, hook: _Hook, *, needed: bool = False) -> Any:
        try:
            return hook(value[name] if needed else value.get(name), None)
        except FAULTS as error:
            raise MisplacedError(name) from error

    return read


def _optional(kind: type, converter: Converter) -> _Hook:
    hook = converter.get_structure_hook(kind)
    return lambda value, _: None if value is None else hook(value, kind)


def _matches_hook(kind: Any, converter: Converter) -> Callable[[Any, Any], Matches[Any]]:
    (item,) = get_args(kind)
    page: Any = types.GenericAlias(Page, (item,))

    def read(value: Any, _: Any) -> Matches[Any]:
        if value is None:
            return Matches(())
        if isinstance(value, list) or (isinstance(value, dict) and _holds_a_list(value)):
            return Matches(converter.structure(value, page).items)
        return Matches((converter.structure(value, item),))

    return read


def _holds_a_list(value: dict[str, Any]) -> bool:
    return isinstance(value.get("content", value.get("data")), list)
