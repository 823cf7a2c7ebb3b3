"""Wire objects to models: one structure function a class, made on first use from its fields' metadata."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from attrs import fields, has, resolve_types
from cattrs import Converter
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from ...models import Extra, Model
from ..jsontext import dumps, is_too_deep
from .fault import FAULTS, MisplacedError, wire_names
from .scalars import TOO_DEEP, named

M = TypeVar("M", bound=Model)


def configure(converter: Converter) -> None:
    """Register a structure and an unstructure hook for every model."""
    converter.register_structure_hook_factory(is_model, lambda kind: structure_hook(kind, converter))
    converter.register_unstructure_hook_factory(is_model, lambda kind: _unstructure_hook(kind, converter))


def structure_hook(kind: type[M], converter: Converter) -> Callable[[Any, Any], M]:
    """The function that reads wire objects into one model class."""
    members = make_dict_structure_fn(kind, converter, **_overrides(kind))
    known = frozenset(wire_names(kind).values())
    aliases = {alias: name for name, alias in _aliases(kind)}

    def read(value: Any, _: Any) -> M:
        row = wire_object(value)
        if not aliases.keys().isdisjoint(row):
            row = {_canonical(name, row, aliases): item for name, item in row.items()}
        model = members(row, kind)
        if not known.issuperset(row):
            keep(model, "extra", unknown_fields({name: item for name, item in row.items() if name not in known}))
        if None in row.values():
            keep(model, "nulls", frozenset(name for name, item in row.items() if item is None and name in known))
        return model

    return read


def tolerant_hook(kind: type[M], converter: Converter) -> Callable[[Any, Any], M]:
    """The function that reads wire objects field by field: what does not fit its field is left in `extra`.

    It raises TypeError where a required field is missing or does not fit.
    """
    resolve_types(kind)
    kinds: dict[str, Any] = {field.name: field.type for field in fields(kind)}
    names = wire_names(kind)

    def read(value: Any, _: Any) -> M:
        rest = dict(wire_object(value))
        fitting = {}
        for attribute, wire in names.items():
            try:
                fitting[attribute] = converter.structure(rest[wire], kinds[attribute])
            except FAULTS:
                continue
            del rest[wire]
        model = kind(**fitting)
        keep(model, "extra", Extra({name: kept(item) for name, item in rest.items()}))
        keep(model, "nulls", frozenset(names[attribute] for attribute, item in fitting.items() if item is None))
        return model

    return read


def kept(item: Any) -> Any:
    """Return a field of any content; one that nests too deeply becomes its JSON text, so as not to cost its object."""
    return dumps(item).decode() if is_too_deep(item) else item


def unknown_fields(row: Mapping[str, Any]) -> Extra:
    """The fields that a model does not know; raises MisplacedError for one that nests too deeply to be kept."""
    for name, item in row.items():
        if is_too_deep(item):
            raise MisplacedError(name) from ValueError(TOO_DEEP)
    return Extra(row)


def wire_object(value: Any) -> dict[str, Any]:
    """The value, if it is a JSON object."""
    if not isinstance(value, dict):
        raise TypeError(f"expected an object, got {named(value)}")
    return value


def keep(model: Model, name: str, value: object) -> None:
    """Complete a model that nobody has seen yet; it is frozen for all who come after."""
    object.__setattr__(model, name, value)


def is_model(kind: Any) -> bool:
    """Whether a type is a model class."""
    return isinstance(kind, type) and issubclass(kind, Model) and has(kind)


def _overrides(kind: type[Model]) -> dict[str, Any]:
    own = {field.name: override(omit=True) for field in fields(kind) if "wire" not in field.metadata}
    return own | {name: override(rename=wire) for name, wire in wire_names(kind).items()}


def _aliases(kind: type[Model]) -> list[tuple[str, str]]:
    return [(field.metadata["wire"], alias) for field in fields(kind) for alias in field.metadata.get("aliases", ())]


def _canonical(name: str, row: dict[str, Any], aliases: dict[str, str]) -> str:
    """The wire name for an alias, unless the row has that name too."""
    wire = aliases.get(name, name)
    return name if wire in row else wire


def _unstructure_hook(kind: type[Model], converter: Converter) -> Callable[[Model], dict[str, Any]]:
    members = make_dict_unstructure_fn(kind, converter, **_overrides(kind))
    lower = [(field.name, field.metadata["wire"]) for field in fields(kind) if field.metadata.get("case") == "lower"]

    def write(model: Model) -> dict[str, Any]:
        row = {name: item for name, item in members(model).items() if item is not None or name in model.nulls}
        for attribute, wire in lower:
            word = getattr(model, attribute)
            if word is not None and word.is_known:  # an unknown word is written as it came
                row[wire] = word.lower()
        return row | dict(model.extra)

    return write
