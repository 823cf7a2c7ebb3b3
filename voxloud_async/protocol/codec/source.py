"""The source of a structure function, written from the fields of a model class.

It has two halves. The first is for rows of exactly the fields that are documented, some of them null perhaps: it looks
each up. The second is for all others: it takes out what it knows, so that what is left is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import attrs
from attrs import field, frozen

_FINISH = (
    "model.nulls = frozenset(nulls) if nulls else NO_NULLS",
    "model.__class__ = Model",
    "return model",
)

_EXTRA = (
    "if row:",
    "    unknown = {}",  # a new one: a dict keeps the room of what was taken out of it
    "    for name, value in row.items():",
    "        if type(value) in MAY_BE_INEXACT:",
    "            exact((value,))",
    "        unknown[name] = value",
    "    model.extra = extra = new(Extra)",
    "    extra._fields = unknown",  # its `__init__`, in Python, would take twice as long
    "else:",
    "    model.extra = NO_EXTRA",
)


@frozen
class Reading:
    """How a value is read: the type it has as a rule, what to do with it, and what with one of another type."""

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
    reading: Reading = field()

    @classmethod
    def of(cls, attribute: attrs.Attribute[Any], reading: Reading) -> Field:
        """The field of an attribute, whose metadata has its names."""
        metadata = attribute.metadata
        required = attribute.default is attrs.NOTHING
        return cls(attribute.name, metadata["wire"], metadata.get("aliases", ()), required, reading)

    def complete(self) -> Iterator[str]:
        """Its lines in the first half."""
        yield f"value = row[{self.wire!r}]"
        yield from self._value(*(() if self.required else self._null("if")))

    def sparse(self) -> Iterator[str]:
        """Its lines in the second half."""
        if self.required:
            yield f"value = pop({self.wire!r})"
            yield from self._value()
            return
        yield f"value = pop({self.wire!r}, ABSENT)"
        for alias in self.aliases:
            yield "if value is ABSENT:"
            yield f"    value = pop({alias!r}, ABSENT)"
        yield from self._value("if value is ABSENT:", "    value = None", *self._null("elif"))

    def _null(self, word: str) -> tuple[str, str]:
        return f"{word} value is None:", f"    nulls += ({self.wire!r},)"

    def _value(self, *absent: str) -> Iterator[str]:
        """A value of the usual type costs one test."""
        yield f"if type(value) is not {self.reading.rule}:"
        if absent:
            yield from indented((*absent, "else:"))
        yield from indented(indented(self.reading.exception) if absent else self.reading.exception)
        if self.reading.lines:
            yield "else:"
            yield from indented(self.reading.lines)
        yield f"model.{self.attribute} = value"


def function(fields: Sequence[Field]) -> str:
    """The source of `read`."""
    return "".join(f"{line}\n" for line in _read(fields))


def _read(fields: Sequence[Field]) -> Iterator[str]:
    yield "def read(row, _):"
    yield "    model = Draft()"
    yield "    nulls = ()"
    yield f"    if len(row) == {len(fields)}:"
    yield "        try:"
    for each in fields:
        yield from indented(indented(indented(each.complete())))
    yield "        except KeyError:"
    yield "            nulls = ()"
    yield "        else:"
    yield "            model.extra = NO_EXTRA"
    yield from indented(indented(indented(_FINISH)))
    yield "    if type(row) is not dict:"
    yield "        raise TypeError"
    yield "    pop = row.pop"
    for each in fields:
        yield from indented(each.sparse())
    yield from indented(_EXTRA)
    yield from indented(_FINISH)


def indented(lines: Iterable[str]) -> Iterator[str]:
    """The lines, one level deeper."""
    return (f"    {line}" for line in lines)
