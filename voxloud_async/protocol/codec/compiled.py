"""A structure function made for one model class: its source is written from the class's fields, and compiled.

It reads what the service commonly sends and raises at anything else, without saying where: whoever calls it then reads
the text once more in the way that does say. It takes rows apart, so they must be the caller's own.

A service sends rows of few shapes, over and over: those that come back get a function of their own, up to a bound.
"""

from __future__ import annotations

import linecache
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin

import attrs
from cattrs import Converter

from ...models import Extra, Model, OpenEnum
from ...models._base import NO_EXTRA
from ..jsontext import INEXACT, exact
from .scalars import moment
from .source import Field, Reading, general, shaped

M = TypeVar("M", bound=Model)

_MOST_WORDS, _LONGEST_WORD = 256, 64  # of an enum's unknown words, those that are kept
_MOST_SHAPES, _SIGHTINGS = 64, 4  # of a class that get a function, and how often they must have been seen
_MOST_COUNTED, _WIDEST_SHAPE = 256, 64  # shapes whose sightings are counted, and the fields they may have

_GENERAL: dict[str, Any] = {
    "ABSENT": object(),
    "Extra": Extra,
    "INEXACT": INEXACT,
    "NO_EXTRA": NO_EXTRA,
    "NO_NULLS": frozenset(),
    "exact": exact,
    "moment": moment,
    "new": object.__new__,
    "time": datetime.fromisoformat,
}
"""What the source of every function may name."""

_NUMBER = Reading("int", (), ("if type({v}) is not float or not -INEXACT < {v} < INEXACT:", "    raise TypeError"))
_TIME = Reading(
    "str",
    ("{v} = time({v})", "if {v}.tzinfo is None:", "    raise ValueError"),
    ("{v} = moment({v})",),  # milliseconds
)


def compiled_hook(kind: type[M], converter: Converter) -> Callable[[Any, Any], M]:
    """The function that reads wire objects into one model class, and takes them apart for it."""
    attrs.resolve_types(kind)
    names = _GENERAL | {"Draft": _draft(kind), "Model": kind}
    known = [attribute for attribute in attrs.fields(kind) if "wire" in attribute.metadata]
    fields = [Field.of(attribute, _reading(attribute, converter, names)) for attribute in known]
    read_any = _compiled(general(fields), f"<structure {kind.__name__}>", names)
    shapes = _Shapes(kind.__name__, fields, names)
    functions = shapes.functions

    def read(row: Any, _: Any) -> M:
        function: Any
        try:
            function = functions[tuple(row)]
        except KeyError:
            if type(row) is not dict:
                raise TypeError from None
            shapes.see(tuple(row))
            function = read_any
        return function(row)  # type: ignore[no-any-return]

    return read


class _Shapes:
    """The functions of the shapes that came back."""

    def __init__(self, name: str, fields: Sequence[Field], names: dict[str, Any]) -> None:
        self.functions: dict[tuple[str, ...], Callable[[Any], Model]] = {}
        self._name, self._fields, self._names = name, fields, names
        self._seen: Counter[tuple[str, ...]] = Counter()

    def see(self, shape: tuple[str, ...]) -> None:
        """Count a shape that has none yet, and make it one when it has been seen often enough."""
        if not shape or len(shape) > _WIDEST_SHAPE or len(self.functions) >= _MOST_SHAPES:
            return  # an empty one is that of an empty list too
        if len(self._seen) < _MOST_COUNTED or shape in self._seen:
            self._seen[shape] += 1
        if self._seen[shape] == _SIGHTINGS:
            self._make(shape)

    def _make(self, shape: tuple[str, ...]) -> None:
        places = {name: place for place, name in enumerate(shape)}
        source = shaped(self._fields, places)
        if source is None:
            return
        read = {field.at(places) for field in self._fields}
        unknown = tuple(name for name, place in places.items() if place not in read)
        file = f"<structure {self._name} {len(self.functions)}>"
        self.functions[shape] = _compiled(source, file, self._names | {"UNKNOWN": unknown})


def _compiled(source: str, file: str, names: dict[str, Any]) -> Callable[[Any], Any]:
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)  # tracebacks show its lines
    scope = {**names}
    exec(compile(source, file, "exec"), scope)  # noqa: S102 - made of the field names of our own classes alone
    return cast("Callable[[Any], Any]", scope["read"])


def _draft(kind: type[Model]) -> type[Model]:
    """The class of an object until it is whole: it has the same slots and is not frozen.

    Thirty stores and the change of class take an eighth of the time of a frozen class's `__init__`.
    """
    # without `__delattr__` the stores would be slow again: both share one slot of the type
    own = {name: getattr(object, name) for name in ("__init__", "__setattr__", "__delattr__", "__repr__")}
    return type(f"{kind.__name__}Draft", (kind,), own | {"__slots__": ()})


def _reading(attribute: attrs.Attribute[Any], converter: Converter, names: dict[str, Any]) -> Reading:
    """How to read the type of an attribute; what the lines need goes into `names`."""
    kind, tool = _without_none(attribute.type), f"{attribute.name}_"
    if kind in {bool, int, str}:
        return Reading(kind.__name__)
    if kind is float:
        return _NUMBER
    if kind is datetime:
        return _TIME
    if isinstance(kind, type) and issubclass(kind, OpenEnum):
        names[tool] = Words(kind)
        return Reading("str", (f"{{v}} = {tool}[{{v}}]",))
    if get_origin(kind) is tuple:
        return Reading("list", _items(get_args(kind)[0], tool, converter, names))
    names[tool] = converter.get_structure_hook(kind)
    hooked = (f"{{v}} = {tool}({{v}}, None)",)
    return Reading("dict", hooked, hooked)


def _items(kind: Any, tool: str, converter: Converter, names: dict[str, Any]) -> Sequence[str]:
    if kind is str:
        return "''.join({v})", "{v} = tuple({v})"  # joining raises where an item is no string
    names[tool] = converter.get_structure_hook(kind)
    return (f"{{v}} = tuple([{tool}(item, None) for item in {{v}}])",)


def _without_none(kind: Any) -> Any:
    if get_origin(kind) not in {Union, UnionType}:
        return kind
    return Union[tuple(one for one in get_args(kind) if one is not NoneType)]  # noqa: UP007 - only running tells which


class Words(dict[str, OpenEnum]):
    """The members of an enum by their spelling, with the spellings and unknown words met so far, up to a bound."""

    def __init__(self, kind: type[OpenEnum]) -> None:
        super().__init__({member.value: member for member in kind})
        self._kind = kind

    def __missing__(self, word: str) -> OpenEnum:
        member = self._kind(word)
        if len(self) < _MOST_WORDS and len(word) <= _LONGEST_WORD:
            self[word] = member
        return member
