"""The Voxloud API as OpenAPI 3.1: `voxloud.yaml`, with comments, and `voxloud.json`, the same for JSON readers."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

__all__ = ["document", "text"]


def text() -> str:
    """Return the OpenAPI document as YAML; parsing it takes a YAML parser, which is not a dependency."""
    return _read("voxloud.yaml")


def document() -> dict[str, Any]:
    """Return the OpenAPI document, parsed."""
    found: dict[str, Any] = json.loads(_read("voxloud.json"))
    return found


def _read(name: str) -> str:
    return resources.files(__name__).joinpath(name).read_text(encoding="utf-8")
