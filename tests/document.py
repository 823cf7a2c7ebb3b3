"""The OpenAPI document, read once for all tests of a process."""

from __future__ import annotations

from typing import Any

from voxloud_async import spec

SPEC: dict[str, Any] = spec.document()
SCHEMAS: dict[str, Any] = SPEC["components"]["schemas"]
