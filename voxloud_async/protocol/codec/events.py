"""Telephony events, told apart by `type`; faxes by their shape; whatever else comes becomes an `UnknownEvent`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import fields, resolve_types
from cattrs import Converter
from cattrs.errors import BaseValidationError

from ...models import (
    CallEvent,
    ClickToCallCall,
    EventType,
    Extra,
    Fax,
    FaxCall,
    Model,
    PhoneCall,
    TelephonyEvent,
    UnknownEvent,
)
from .fault import wire_names
from .objects import keep, structure_hook, wire_object

_BY_TYPE: dict[str, type[Model]] = {
    EventType.PHONE_CALL.value: PhoneCall,
    EventType.FAX_CALL.value: FaxCall,
    EventType.CLICK_TO_CALL.value: ClickToCallCall,
}
_FAX_ONLY = frozenset({"sender", "recipient", "attachment_url"})
_FAULTS = (TypeError, ValueError, KeyError, BaseValidationError)


def configure(converter: Converter) -> None:
    """Register the union of telephony events, unknown events and live call events."""
    converter.register_structure_hook_func(lambda kind: kind == TelephonyEvent, _telephony_event(converter))
    converter.register_structure_hook(UnknownEvent, _unknown_event(converter))
    converter.register_structure_hook(CallEvent, _call_event(converter))


def _telephony_event(converter: Converter) -> Callable[[Any, Any], Any]:
    def read(value: Any, _: Any) -> Any:
        row = wire_object(value)
        if isinstance(row.get("data"), dict):
            # "Structured like the ones described in section webhooks" (L779): perhaps with their envelope (T4).
            row = row["data"]
        return converter.structure(row, _event_class(row))

    return read


def _event_class(row: dict[str, Any]) -> type[Model]:
    # A fax delivered by webhook and a fax call of the query are two unrelated shapes (P15).
    if _FAX_ONLY.intersection(row):
        return Fax
    kind = row.get("type")
    return _BY_TYPE.get(kind, UnknownEvent) if isinstance(kind, str) else UnknownEvent


def _unknown_event(converter: Converter) -> Callable[[Any, Any], UnknownEvent]:
    """What does not fit an attribute stays in `extra`: an event nobody documented must not stop a stream."""
    resolve_types(UnknownEvent)
    kinds: dict[str, Any] = {field.name: field.type for field in fields(UnknownEvent)}
    names = wire_names(UnknownEvent)

    def read(value: Any, _: Any) -> UnknownEvent:
        rest = dict(wire_object(value))
        fitting = {}
        for attribute, wire in names.items():
            try:
                fitting[attribute] = converter.structure(rest[wire], kinds[attribute])
            except _FAULTS:
                continue
            del rest[wire]
        event = UnknownEvent(**fitting)
        keep(event, "extra", Extra(rest))
        return event

    return read


def _call_event(converter: Converter) -> Callable[[Any, Any], CallEvent]:
    plain = structure_hook(CallEvent, converter)

    def read(value: Any, kind: Any) -> CallEvent:
        row = wire_object(value)
        phase = row.get("type")
        if isinstance(phase, str) and phase.startswith("CALL_"):  # the envelope's word for the same thing (P2)
            row = row | {"type": phase.removeprefix("CALL_")}
        return plain(row, kind)

    return read
