"""Where a receiver is reached: its secret, and the URLs that are told from it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from secrets import token_urlsafe
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..webhooks import WebhookReceiver

_SECRET = "VOXLOUD_WEBHOOK_SECRET"  # noqa: S105 - the variable's name

OF_CALLS = ("CALL_STARTED", "CALL_INCOMING", "CALL_ANSWERED", "CALL_HANGUP", "PHONE_CALL", "CLICK_TO_CALL")
"""The event types that a call is made of."""


def shared_secret() -> str:
    """The secret of a receiver that runs elsewhere; ValueError where there is none."""
    secret = os.environ.get(_SECRET)
    if not secret:
        raise ValueError(f"{_SECRET} is not set (put the secret of the receiver there)")
    return secret


def own_secret() -> str:
    """The secret of a receiver that runs here, by default one for this run alone."""
    return os.environ.get(_SECRET) or token_urlsafe(32)


def callback_urls(receiver: WebhookReceiver, base: str, events: Sequence[str]) -> dict[str, str]:
    """The URL to subscribe for each event type, a known one in whatever case; ValueError for what is none."""
    from ..models import EventType  # noqa: PLC0415 - `--help` does without

    return {str(EventType(each)): receiver.callback_url(base, each) for each in events}
