"""Bytes of a delivery to a `Webhook`. Pure."""

from __future__ import annotations

from typing import Any, cast

from .._tracebacks import without_frames
from ..errors import DecodeError, WebhookError
from ..models import Webhook
from ..protocol import codec, jsontext

MAX_BODY = 512 * 1024
"""A transcription of 65,535 characters, every one escaped, is 393 kB."""

MAX_DEPTH = 32
"""The documented payloads nest three levels: envelope, data, labels."""

MAX_INTEGER = 2**63 - 1
"""Ids and times of the service fit into 64 bits, and so do the columns that they end in."""


@without_frames
def parse_webhook(body: bytes) -> Webhook:
    """Read a delivery, with or without the documented envelope (anomaly P1).

    An event of an unknown type, or one that does not fit its type, becomes an `UnknownEvent` that keeps everything.
    Raises `WebhookError` for what is no webhook: broken JSON, no object, no type, more than 512 KiB, more than 32
    levels, a number beyond 64 bits; and TypeError for what is no bytes. API: Webhooks.
    """
    if not isinstance(body, bytes | bytearray | memoryview):
        raise TypeError(f"body must be bytes, not {type(body).__name__}")
    if len(body) > MAX_BODY:
        raise WebhookError(f"the delivery is larger than {MAX_BODY} bytes")
    value = _read(bytes(body))
    _bound(value)
    try:
        return cast("Webhook", codec.structure(value, Webhook))
    except DecodeError as error:
        raise WebhookError(str(error)) from None


def _read(text: bytes) -> Any:
    try:
        return jsontext.loads(text)
    except ValueError:  # its text would show a part of the body
        raise WebhookError("the delivery is no JSON") from None


def _bound(value: Any) -> None:
    """Refuse absurd nesting and numbers, one level after the other and without recursion."""
    level: list[Any] = [[value]]
    for _ in range(MAX_DEPTH + 1):
        level = [inner for container in level for inner in _containers(container)]
        if not level:
            return
    raise WebhookError(f"the delivery is nested more than {MAX_DEPTH} levels deep")


def _containers(container: Any) -> list[Any]:
    items = container.values() if isinstance(container, dict) else container
    if any(isinstance(item, int) and not -MAX_INTEGER <= item <= MAX_INTEGER for item in items):
        raise WebhookError("the delivery holds a number beyond 64 bits")
    return [item for item in items if isinstance(item, dict | list)]
