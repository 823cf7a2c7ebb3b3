"""A structure function written out for one model class: its source is made from the class's own fields, and compiled.

It reads what the service commonly sends and raises at anything else, without saying where: whoever calls it then reads
the text once more in the way that does say. It takes the row apart, so the row must be the caller's own.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin

import attrs
from attrs import frozen
from cattrs import Converter

from ...models import Extra, Model, OpenEnum
from ...models._base import NO_EXTRA
from ..jsontext import INEXACT, exact
from .scalars import moment

M = TypeVar("M", bound=Model)

_MOST_WORDS, _LONGEST_WORD = 256, 64  # of an enum's unknown words, those that are kept


def compiled_hook(kind: type[M], converter: Converter) -> Callable[[Any, Any], M]:
    """The function that reads wire objects into one model class, and takes them apart for it."""
    attrs.resolve_types(kind)
    names: dict[str, Any] = {
        "ABSENT": object(),
        "Draft": _draft(kind),
        "INEXACT": INEXACT,
        "NO_EXTRA": NO_EXTRA,
        "NO_NULLS": frozenset(),
        "Model": kind,
        "Extra": Extra,
        "MAY_BE_INEXACT": frozenset({float, dict, list}),
        "exact": exact,
        "moment": moment,
        "new": object.__new__,
        "time": datetime.fromisoformat,
    }
    source = "".join(f"{line}\n" for line in _function(kind, converter, names))
    return cast("Callable[[Any, Any], M]", _compiled(source, f"<structure {kind.__name__}>", names))


def _compiled(source: str, file: str, names: dict[str, Any]) -> Any:
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)  # tracebacks show its lines
    exec(compile(source, file, "exec"), names)  # noqa: S102 - made of the field names of our own classes alone
    return names["read"]


def _draft(kind: type[Model]) -> type[Model]:
    """The class of an object until it is whole: it has the same slots and is not frozen.

    Thirty stores and the change of class take an eighth of the time of a frozen class's `__init__`.
    """
    # without `__delattr__` the stores would be slow again: both share one slot of the type
    own = {name: getattr(object, name) for name in ("__init__", "__setattr__", "__delattr__")} | {"__slots__": ()}
    return type(f"{kind.__name__}Draft", (kind,), own)


def _function(kind: type[Model], converter: Converter, names: dict[str, Any]) -> Iterator[str]:
    yield "def read(row, _):"
    yield "    if type(row) is not dict:"
    yield "        raise TypeError"
    yield "    pop = row.pop"
    yield "    model = Draft()"
    yield "    nulls = ()"
    for field in attrs.fields(kind):
        if "wire" in field.metadata:
            yield from _indented(_field(field, _reading(field, converter, names)))
    yield from _indented(_REST)


_REST = """\
if row:
    unknown = {}
    for name, value in row.items():
        if type(value) in MAY_BE_INEXACT:
            exact((value,))
        unknown[name] = value
    model.extra = extra = new(Extra)
    extra._fields = unknown
else:
    model.extra = NO_EXTRA
model.nulls = frozenset(nulls) if nulls else NO_NULLS
model.__class__ = Model
return model
""".splitlines()


def _field(field: attrs.Attribute[Any], reading: _Reading) -> Iterator[str]:
    wire = field.metadata["wire"]
    if field.default is attrs.NOTHING:
        yield f"value = pop({wire!r})"
        yield from reading.required()
    else:
        yield f"value = pop({wire!r}, ABSENT)"
        for alias in field.metadata.get("aliases", ()):
            yield "if value is ABSENT:"
            yield f"    value = pop({alias!r}, ABSENT)"
        yield from reading.optional(wire)
    yield f"model.{field.name} = value"


@frozen
class _Reading:
    """How the value of a field is read: the type it has as a rule, what to do with it, and with one of another type."""

    rule: str
    lines: tuple[str, ...] = ()
    exception: tuple[str, ...] = ("raise TypeError",)

    def required(self) -> Iterator[str]:
        yield f"if type(value) is not {self.rule}:"
        yield from _indented(self.exception)
        yield from self._rest()

    def optional(self, wire: str) -> Iterator[str]:
        """A value of the usual type costs one test."""
        yield f"if type(value) is not {self.rule}:"
        yield "    if value is ABSENT:"
        yield "        value = None"
        yield "    elif value is None:"
        yield f"        nulls += ({wire!r},)"
        yield "    else:"
        yield from _indented(_indented(self.exception))
        yield from self._rest()

    def _rest(self) -> Iterator[str]:
        if self.lines:
            yield "else:"
            yield from _indented(self.lines)


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f"    {line}" for line in lines)


_TIME = _Reading(
    "str",
    ("value = time(value)", "if value.tzinfo is None:", "    raise ValueError"),
    ("value = moment(value)",),  # milliseconds
)
_NUMBER = _Reading("int", (), ("if type(value) is not float or not -INEXACT < value < INEXACT:", "    raise TypeError"))


def _reading(field: attrs.Attribute[Any], converter: Converter, names: dict[str, Any]) -> _Reading:
    kind, tool = _without_none(field.type), f"{field.name}_"
    if kind in {bool, int, str}:
        return _Reading(kind.__name__)
    if kind is float:
        return _NUMBER
    if kind is datetime:
        return _TIME
    if isinstance(kind, type) and issubclass(kind, OpenEnum):
        names[tool] = _Words(kind)
        return _Reading("str", (f"value = {tool}[value]",))
    if get_origin(kind) is tuple:
        return _Reading("list", _items(get_args(kind)[0], tool, converter, names))
    names[tool] = converter.get_structure_hook(kind)
    return _Reading("dict", (read := f"value = {tool}(value, None)",), (read,))


def _items(kind: Any, tool: str, converter: Converter, names: dict[str, Any]) -> tuple[str, ...]:
    if kind is str:
        return "''.join(value)", "value = tuple(value)"  # joining raises where an item is no string
    names[tool] = converter.get_structure_hook(kind)
    return (f"value = tuple([{tool}(item, None) for item in value])",)


def _without_none(kind: Any) -> Any:
    if get_origin(kind) not in {Union, UnionType}:
        return kind
    kinds = [one for one in get_args(kind) if one is not NoneType]
    return Union[tuple(kinds)]  # noqa: UP007 - of a number that only running tells


class _Words(dict[str, OpenEnum]):
    """The members of an enum by their spelling, with the spellings and unknown words met so far, up to a bound."""

    def __init__(self, kind: type[OpenEnum]) -> None:
        super().__init__({member.value: member for member in kind})
        self._kind = kind

    def __missing__(self, word: str) -> OpenEnum:
        member = self._kind(word)
        if len(self) < _MOST_WORDS and len(word) <= _LONGEST_WORD:
            self[word] = member
        return member
