"""Bytes of a delivery to a `Webhook`. Pure."""

from __future__ import annotations

from typing import cast

from ..errors import DecodeError, WebhookError
from ..models import Webhook
from ..protocol import codec

MAX_BODY = 512 * 1024
"""A transcription of 65,535 characters, every one escaped, is 393 kB."""


def parse_webhook(body: bytes) -> Webhook:
    """Read a delivery, with or without the documented envelope (anomaly P1).

    An event of an unknown type, or one that does not fit its type, becomes an `UnknownEvent` that keeps everything.
    Raises `WebhookError` for what is no webhook: broken JSON, no object, no type, more than 512 KiB. API: Webhooks.
    """
    if len(body) > MAX_BODY:
        raise WebhookError(f"the delivery is larger than {MAX_BODY} bytes")
    try:
        return cast("Webhook", codec.decode(bytes(body), Webhook))
    except DecodeError as error:
        raise WebhookError(str(error)) from None
