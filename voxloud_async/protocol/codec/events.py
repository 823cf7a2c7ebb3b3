"""Telephony events, told apart by `type`; faxes by their shape; whatever else comes becomes an `UnknownEvent`."""

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
    Model,
    PhoneCall,
    TelephonyEvent,
    UnknownEvent,
)
from ..page import ListedEvent
from .fault import FAULTS, MisplacedError, locate
from .objects import keep, structure_hook, tolerant_hook, wire_object

_BY_TYPE: dict[str, type[Model]] = {
    EventType.PHONE_CALL.value: PhoneCall,
    EventType.FAX_CALL.value: FaxCall,
    EventType.CLICK_TO_CALL.value: ClickToCallCall,
}
_FAX_ONLY = frozenset({"sender", "recipient", "attachment_url"})


def configure(converter: Converter) -> None:
    """Register the union of telephony events, unknown events and live call events."""
    converter.register_structure_hook_func(lambda kind: kind == TelephonyEvent, telephony_event_hook(converter))
    converter.register_structure_hook(UnknownEvent, tolerant_hook(UnknownEvent, converter))
    converter.register_structure_hook(ListedEvent, _listed_event(converter))
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
        outer = wire_object(value)
        row = without_envelope(outer)
        if row is outer:
            return converter.structure(row, event_class(row))
        try:
            return converter.structure(row, event_class(row))
        except FAULTS as error:
            raise MisplacedError("data") from error

    return read


def without_envelope(row: dict[str, Any]) -> dict[str, Any]:
    """The record itself, which may come in the envelope of a webhook (anomaly T4)."""
    if "id" in row or not isinstance(row.get("data"), dict):
        return row
    return typed(row["data"], row.get("type"))


def event_class(row: dict[str, Any]) -> type[Model]:
    """The class that a row names, `UnknownEvent` where it names none that is documented."""
    kind = row.get("type")
    if not isinstance(kind, str | None):
        return UnknownEvent
    return Fax if is_fax(row) else _BY_TYPE.get(kind or "", UnknownEvent)


def _listed_event(converter: Converter) -> Callable[[Any, Any], Any]:
    """The function that reads a row of a list, which takes no other row with it where it does not fit."""
    read = telephony_event_hook(converter)

    def read_or_keep(value: Any, kind: Any) -> Any:
        try:
            return read(value, kind)
        except FAULTS as error:
            row = value if isinstance(value, dict) else {"value": value}
            return misfit(without_envelope(row), error, converter)

    return read_or_keep


def misfit(row: dict[str, Any], error: BaseException, converter: Converter) -> UnknownEvent:
    """The row as an `UnknownEvent` that says where and why it does not fit its class."""
    path, reason = locate(error)
    event = converter.structure(row, UnknownEvent)
    keep(event, "misfit", f"{path}: {reason}" if path else reason)
    return event


def _call_event(converter: Converter) -> Callable[[Any, Any], CallEvent]:
    plain = structure_hook(CallEvent, converter)
    return lambda value, kind: plain(with_phase(wire_object(value)), kind)


def with_phase(row: dict[str, Any]) -> dict[str, Any]:
    """The row of a live event, whose type may be the envelope's word for its phase (P2)."""
    phase = row.get("type")
    if isinstance(phase, str) and phase.startswith("CALL_"):
        return row | {"type": phase.removeprefix("CALL_")}
    return row
