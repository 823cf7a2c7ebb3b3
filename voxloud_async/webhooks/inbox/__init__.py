"""Where deliveries wait between their acknowledgement and their handling, one store a file."""

from __future__ import annotations

from .opening import open_inbox
from .protocol import Counts, DeadLetter, Delivery, Inbox, InboxError, InboxFullError, Lease, Selection

__all__ = [
    "Counts",
    "DeadLetter",
    "Delivery",
    "Inbox",
    "InboxError",
    "InboxFullError",
    "Lease",
    "Selection",
    "open_inbox",
]
