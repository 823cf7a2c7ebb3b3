"""The three list envelopes (anomaly G13): `{data, has_next}`, a bare array, Spring's page."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any, get_args, get_origin

from cattrs import Converter

from ..page import Matches, Page
from .fault import FAULTS, MisplacedError
from .scalars import named


def configure(converter: Converter) -> None:
    """Register `Page[...]` and `Matches[...]`."""
    converter.register_structure_hook_factory(_is_generic(Page), lambda kind: _page_hook(kind, converter))
    converter.register_structure_hook_factory(_is_generic(Matches), lambda kind: _matches_hook(kind, converter))


def _is_generic(origin: type) -> Callable[[Any], bool]:
    return lambda kind: bool(get_origin(kind) is origin)


def _page_hook(kind: Any, converter: Converter) -> Callable[[Any, Any], Page[Any]]:
    rows: Any = types.GenericAlias(tuple, (*get_args(kind), ...))

    def read(value: Any, _: Any) -> Page[Any]:
        if isinstance(value, list):
            return Page(items=converter.structure(value, rows))  # whether it is the whole list, it does not say
        if not isinstance(value, dict):
            raise TypeError(f"expected a list, got {named(value)}")
        return spring(value) if "content" in value or "totalElements" in value else data(value)

    def spring(value: dict[str, Any]) -> Page[Any]:
        last = member(value, "last", bool | None)
        return Page(
            items=member(value, "content", rows),
            has_next=None if last is None else not last,
            total=member(value, "totalElements", int | None),
            number=member(value, "number", int | None),
            size=member(value, "size", int | None),
        )

    def data(value: dict[str, Any]) -> Page[Any]:
        return Page(items=member(value, "data", rows), has_next=member(value, "has_next", bool | None))

    def member(value: dict[str, Any], name: str, kind: Any) -> Any:
        try:
            return converter.structure(value[name] if kind is rows else value.get(name), kind)
        except FAULTS as error:
            raise MisplacedError(name) from error

    return read


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
