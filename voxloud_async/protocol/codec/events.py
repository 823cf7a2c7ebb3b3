"""Telephony events, told apart by `type`; faxes by their shape; whatever else comes becomes an `UnknownEvent`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import fields, resolve_types
from cattrs import Converter

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
from .fault import FAULTS, MisplacedError, wire_names
from .objects import keep, structure_hook, wire_object

_BY_TYPE: dict[str, type[Model]] = {
    EventType.PHONE_CALL.value: PhoneCall,
    EventType.FAX_CALL.value: FaxCall,
    EventType.CLICK_TO_CALL.value: ClickToCallCall,
}
_FAX_ONLY = frozenset({"sender", "recipient", "attachment_url"})


def configure(converter: Converter) -> None:
    """Register the union of telephony events, unknown events and live call events."""
    converter.register_structure_hook_func(lambda kind: kind == TelephonyEvent, telephony_event_hook(converter))
    converter.register_structure_hook(UnknownEvent, _unknown_event(converter))
    converter.register_structure_hook(CallEvent, _call_event(converter))


def is_fax(row: dict[str, Any]) -> bool:
    """Whether a row is a fax as webhooks tell it: that and the fax call of a query are unrelated shapes (P15)."""
    return row.get("type") in (None, EventType.FAX_CALL.value) and not _FAX_ONLY.isdisjoint(row)


def typed(row: dict[str, Any], kind: Any) -> dict[str, Any]:
    """The row with the type of its envelope, where only that has one."""
    return row if row.get("type") is not None or kind is None or is_fax(row) else row | {"type": kind}


def telephony_event_hook(converter: Converter) -> Callable[[Any, Any], Any]:
    """The function that reads rows of any kind."""

    def read(value: Any, _: Any) -> Any:
        row = wire_object(value)
        if "id" in row or not isinstance(row.get("data"), dict):
            return converter.structure(row, _event_class(row))
        # "Structured like the ones described in section webhooks" (L779): perhaps with their envelope (T4).
        row = typed(row["data"], row.get("type"))
        try:
            return converter.structure(row, _event_class(row))
        except FAULTS as error:
            raise MisplacedError("data") from error

    return read


def _event_class(row: dict[str, Any]) -> type[Model]:
    kind = row.get("type")
    if not isinstance(kind, str | None):
        return UnknownEvent
    return Fax if is_fax(row) else _BY_TYPE.get(kind or "", UnknownEvent)


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
            except FAULTS:
                continue
            del rest[wire]
        event = UnknownEvent(**fitting)
        keep(event, "extra", Extra(rest))
        keep(event, "nulls", frozenset(names[attribute] for attribute, item in fitting.items() if item is None))
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
