"""The source of structure functions, written from the fields of a model class.

`general` reads any row: it takes out what it knows, so that what is left is unknown. `shaped` reads rows of one shape,
that is with certain fields in a certain order: it unpacks them, without a look-up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs
from attrs import frozen

_FINISH = (
    "model.nulls = frozenset(nulls) if nulls else NO_NULLS",
    "model.__class__ = Model",
    "return model",
)

_EXTRA = (  # the `__init__` of `Extra`, in Python, would take twice as long
    "model.extra = extra = new(Extra)",
    "extra._fields = unknown",
)

_LEFT = (
    "if row:",
    "    exact(row.values())",
    "    unknown = {name: value for name, value in row.items()}",  # a copy would keep the room of what was taken out
    *(f"    {line}" for line in _EXTRA),
    "else:",
    "    model.extra = NO_EXTRA",
)


@frozen
class Reading:
    """How a value `{v}` is read: its type as a rule, what to do with it, and what with one of another type."""

    rule: str
    lines: Sequence[str] = ()
    exception: Sequence[str] = ("raise TypeError",)


@frozen
class Field:
    """A field: its attribute, its names on the wire, whether it must be there, and how its value is read."""

    attribute: str
    wire: str
    aliases: Sequence[str]
    required: bool
    reading: Reading

    @classmethod
    def of(cls, attribute: attrs.Attribute[Any], reading: Reading) -> Field:
        """The field of an attribute, whose metadata has its names."""
        metadata = attribute.metadata
        required = attribute.default is attrs.NOTHING
        return cls(attribute.name, metadata["wire"], metadata.get("aliases", ()), required, reading)

    def at(self, shape: Mapping[str, int]) -> int | None:
        """Where a shape has it: under its name or, without that, under an alias."""
        return next((shape[name] for name in (self.wire, *self.aliases) if name in shape), None)

    def present(self, value: str) -> Iterator[str]:
        """Lines that read it from a variable."""
        yield from self._read(value, () if self.required else self._null("if", value))

    def taken(self) -> Iterator[str]:
        """Lines that take it out of the row and read it."""
        if self.required:
            yield f"value = pop({self.wire!r})"
            yield from self._read("value")
            return
        yield f"value = pop({self.wire!r}, ABSENT)"
        for alias in self.aliases:
            yield "if value is ABSENT:"
            yield f"    value = pop({alias!r}, ABSENT)"
        yield from self._read("value", ("if value is ABSENT:", "    value = None", *self._null("elif", "value")))

    def _null(self, word: str, value: str) -> tuple[str, str]:
        return f"{word} {value} is None:", f"    nulls += ({self.wire!r},)"

    def _read(self, value: str, absent: Sequence[str] = ()) -> Iterator[str]:
        """A value of the usual type costs one test."""
        exception = [line.format(v=value) for line in self.reading.exception]
        yield f"if type({value}) is not {self.reading.rule}:"
        yield from indented((*absent, "else:", *indented(exception)) if absent else exception)
        if self.reading.lines:
            yield "else:"
            yield from indented(line.format(v=value) for line in self.reading.lines)
        yield f"model.{self.attribute} = {value}"


def general(fields: Sequence[Field]) -> str:
    """The function for any row, which it takes apart."""
    lines = [line for field in fields for line in field.taken()]
    return _function(["pop = row.pop"], [*lines, *_LEFT])


def shaped(fields: Sequence[Field], shape: Mapping[str, int]) -> str | None:
    """The function for rows of a shape, the places of names; `UNKNOWN` are those of no field. None if it lacks one."""
    places = [field.at(shape) for field in fields]
    if any(field.required and place is None for field, place in zip(fields, places, strict=True)):
        return None
    absent: list[str] = []
    lines: list[str] = []
    for field, place in zip(fields, places, strict=True):
        if place is None:
            absent.append(f"model.{field.attribute} = ")
        else:
            lines += field.present(f"v{place}")
    if absent:
        lines.append(f"{''.join(absent)}None")
    unknown = [f"v{place}, " for place in range(len(shape)) if place not in places]
    lines += _unknown("".join(unknown)) if unknown else ["model.extra = NO_EXTRA"]
    unpacked = "".join(f"v{place}, " for place in range(len(shape)))
    return _function([f"{unpacked}= row.values()"], lines)  # which a list or a text of the same items does not have


def _unknown(values: str) -> Sequence[str]:
    return f"unknown = dict(zip(UNKNOWN, ({values})))", "exact(unknown.values())", *_EXTRA


def _function(opening: Iterable[str], lines: Iterable[str]) -> str:
    body = indented((*opening, "model = Draft()", "nulls = ()", *lines, *_FINISH))
    return "".join(f"{line}\n" for line in ("def read(row):", *body))


def indented(lines: Iterable[str]) -> Iterator[str]:
    """The lines, one level deeper."""
    return (f"    {line}" for line in lines)
