"""What the generator is given: the schemas that become classes, and what the templates say about their fields."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import yaml
from attrs import frozen

from voxloud_async import spec

HERE = Path(__file__).parent

_SCHEMAS = "#/components/schemas/"
# The generator would make constrained types of these; a reader of answers keeps what it is sent.
_CONSTRAINTS = frozenset({"maximum", "maxLength", "minimum", "minLength", "pattern"})


@frozen(kw_only=True)
class Config:
    """`config.toml`, which tells its tables itself."""

    modules: dict[str, list[str]]
    sections: dict[str, str]
    replaced: dict[str, str]
    types: dict[str, str]
    bases: dict[str, str]
    exports: dict[str, list[str]]

    @classmethod
    def load(cls) -> Config:
        """Read the file beside this module."""
        return cls(**tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8")))

    def names(self) -> list[str]:
        """The schemas that become classes."""
        return [name for names in self.modules.values() for name in names]

    def dotted(self, name: str) -> str:
        """The name of a schema after its module, which tells the generator the file."""
        module = next(module for module, names in self.modules.items() if name in names)
        return f"{module}.{name}"


def spec_json() -> str:
    """The spec as JSON, for readers without a YAML parser."""
    return json.dumps(yaml.safe_load(spec.text()), ensure_ascii=False, indent=2) + "\n"


def schemas() -> dict[str, Any]:
    """The schemas of the spec by name."""
    found: dict[str, Any] = yaml.safe_load(spec.text())["components"]["schemas"]
    return found


def document(config: Config) -> dict[str, Any]:
    """An OpenAPI document of the schemas that become classes, and of nothing else."""
    known = schemas()
    classes = {config.dotted(name): _class(known[name], name, config) for name in config.names()}
    info = {"title": "models", "version": "1"}
    return {"openapi": "3.1.0", "info": info, "paths": {}, "components": {"schemas": classes}}


def template_data(config: Config) -> dict[str, dict[str, Any]]:
    """What the templates look up for each class: the metadata of its fields and the meanings of its values."""
    known = schemas()
    return {_SCHEMAS + config.dotted(name): _said_of(known[name]) for name in config.names()}


def _said_of(schema: dict[str, Any]) -> dict[str, Any]:
    return {"facts": _facts(schema), "meanings": schema.get("x-descriptions"), "use_single_line_docstring": True}


def _facts(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    properties = schema.get("properties", {})
    return {wire: _metadata(wire, properties) for wire in properties}


def _metadata(wire: str, properties: dict[str, Any]) -> dict[str, Any]:
    described = properties[wire]
    aliases = tuple(name for name, other in properties.items() if other.get("x-alias-of") == wire)
    facts = {"aliases": aliases, "case": described.get("x-wire-case"), "personal": described.get("x-personal")}
    return {"wire": wire} | {key: value for key, value in facts.items() if value}


def _class(schema: dict[str, Any], name: str, config: Config) -> dict[str, Any]:
    described: dict[str, Any] = _plain(schema, config)
    described |= {"description": _docstring(schema), "customBasePath": config.bases.get(name, config.bases["default"])}
    if "properties" in schema:
        described["properties"] = _fields(schema["properties"], config)
    return described


def _fields(properties: dict[str, Any], config: Config) -> dict[str, Any]:
    own = {wire: described for wire, described in properties.items() if "x-alias-of" not in described}
    return {wire: _plain(field, config) | {"description": _docstring(field)} for wire, field in own.items()}


def _docstring(described: dict[str, Any]) -> str:
    return f"{described['description']} API text, line {described['x-line']}."


def _plain(node: Any, config: Config) -> Any:
    """A copy that says what the generator understands: no extensions, no constraints, our types named."""
    if isinstance(node, list):
        return [_plain(item, config) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _reference(node["$ref"].removeprefix(_SCHEMAS), config)
    if "x-value-of" in node:
        return _reference(node["x-value-of"], config)
    understood = (key for key in node if not key.startswith("x-") and key not in _CONSTRAINTS)
    return {key: _plain(node[key], config) for key in understood}


def _reference(name: str, config: Config) -> dict[str, str]:
    if name in config.types:
        return {"type": "string", "customTypePath": config.types[name]}
    return {"$ref": _SCHEMAS + config.dotted(config.replaced.get(name, name))}
