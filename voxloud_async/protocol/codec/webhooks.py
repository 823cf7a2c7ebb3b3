"""Deliveries, with the documented envelope and without it (anomaly P1)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from cattrs import Converter

from ...models import CallEvent, CallPhase, EventType, TelephonyEvent, UnknownEvent, Webhook
from .events import is_fax, typed
from .fault import FAULTS, MisplacedError
from .objects import keep, unknown_fields, wire_object

_BARE_PHASES = frozenset(phase.value for phase in CallPhase)
_PHASES = _BARE_PHASES | {f"CALL_{phase}" for phase in _BARE_PHASES}
_ENVELOPE = frozenset({"type", "timestamp", "pbx_id", "data"})
_OPTIONAL: dict[str, Any] = {"timestamp": datetime | None, "pbx_id": int | None}


def configure(converter: Converter) -> None:
    """Register the webhook envelope."""
    converter.register_structure_hook(Webhook, _webhook(converter))


def _webhook(converter: Converter) -> Callable[[Any, Any], Webhook]:
    def read(value: Any, _: Any) -> Webhook:
        delivery = wire_object(value)
        return enveloped(delivery) if "data" in delivery else bare(delivery)

    def enveloped(delivery: dict[str, Any]) -> Webhook:
        kind, row = delivery.get("type"), _at("data", wire_object, delivery["data"])
        webhook = Webhook(
            type=_event_type(_own_type(row) if kind is None else kind),
            timestamp=optional("timestamp", delivery),
            pbx_id=optional("pbx_id", delivery),
            data=payload(typed(row, kind)),
        )
        keep(webhook, "extra", unknown_fields({name: item for name, item in delivery.items() if name not in _ENVELOPE}))
        keep(webhook, "nulls", frozenset(name for name in _OPTIONAL if name in delivery and delivery[name] is None))
        return webhook

    def optional(name: str, delivery: dict[str, Any]) -> Any:
        return _at(name, lambda value: converter.structure(value, _OPTIONAL[name]), delivery.get(name))

    def bare(delivery: dict[str, Any]) -> Webhook:
        kind = _event_type(_own_type(delivery))
        data = payload(delivery)
        return Webhook(type=kind, timestamp=data.timestamp, pbx_id=None, data=data)

    def payload(row: dict[str, Any]) -> Any:
        model: Any = CallEvent if _is_call_event(row) else TelephonyEvent
        try:
            return converter.structure(row, model)
        except FAULTS:
            # It happened, whatever its shape: a receiver that refused it would lose it.
            return converter.structure(row, UnknownEvent)

    return read


def _is_call_event(row: dict[str, Any]) -> bool:
    kind = row.get("type")
    return isinstance(kind, str) and kind in _PHASES


def _own_type(row: dict[str, Any]) -> Any:
    return EventType.FAX_CALL.value if is_fax(row) else row.get("type")


def _event_type(word: Any) -> EventType:
    if not isinstance(word, str):
        raise MisplacedError("type") from ValueError("missing" if word is None else "expected a string")
    return EventType(f"CALL_{word}" if word in _BARE_PHASES else word)


def _at(path: str, read: Callable[[Any], Any], value: Any) -> Any:
    try:
        return read(value)
    except FAULTS as error:
        raise MisplacedError(path) from error
