"""Deliveries, with the documented envelope and without it (anomaly P1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cattrs import Converter
from cattrs.errors import BaseValidationError

from ...models import CallEvent, CallPhase, EventType, Extra, TelephonyEvent, UnknownEvent, Webhook
from .fault import MisplacedError
from .objects import keep, wire_object
from .scalars import moment

_BARE_PHASES = frozenset(phase.value for phase in CallPhase)
_PHASES = _BARE_PHASES | {f"CALL_{phase}" for phase in _BARE_PHASES}
_FAULTS = (TypeError, ValueError, KeyError, BaseValidationError)
_ENVELOPE = frozenset({"type", "timestamp", "pbx_id", "data"})


def configure(converter: Converter) -> None:
    """Register the webhook envelope."""
    converter.register_structure_hook(Webhook, _webhook(converter))


def _webhook(converter: Converter) -> Callable[[Any, Any], Webhook]:
    def read(value: Any, _: Any) -> Webhook:
        delivery = wire_object(value)
        return enveloped(delivery) if "data" in delivery else bare(delivery)

    def enveloped(delivery: dict[str, Any]) -> Webhook:
        kind = delivery.get("type")
        data = payload(delivery["data"], kind)
        webhook = Webhook(
            type=_event_type(kind if kind is not None else _own_type(delivery["data"])),
            timestamp=_at("timestamp", moment, delivery.get("timestamp")),
            pbx_id=_at("pbx_id", lambda item: converter.structure(item, int), delivery.get("pbx_id")),
            data=data,
        )
        keep(webhook, "extra", Extra({name: item for name, item in delivery.items() if name not in _ENVELOPE}))
        return webhook

    def bare(delivery: dict[str, Any]) -> Webhook:
        data = payload(delivery, None)
        return Webhook(type=_event_type(_own_type(delivery)), timestamp=data.timestamp, pbx_id=None, data=data)

    def payload(row: Any, kind: Any) -> Any:
        model: Any = CallEvent if _is_call_event(wire_object(row), kind) else TelephonyEvent
        try:
            return converter.structure(row, model)
        except _FAULTS:
            # It happened, whatever its shape: a receiver that refused it would lose it.
            return converter.structure(row, UnknownEvent)

    return read


def _is_call_event(row: dict[str, Any], kind: Any) -> bool:
    return row.get("type", kind) in _PHASES


def _own_type(row: dict[str, Any]) -> Any:
    return row.get("type", EventType.FAX_CALL.value if "sender" in row else None)


def _event_type(word: Any) -> EventType:
    if not isinstance(word, str):
        raise MisplacedError("type") from ValueError("missing" if word is None else "expected a string")
    return EventType(f"CALL_{word}" if word in _BARE_PHASES else word)


def _at(path: str, read: Callable[[Any], Any], value: Any) -> Any:
    if value is None:
        return None
    try:
        return read(value)
    except _FAULTS as error:
        raise MisplacedError(path) from error
