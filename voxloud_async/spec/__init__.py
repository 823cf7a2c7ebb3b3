"""The Voxloud API as OpenAPI 3.1, shipped as text: whoever reads it brings the YAML parser."""

from __future__ import annotations

from importlib import resources

__all__ = ["text"]


def text() -> str:
    """The description of the API, OpenAPI 3.1 in YAML."""
    return resources.files(__name__).joinpath("voxloud.yaml").read_text(encoding="utf-8")
