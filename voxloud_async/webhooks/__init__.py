"""Deliveries of the service: bytes to events. It signs nothing: that a delivery parses does not prove who sent it."""

from __future__ import annotations

from .calls import Call, CallBook, CallState, Leg
from .parse import parse_webhook

__all__ = ["Call", "CallBook", "CallState", "Leg", "parse_webhook"]
