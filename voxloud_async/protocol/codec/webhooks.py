"""Deliveries, with the documented envelope and without it (anomaly P1).

A delivery is read as far as it can be: the service documents no retry, so what a receiver refuses may be lost. A field
of the wrong type costs that field alone: it is None, and stays in `extra` under its wire name.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeVar, cast

from cattrs import Converter

from ...models import (
    CallEvent,
    CallPhase,
    ClickToCallCall,
    EventType,
    Extra,
    Fax,
    FaxCall,
    Model,
    PhoneCall,
    UnknownEvent,
    Webhook,
)
from .events import event_class, is_fax, misfit, with_phase
from .fault import FAULTS, MisplacedError
from .objects import keep, kept, tolerant_hook, wire_object

M = TypeVar("M", bound=Model)

_BARE_PHASES = frozenset(phase.value for phase in CallPhase)
_PHASES = _BARE_PHASES | {f"CALL_{phase}" for phase in _BARE_PHASES}
_OPTIONAL: dict[str, Any] = {"timestamp": datetime | None, "pbx_id": int | None}
_SHAPES = (
    (EventType.CLICK_TO_CALL.value, frozenset({"clickToCallType", "queueCallId"})),
    (EventType.PHONE_CALL.value, frozenset({"lastEvent", "answererNumber", "answererName", "maskCallerNumber"})),
)
"""Fields that records of one type alone have, by which one is known that names no type (anomaly P3)."""


def configure(converter: Converter) -> None:
    """Register the webhook envelope."""
    reader = _Reader(converter)
    converter.register_structure_hook(Webhook, lambda value, _: reader.read(wire_object(value)))


class _Reader:
    """Reads deliveries: as strictly as ever, and where that fails field by field."""

    def __init__(self, converter: Converter) -> None:
        kinds: tuple[type[Model], ...] = (CallEvent, PhoneCall, ClickToCallCall, FaxCall, Fax)
        self._converter = converter
        self._tolerant: dict[type[Model], Callable[[Any, Any], Any]] = {
            kind: tolerant_hook(kind, converter) for kind in kinds
        }

    def read(self, delivery: dict[str, Any]) -> Webhook:
        return self._enveloped(delivery) if _is_enveloped(delivery) else self._bare(delivery)

    def _enveloped(self, delivery: dict[str, Any]) -> Webhook:
        try:
            data = wire_object(delivery["data"])
        except TypeError as error:
            raise MisplacedError("data") from error
        rest = {name: item for name, item in delivery.items() if name != "data"}
        fitting = {name: self._optional(name, rest) for name in _OPTIONAL}
        named = rest.pop("type") if isinstance(rest.get("type"), str) else None
        row = _typed(data, named)
        kind = _event_type(named if named is not None else _own_type(row))
        webhook = Webhook(type=kind, data=self._event(row, data, delivery.get("timestamp")), **fitting)
        keep(webhook, "extra", Extra({name: kept(item) for name, item in rest.items()}))
        keep(webhook, "nulls", frozenset(name for name in _OPTIONAL if name in delivery and delivery[name] is None))
        return webhook

    def _bare(self, delivery: dict[str, Any]) -> Webhook:
        row = _typed(delivery, None)
        kind = _event_type(_own_type(row))
        data = self._event(row, delivery, None)
        return Webhook(type=kind, timestamp=data.timestamp, pbx_id=None, data=data)

    def _optional(self, name: str, rest: dict[str, Any]) -> Any:
        """Take a field of the envelope out, unless it does not fit."""
        try:
            value = self._converter.structure(rest.get(name), _OPTIONAL[name])
        except FAULTS:
            return None
        rest.pop(name, None)
        return value

    def _event(self, row: dict[str, Any], sent: dict[str, Any], time: Any) -> Any:
        kind = CallEvent if row.get("type") in _PHASES else event_class(row)
        try:
            event = self._converter.structure(row, kind)
        except FAULTS as error:
            event = self._live_event(row, time, error) if kind is CallEvent else self._tolerant[kind](row, kind)
        return event if sent.get("type") == row.get("type") else _with_extra(event, "type", sent.get("type"))

    def _live_event(self, row: dict[str, Any], time: Any, error: Exception) -> CallEvent | UnknownEvent:
        """A live event must have a time, for which that of its envelope will do (anomaly P20)."""
        read = self._tolerant[CallEvent]
        with suppress(TypeError):
            return cast("CallEvent", read(with_phase(row), CallEvent))
        try:
            event: CallEvent = read(with_phase(row | {"timestamp": time}), CallEvent)
        except TypeError:
            return misfit(row, error, self._converter)
        return _with_extra(event, "timestamp", row.get("timestamp"))


def _with_extra(event: M, name: str, item: Any) -> M:
    """Keep in `extra` what was sent in place of a field, unless that was nothing."""
    if item is not None:
        keep(event, "extra", Extra({**event.extra, name: kept(item)}))
    return event


def _is_enveloped(delivery: dict[str, Any]) -> bool:
    """Whether it is an envelope, and not a record with an undocumented field `data`."""
    return "data" in delivery and (isinstance(delivery["data"], dict) or "callId" not in delivery)


def _typed(row: dict[str, Any], named: str | None) -> dict[str, Any]:
    """The row with the type that it lacks: its envelope's, or that of its shape."""
    if isinstance(row.get("type"), str):
        return row
    untyped = {name: item for name, item in row.items() if name != "type"}
    if is_fax(untyped):
        return untyped
    kind = named or next((kind for kind, fields in _SHAPES if not fields.isdisjoint(row)), None)
    return untyped if kind is None else untyped | {"type": kind}


def _own_type(row: dict[str, Any]) -> str | None:
    return EventType.FAX_CALL.value if is_fax(row) else row.get("type")


def _event_type(word: str | None) -> EventType:
    if word is None:
        raise MisplacedError("type") from ValueError("missing")
    return EventType(f"CALL_{word}" if word in _BARE_PHASES else word)
