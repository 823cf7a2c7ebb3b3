"""Deliveries folded into calls: whatever came, in whichever order, a call looks the same. No I/O."""

from __future__ import annotations

from .book import CallBook
from .model import Call, CallState, Leg
from .stream import calls

__all__ = ["Call", "CallBook", "CallState", "Leg", "calls"]
