"""What every model is built on, and what the codec reads of it.

The generated classes are plain data. How they look on the wire stands in the metadata of their fields:

- `metadata["wire"]` (str, on every field but those of `Model`): the name in JSON. It is listed, never derived: one
  object may hold both `callId` and `sentiment_score`.
- `metadata["aliases"]` (tuple of str, where there are any): further names to read the field from when `wire` is absent.
  Write `wire` alone.
- `metadata["case"]` (`"lower"`, where it differs): write the enum in this case.
- `metadata["personal"]` (`True`, where it is so): personal data, or what leads to it. The repr shows it as `***`.

A field without default must be there. Every other one is `None` when the service left it out *or* sent null; the wire
names of the nulls are kept in `Model.nulls`, so that an object can be written as it came.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import Attribute, field, fields, frozen

__all__ = ["NO_EXTRA", "Extra", "Model"]


class Extra(Mapping[str, Any]):
    """The fields of an object that its model does not know, by wire name. Read-only; its repr shows names alone."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Mapping[str, Any] | None = None) -> None:
        self._fields = dict(fields or {})

    def __getitem__(self, name: str) -> Any:
        return self._fields[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return f"Extra({', '.join(sorted(self._fields))})"


NO_EXTRA = Extra()
"""The `extra` of an object that holds known fields alone; shared."""


@frozen(kw_only=True, repr=False)
class Model:
    """An object of the API: frozen, equal by its fields, safe to pickle; its repr shows no personal data."""

    extra: Mapping[str, Any] = field(default=NO_EXTRA, hash=False)
    """Fields that the service sent and the model does not know, by wire name."""

    nulls: frozenset[str] = field(default=frozenset(), eq=False)
    """Wire names of the fields that came as an explicit null."""

    def __repr__(self) -> str:
        # A traceback may show an object that is only half read.
        held = ((each, getattr(self, each.name, None)) for each in fields(type(self)) if each.name not in _GENERAL)
        shown = [_shown(each, value) for each, value in held if value is not None]
        extra = getattr(self, "extra", None)
        if extra:
            shown.append(f"extra={Extra(extra)!r}")
        return f"{type(self).__name__}({', '.join(shown)})"


_GENERAL = frozenset(each.name for each in fields(Model))


def _shown(attribute: Attribute[Any], value: object) -> str:
    return f"{attribute.name}={'***' if attribute.metadata.get('personal') else repr(value)}"
