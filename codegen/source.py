"""What the generator is given: the schemas that become classes, and what the templates say about their fields."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import yaml
from attrs import frozen

from voxloud_async import spec

HERE = Path(__file__).parent

_SCHEMAS = "#/components/schemas/"
# The generator would make literals or constrained types of these; a reader of answers keeps what it is sent.
_CONSTRAINTS = frozenset({"const", "maximum", "maxLength", "minimum", "minLength", "pattern"})


@frozen(kw_only=True)
class Config:
    """`config.toml`, which tells its tables itself."""

    modules: dict[str, list[str]]
    replaced: dict[str, str]
    types: dict[str, str]
    bases: dict[str, str]
    exports: dict[str, list[str]]

    @classmethod
    def load(cls) -> Config:
        """Read the file beside this module."""
        return cls(**tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8")))

    def dotted(self, name: str) -> str:
        """The name of a schema after its module, which tells the generator the file."""
        module = next(module for module, names in self.modules.items() if name in names)
        return f"{module}.{name}"


def schemas() -> dict[str, Any]:
    """The schemas of the spec by name."""
    found: dict[str, Any] = yaml.safe_load(spec.text())["components"]["schemas"]
    return found


def document(config: Config) -> dict[str, Any]:
    """An OpenAPI document of the schemas that become classes, and of nothing else."""
    known = schemas()
    chosen = {
        config.dotted(name): _class(known[name], name, config) for names in config.modules.values() for name in names
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "models", "version": "1"},
        "paths": {},
        "components": {"schemas": chosen},
    }


def template_data(config: Config) -> dict[str, dict[str, Any]]:
    """What the templates look up for each class: the metadata of its fields, or the meanings of its values."""
    known = schemas()
    return {
        _SCHEMAS + config.dotted(name): {
            "facts": _facts(known[name]),
            "meanings": known[name].get("x-descriptions", []),
        }
        for names in config.modules.values()
        for name in names
    }


def _facts(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    properties = schema.get("properties", {})
    return {wire: _metadata(wire, properties) for wire in properties}


def _metadata(wire: str, properties: dict[str, Any]) -> dict[str, Any]:
    described = properties[wire]
    aliases = tuple(name for name, other in properties.items() if other.get("x-alias-of") == wire)
    facts = {"aliases": aliases, "case": described.get("x-wire-case"), "personal": described.get("x-personal")}
    return {"wire": wire} | {key: value for key, value in facts.items() if value}


def _class(schema: dict[str, Any], name: str, config: Config) -> dict[str, Any]:
    cut = _plain(schema, config)
    cut["customBasePath"] = config.bases.get(name, config.bases["default"])
    if "properties" in schema:
        cut["properties"] = {
            wire: _plain(described, config) | {"description": _docstring(described)}
            for wire, described in schema["properties"].items()
            if "x-alias-of" not in described
        }
    cut["description"] = _docstring(schema)
    return cut


def _docstring(described: dict[str, Any]) -> str:
    return f"{described['description']} API text, line {described['x-line']}."


def _plain(node: Any, config: Config) -> Any:
    """A copy that says what the generator understands: no extensions, no constraints, our types named."""
    if isinstance(node, list):
        return [_plain(item, config) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {
        key: _plain(value, config)
        for key, value in node.items()
        if not key.startswith("x-") and key not in _CONSTRAINTS
    }
    return kept | _reference(kept.pop("$ref").removeprefix(_SCHEMAS), config) if "$ref" in kept else kept


def _reference(name: str, config: Config) -> dict[str, str]:
    if name in config.types:
        return {"type": "string", "customTypePath": config.types[name]}
    return {"$ref": _SCHEMAS + config.dotted(config.replaced.get(name, name))}
