"""The list of readings; what each does is tried in the files beside this one."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from voxloud_async.sandbox import Quirks


def alternatives() -> dict[str, ast.expr]:
    """What the source writes of each field, without the help of the class."""
    (quirks,) = [node for node in ast.parse(inspect.getsource(Quirks)).body if isinstance(node, ast.ClassDef)]
    written = [node for node in quirks.body if isinstance(node, ast.AnnAssign)]
    return {node.target.id: node.annotation for node in written if isinstance(node.target, ast.Name)}


def test_the_readings_are_what_the_source_lists() -> None:
    readings = Quirks.readings()
    assert set(readings) == set(alternatives())
    for name, annotation in alternatives().items():
        if isinstance(annotation, ast.Subscript):
            assert readings[name] == ast.literal_eval(annotation.slice)
    assert readings["contact_update"] == readings["subscription_update"] == ("both", "put", "post")
    assert readings["event_times"] == readings["single_event_times"] == ("iso_basic", "iso_rome", "epoch_ms")
    assert all(len(values) > 1 for values in readings.values())


def test_every_quirk_is_tried_by_name() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    assert [name for name in alternatives() if f'"{name}"' not in sources] == []


def test_every_yields_each_other_reading_once() -> None:
    every = list(Quirks.every())
    readings = Quirks.readings()
    assert len(every) == len(set(every)) == sum(len(values) - 1 for values in readings.values())
    assert all(len(quirks.changed()) == 1 for quirks in every)
    assert {name for quirks in every for name in quirks.changed()} == set(readings)
    assert Quirks().changed() == {}
    assert all(getattr(Quirks(), name) in values for name, values in readings.items())


@pytest.mark.parametrize(
    ("typo", "told"),
    [
        ({"contact_update": "patch"}, "contact_update must be one of 'both', 'put', 'post', not 'patch'"),
        ({"size_cap": 99}, "size_cap must be one of 2000, 1000, 100, not 99"),
    ],
)
def test_a_reading_that_there_is_not_is_refused(typo: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Quirks(**typo)


def test_every_field_says_why_it_exists() -> None:
    reasons = Quirks.reasons()
    assert list(reasons) == list(Quirks.readings())
    assert [
        name for name, reason in reasons.items() if not re.match(r"[A-Z][0-9]+(, [A-Z][0-9]+)*: .+[.`]$", reason)
    ] == []
    assert reasons["contact_update"] == "C1: the heading says POST (L84), the sample PUT (L86)."
