"""Deliveries as the service makes them, and receivers to take them in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from voxloud_async.webhooks import WebhookReceiver
from voxloud_async.webhooks.inbox.protocol import Delivery
from voxloud_async.webhooks.intake import delivery_of
from voxloud_async.webhooks.parse import parse_webhook

SECRET = "a-secret-of-the-tests-that-is-long-enough"
OTHER_SECRET = b"another-secret-of-the-tests-long-enough"
NOON = 1767362400000
PBX = 117

SAMPLES = Path(__file__).parent.parent / "samples"
BODIES = ("webhook_call_started", "call_incoming", "phone_call", "fax", "click_to_call_record")


def sample(name: str) -> bytes:
    """A documented payload, byte for byte."""
    return (SAMPLES / f"{name}.json").read_bytes()


def packed(value: object) -> bytes:
    return json.dumps(value).encode()


def call_event(call_id: str = "c1", phase: str = "INCOMING", *, at: int = 0, **fields: Any) -> dict[str, Any]:
    """A live event, `at` milliseconds after noon."""
    return {"timestamp": NOON + at, "callId": call_id, "type": phase, "userExtension": 102, **fields}


def enveloped(data: dict[str, Any], kind: str | None = None, **fields: Any) -> bytes:
    """A delivery in the documented envelope."""
    kind = kind or f"CALL_{data['type']}"
    return packed({"timestamp": data.get("timestamp", NOON), "type": kind, "data": data, "pbx_id": PBX, **fields})


def incoming(call_id: str = "c1", **fields: Any) -> bytes:
    """A delivery of an incoming call."""
    return enveloped(call_event(call_id, **fields))


def record(number: int = 1, **fields: Any) -> dict[str, Any]:
    """The record of a phone call."""
    return {
        "id": number,
        "type": "PHONE_CALL",
        "callId": f"call-{number}",
        "timestamp": NOON,
        "direction": "INBOUND",
        "originatorNumber": "+390612345678",
        "destinationNumber": "102",
        "duration": 12,
        **fields,
    }


def stored(body: bytes, received: float = 0.0, **facts: Any) -> Delivery:
    """A delivery as it lies in an inbox."""
    return delivery_of(parse_webhook(body), body, received, **facts)


def receiver(**options: Any) -> WebhookReceiver:
    """A receiver with the secret of the tests."""
    return WebhookReceiver(**{"secret": SECRET, **options})
