"""The OpenAPI document, read once for all tests of a process."""

from __future__ import annotations

from typing import Any

import yaml

from voxloud_async import spec

SPEC: dict[str, Any] = yaml.safe_load(spec.text())
SCHEMAS: dict[str, Any] = SPEC["components"]["schemas"]
