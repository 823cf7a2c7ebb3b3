"""Every anomaly of the API text that asks something of a client, and every fault on the way, has its tests."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "tests/README.md").read_text(encoding="utf-8")
ANSWERED, _, FAULTS = README.partition("## Fault matrix")

ROW = re.compile(r"^\| (?P<id>[A-Z]\d+) \| .* \|(?P<tests>[^|]*)\|$", re.MULTILINE)

TABLE = {row["id"]: row["tests"].replace("`", "").split() for row in ROW.finditer(ANSWERED)}
FAULT_TABLE = {row["id"]: row["tests"].replace("`", "").split() for row in ROW.finditer(FAULTS)}

ANOMALIES = {
    # general
    "G1": "JSON everywhere, and CSV at one endpoint",
    "G2": "a key in a header of its own, which libraries carry along on redirects",
    "G3": "a POST without a body that only reads",
    "G4": "one route is on version 2",
    "G5": "the documentation lives on the same host",
    "G6": "no success code is documented",
    "G7": "no answer to a delete is documented",
    "G8": "no body of an error is documented",
    "G9": "common error codes are missing from the list",
    "G10": "429 without a number or a time",
    "G11": "500 and 503 without a word on whether anything was written",
    "G13": "three envelopes for lists",
    "G15": "addresses in the samples are obfuscated",
    "G16": "samples of GET send a content type",
    "G17": "null and absent are never told apart",
    "G18": "no versions of objects",
    "G20": "sample commands that cannot be run",
    "G21": "snake_case and camelCase in one object",
    # contacts
    "C1": "an update is a POST in its heading and a PUT in its sample",
    "C2": "updated_at is the same after an update",
    "C3": "a company name comes back with other spaces",
    "C4": "required fields are required again on update",
    "C5": "crm_name falls back to Voxloud on update too",
    "C6": "how to clear a field is not said",
    "C7": "a partial phone number must be in e164",
    "C10": "a positive offset whose default is 0",
    "C11": "no order and no total",
    "C12": "a search for John Doe finds Maria Rosi",
    "C13": "has_next is the only sign of the end",
    "C15": "nothing is said of two contacts with one number",
    "C17": "phones lacks the primary number",
    "C18": "times in the offset of Rome",
    "C19": "ids look like UUIDs",
    # users
    "U3": "extensions are numbers here and texts there",
    "U6": "groups count for a quota and are shown nowhere",
    # webhook subscriptions
    "W1": "one event type is missing from one of two lists",
    "W2": "the list sample writes type for event_type",
    "W3": "fields that only the table or only the sample has",
    "W4": "an update is a PUT in its heading and a POST in its sample",
    "W5": "the id is required in the body as well",
    "W10": "sample callbacks over plain http",
    "W11": "deliveries are not signed",
    "W12": "nothing is said of how a delivery is made and repeated",
    # webhook payloads
    "P1": "every delivery has an envelope, and no later sample has one",
    "P2": "CALL_STARTED outside and STARTED inside",
    "P3": "three meanings of type",
    "P5": "three ways to write a time",
    "P6": "numbers in e164 that are not",
    "P8": "one call reaches several users",
    "P10": "fields that only samples have",
    "P12": "durations with and without ringing",
    "P13": "records that lack fields of the table",
    "P14": "directions in upper and in lower case",
    "P15": "two unrelated shapes of a fax",
    "P16": "URLs of recordings on other hosts",
    "P17": "transcriptions that may come later than their record",
    "P19": "three forms of call ids",
    "P20": "the time of a record may be that of its start or of its end",
    # telephony events
    "T1": "a query is a POST",
    "T3": "one event or several for a call id",
    "T4": "with or without an envelope, by reference to another section",
    "T5": "the sample shows rows outside of its interval",
    "T6": "how a number is matched is not said",
    "T7": "a total of 8 above 2 rows",
    "T8": "a page of Spring, whose cap is unknown",
    "T9": "whether pages count from 0, a sample alone tells",
    "T10": "rows of one moment in no fixed order",
    "T12": "nothing of the CSV is documented",
    "T15": "no filter by type, direction or user",
    "T16": "the fields of rows vary",
    "T17": "how far back and how long an interval may be is unknown",
    "T18": "records come later than their webhooks, or not",
    # click-to-call
    "K1": "a name comes back with one prefix or another",
    "K2": "an outbound number comes back as another",
    "K5": "ids of 32 and 33 characters",
    "K8": "a connected call has no id",
    "K9": "a POST that rings phones",
}
"""What the API text contradicts or leaves open, where a client has to do something about it."""


def functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_anomaly_has_tests() -> None:
    assert TABLE.keys() == ANOMALIES.keys()


@pytest.mark.parametrize("anomaly", TABLE)
def test_the_named_tests_are_there(anomaly: str) -> None:
    assert TABLE[anomaly], "no test is named"
    for named in TABLE[anomaly]:
        path, _, function = named.partition("::")
        assert function.startswith("test_")
        assert function in functions(ROOT / path), f"{named} is gone"


def test_every_fault_has_tests() -> None:
    every = {*(f"T{n}" for n in range(1, 29)), *(f"W{n}" for n in range(1, 10))}
    assert FAULT_TABLE.keys() == every


@pytest.mark.parametrize("fault", FAULT_TABLE)
def test_the_tests_of_a_fault_are_there(fault: str) -> None:
    assert FAULT_TABLE[fault], "no test is named"
    for named in FAULT_TABLE[fault]:
        path, _, function = named.partition("::")
        assert function.startswith("test_")
        assert function in functions(ROOT / path), f"{named} is gone"


def test_g20_the_examples_of_the_documentation_are_its_own() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    assert len(pages) > 5
    languages = set()
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert "curl" not in text
        languages.update(re.findall(r"^```(\w+)", text, re.MULTILINE))
    assert {"python", "console"} <= languages <= {"python", "console", "sh", "text", "toml", "yaml", "json"}
