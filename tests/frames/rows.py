"""Rows of the service, and pages of them."""

from __future__ import annotations

import json
from typing import Any

CALL = {"id": 1, "type": "PHONE_CALL", "timestamp": "2026-06-30T10:00:00.123+0200"}


def page(*rows: Any, **envelope: Any) -> bytes:
    return json.dumps({"content": rows, "last": True, **envelope}).encode()
