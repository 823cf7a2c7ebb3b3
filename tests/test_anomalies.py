"""The table in README.md beside this file: every anomaly has a test, and every test it names is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROW = re.compile(r"^\| (?P<id>[A-Z]\d+) \| .* \|(?P<tests>[^|]*)\|$", re.MULTILINE)

TABLE = {
    row["id"]: row["tests"].replace("`", "").split() for row in ROW.finditer((ROOT / "tests/README.md").read_text())
}


def functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize("anomaly", TABLE)
def test_an_anomaly_has_tests_and_they_are_there(anomaly: str) -> None:
    assert TABLE[anomaly], "no test is named"
    for named in TABLE[anomaly]:
        path, _, function = named.partition("::")
        assert function in functions(ROOT / path), f"{named} is gone"


def test_the_table_was_read() -> None:
    assert {"G1", "C1", "U3", "W4", "P1", "T1", "K9"} <= TABLE.keys()
