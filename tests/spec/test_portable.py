"""The document stays within what every YAML parser reads and every generator of clients understands."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import yaml

from tests.document import SCHEMAS, SPEC
from voxloud_async import spec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ANNOTATIONS = {"$ref", "description", "default"}
"""What may stand beside a `$ref`: a generator that ignores it is right about the type all the same."""

OTHERWISE_IN_YAML_1_2 = re.compile(
    r"y|n|yes|no|on|off"  # booleans of YAML 1.1
    r"|[-+]?0[0-7_]+|[-+]?[0-9][0-9_]*_[0-9_]*"  # octal numbers, and underscores in numbers
    r"|[-+]?[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?"  # numbers to the base of 60
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*",  # dates
    re.IGNORECASE,
)


def nodes(node: Any = SPEC) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from nodes(child)


def colliding(names: Iterable[str]) -> list[str]:
    """Names that are one name in a language that folds case or drops underscores."""
    counts = Counter(re.sub(r"[^a-z0-9]", "", name.casefold()) for name in names)
    return [name for name, count in counts.items() if count > 1]


def test_the_yaml_has_neither_anchors_nor_merge_keys() -> None:
    tokens = list(yaml.scan(spec.text()))
    assert not [each for each in tokens if isinstance(each, yaml.AnchorToken | yaml.AliasToken | yaml.TagToken)]
    assert not [each for each in tokens if isinstance(each, yaml.ScalarToken) and each.value == "<<"]


def test_the_yaml_means_the_same_in_yaml_1_1_and_1_2() -> None:
    plain = [each for each in yaml.scan(spec.text()) if isinstance(each, yaml.ScalarToken) and each.plain]
    assert not [each.value for each in plain if OTHERWISE_IN_YAML_1_2.fullmatch(each.value)]


def test_the_json_is_the_same_document() -> None:
    assert spec.document() == yaml.safe_load(spec.text())


def test_no_names_are_one_where_case_is_folded() -> None:
    for name, schema in SCHEMAS.items():
        assert colliding(schema.get("enum", ())) == [], name
        assert colliding(schema.get("properties", ())) == [], name
    assert colliding(SCHEMAS) == []
    operations = [node["operationId"] for node in nodes() if "operationId" in node]
    assert colliding(operations) == []


def test_beside_a_reference_there_are_annotations_alone() -> None:
    for node in nodes():
        if "$ref" in node:
            assert {key for key in node if not key.startswith("x-")} <= ANNOTATIONS, node


def test_every_type_is_one_word() -> None:
    assert not [node for node in nodes() if isinstance(node.get("type"), list)]


def test_every_reference_leads_to_a_component() -> None:
    for node in nodes():
        if "$ref" in node:
            _, components, kind, name = node["$ref"].split("/")
            assert name in SPEC[components][kind], node


def test_an_enum_that_a_value_belongs_to_has_it() -> None:
    found = [node for node in nodes() if "x-value-of" in node]
    assert len(found) == 4
    assert all(set(node["enum"]) <= set(SCHEMAS[node["x-value-of"]]["enum"]) for node in found)
