"""The converter for texts that are as expected: the same objects at a fifth of the cost, and no word of what is wrong.

Models are read by compiled functions, lists without keeping account of places. What has no compiled function is left to
the detailed converter, once it is certain that the parser lost no digit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cattrs import Converter

from ...models import (
    CallEvent,
    ClickToCallCall,
    EventType,
    Fax,
    FaxCall,
    PhoneCall,
    TelephonyEvent,
    UnknownEvent,
    Webhook,
)
from ..jsontext import exact
from ..page import ListedEvent
from . import envelopes, scalars
from .compiled import compiled_hook
from .events import is_fax, telephony_event_hook
from .objects import is_model

_LEFT_TO_DETAILED = (CallEvent, UnknownEvent, Webhook)


def quick_converter(detailed: Converter) -> Converter:
    """A converter that reads as `detailed` does, or raises; the values it is given are its own to take apart."""
    made = Converter(detailed_validation=False)
    scalars.configure(made)
    envelopes.configure(made)
    made.register_structure_hook(int, _integer)
    made.register_structure_hook_factory(is_model, lambda kind: compiled_hook(kind, made))
    # A row that does not fit ends the quick way: the page is then read once more, by the converter that keeps it.
    made.register_structure_hook_factory(_is_event, lambda _: _telephony_event(made))
    left = _left_to(detailed)
    made.register_structure_hook_func(lambda kind: kind is Any, left)
    for kind in _LEFT_TO_DETAILED:
        made.register_structure_hook(kind, left)
    return made


def _is_event(kind: Any) -> bool:
    return kind == TelephonyEvent or kind is ListedEvent


def _integer(value: Any, _: Any) -> int:
    if type(value) is not int:  # a float may have been a whole number with more digits
        raise TypeError
    return value


def _left_to(detailed: Converter) -> Callable[[Any, Any], Any]:
    def read(value: Any, kind: Any) -> Any:
        exact((value,))
        return detailed.structure(value, kind)

    return read


def _telephony_event(converter: Converter) -> Callable[[Any, Any], Any]:
    """The common rows by a table, every other one as always."""
    anything, fax = telephony_event_hook(converter), converter.get_structure_hook(Fax)
    fax_call = converter.get_structure_hook(FaxCall)

    def fax_or_call(row: Any, kind: Any) -> Any:
        return fax(row, kind) if is_fax(row) else fax_call(row, kind)

    common: dict[str, Callable[[Any, Any], Any]] = {
        EventType.PHONE_CALL.value: converter.get_structure_hook(PhoneCall),
        EventType.CLICK_TO_CALL.value: converter.get_structure_hook(ClickToCallCall),
        EventType.FAX_CALL.value: fax_or_call,
    }

    def read(value: Any, kind: Any) -> Any:
        try:
            hook = common[value["type"]] if "id" in value else anything  # which looks into an envelope
        except (KeyError, TypeError):
            return anything(value, kind)
        return hook(value, kind)

    return read
