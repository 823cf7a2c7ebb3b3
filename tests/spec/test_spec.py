"""The spec describes the whole text: every operation, every field, every example, and says where it departs from it."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.document import SCHEMAS, SPEC

if TYPE_CHECKING:
    from collections.abc import Iterator

SAMPLES = Path(__file__).parent.parent / "samples"
INDEX: list[dict[str, Any]] = json.loads((SAMPLES / "index.json").read_text(encoding="utf-8"))
VERBS = {"get", "put", "post", "delete"}
LINES_OF_THE_TEXT = 913

UPDATES = {"updateContact": "updateContactByPost", "updateWebhookSubscription": "updateWebhookSubscriptionByPost"}

sampled = pytest.mark.parametrize("sample", INDEX, ids=lambda sample: sample["file"])


def operations() -> dict[str, dict[str, Any]]:
    items = (item for path in SPEC["paths"].values() for item in path.items())
    return {operation["operationId"]: operation for verb, operation in items if verb in VERBS}


def webhook(name: str) -> dict[str, Any]:
    item = SPEC["webhooks"][name]
    described = SPEC["components"]["pathItems"][item["$ref"].rpartition("/")[2]] if "$ref" in item else item
    found: dict[str, Any] = described["post"]
    return found


def content(holder: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = holder["content"]["application/json"]["schema"]
    return schema


def schema_of(sample: dict[str, Any]) -> dict[str, Any]:
    match sample["kind"]:
        case "answer":
            return content(operations()[sample["operation"]]["responses"]["200"])
        case "request":
            return content(operations()[sample["operation"]]["requestBody"])
        case _:
            return content(webhook(sample["operation"])["requestBody"])


def read(sample: dict[str, Any]) -> Any:
    return json.loads((SAMPLES / sample["file"]).read_text(encoding="utf-8"))


def objects(sample: dict[str, Any]) -> list[dict[str, Any]]:
    body = read(sample)
    match sample["envelope"]:
        case None:
            return [body]
        case "array":
            return list(body)
        case key:
            return list(body[key])


def validator(schema: dict[str, Any]) -> OAS31Validator:
    root = Resource.from_contents(SPEC, default_specification=DRAFT202012)
    return OAS31Validator({"$ref": "urn:spec"} | absolute(schema), registry=Registry().with_resource("urn:spec", root))


def absolute(node: Any) -> Any:
    if isinstance(node, list):
        return [absolute(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {key: f"urn:spec{value}" if key == "$ref" else absolute(value) for key, value in node.items()}


def nodes(node: Any = SPEC) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from nodes(child)


def deviations() -> list[dict[str, Any]]:
    found = [node["x-deviation"] for node in nodes() if "x-deviation" in node]
    return [one for some in found for one in (some if isinstance(some, list) else [some])]


def test_it_is_valid_openapi() -> None:
    validate(SPEC)


def test_an_invalid_description_is_told() -> None:
    broken = copy.deepcopy(SPEC)
    del broken["info"]["title"]
    with pytest.raises(Exception, match="title"):
        validate(broken)


def test_the_21_operations_are_the_20_headings_and_the_csv_of_the_query() -> None:
    headings = [operation for operation in operations().values() if "x-variant-of" not in operation]
    names = {name for operation in headings for name in operation.get("x-representations", {}).values()}
    assert len(headings) == 20
    assert len(names | {operation["operationId"] for operation in headings}) == 21
    assert set(operations()["queryTelephonyEvents"]["responses"]["200"]["content"]) == {"application/json", "text/csv"}


@pytest.mark.parametrize(("first", "second"), UPDATES.items())
def test_c1_w4_both_verbs_of_an_update_take_and_give_the_same(first: str, second: str) -> None:
    put, post = operations()[first], operations()[second]
    assert post["x-variant-of"] == first
    assert put["requestBody"] == post["requestBody"]
    assert put["responses"] == post["responses"]
    assert {"C1", "W4"} & {deviation["id"] for deviation in put["x-deviation"]}


def test_every_operation_describes_its_refusals() -> None:
    for operation in operations().values():
        assert {"400", "401", "403", "405", "406", "429", "500", "503"} <= set(operation["responses"])


def test_an_operation_on_one_object_may_miss_it() -> None:
    for path, item in SPEC["paths"].items():
        verbs = [operation for verb, operation in item.items() if verb in VERBS]
        assert all("404" in operation["responses"] for operation in verbs if "{id}" in path)


def test_g7_a_delete_may_answer_without_a_body() -> None:
    deletes = [operation for name, operation in operations().items() if name.startswith("delete")]
    assert len(deletes) == 3
    for operation in deletes:
        assert "204" in operation["responses"]
        assert "content" not in operation["responses"]["200"]


def test_g2_every_operation_carries_the_key() -> None:
    assert SPEC["security"] == [{"ApiKey": []}]
    assert SPEC["components"]["securitySchemes"]["ApiKey"]["name"] == "Voverc-Auth"
    assert not any("security" in operation for operation in operations().values())


def test_every_event_type_has_its_webhook() -> None:
    assert set(SPEC["webhooks"]) == set(SCHEMAS["EventType"]["enum"])


def test_every_field_says_what_it_is_and_where_it_stands() -> None:
    for name, schema in SCHEMAS.items():
        for field, described in schema.get("properties", {}).items():
            assert described["description"].endswith("."), (name, field)
            assert 1 <= described["x-line"] <= LINES_OF_THE_TEXT, (name, field)


def test_every_deviation_says_its_anomaly_its_line_and_its_reason() -> None:
    assert len(deviations()) > 80
    for deviation in deviations():
        assert set(deviation) == {"id", "line", "reason"}
        assert re.fullmatch(r"[GCUWPTK]\d{1,2}", deviation["id"])
        assert 1 <= deviation["line"] <= LINES_OF_THE_TEXT
        assert deviation["reason"].endswith(".")


def test_every_value_of_an_enum_has_its_meaning() -> None:
    for schema in SCHEMAS.values():
        if "x-descriptions" in schema:
            assert len(schema["x-descriptions"]) == len(schema["enum"])


@sampled
def test_every_example_satisfies_its_schema(sample: dict[str, Any]) -> None:
    validator(schema_of(sample)).validate(read(sample))


@pytest.mark.parametrize("sample", [sample for sample in INDEX if sample["model"]], ids=lambda sample: sample["file"])
def test_every_object_of_an_example_satisfies_the_schema_of_its_model(sample: dict[str, Any]) -> None:
    schema = {"$ref": f"#/components/schemas/{sample['model']}"}
    for example in objects(sample):
        validator(schema).validate(example)


@pytest.mark.parametrize("sample", [sample for sample in INDEX if sample["model"]], ids=lambda sample: sample["file"])
def test_p10_every_field_of_an_example_is_described(sample: dict[str, Any]) -> None:
    rows = {"FAX_CALL": "FaxCall", "PHONE_CALL": "PhoneCall"}
    for example in objects(sample):
        name = rows[example["type"]] if sample["model"] == "TelephonyEvent" else sample["model"]
        assert set(example) <= set(SCHEMAS[name]["properties"])


def test_the_samples_are_the_20_bodies_and_the_7_requests_of_the_text() -> None:
    kinds = [sample["kind"] == "request" for sample in INDEX]
    assert (kinds.count(False), kinds.count(True)) == (20, 7)
    assert {sample["file"] for sample in INDEX} == {path.name for path in SAMPLES.glob("*.json")} - {"index.json"}


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("createContact", {"first_name": "Ann"}),
        ("createContact", {"first_name": "", "primary_phone": "+390312345678"}),
        ("createContact", {"first_name": "Ann", "primary_phone": "0312345678"}),
        ("createContact", {"first_name": "Ann", "primary_phone": "+390312345678", "phones": ["101"]}),
        ("createWebhookSubscription", {"callback_url": "https://example.com", "event_type": "CALL_DREAMT"}),
        ("updateWebhookSubscription", {"callback_url": "https://example.com", "event_type": "PHONE_CALL"}),
        ("createClickToCall", {"name": "support", "extension": 101, "outboundNumber": "+39123456789"}),
        ("createClickToCall", {"name": "s", "extension": "1", "outboundNumber": "+391", "dial_first": "nobody"}),
        ("connectClickToCall", {"contact": "anonymous"}),
    ],
)
def test_a_request_that_the_text_forbids_is_invalid(operation: str, body: dict[str, Any]) -> None:
    assert not validator(content(operations()[operation]["requestBody"])).is_valid(body)


@pytest.mark.parametrize(
    ("name", "example"),
    [
        ("Account", {"name": "company name"}),
        ("Contact", {"first_name": "John"}),
        ("User", {"id": "u1", "first_name": "John"}),
        ("PhoneCall", {"id": 1, "type": "FAX_CALL"}),
        ("UnknownEvent", {"type": "PHONE_CALL"}),
        ("Webhook", {"type": "CALL_STARTED"}),
        ("TelephonyEventPage", {"last": True}),
        ("ContactPage", {"has_next": False}),
    ],
)
def test_an_answer_without_what_makes_it_is_invalid(name: str, example: dict[str, Any]) -> None:
    assert not validator({"$ref": f"#/components/schemas/{name}"}).is_valid(example)
