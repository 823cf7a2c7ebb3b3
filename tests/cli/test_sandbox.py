from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from voxloud_async.cli.quirks import read_quirks
from voxloud_async.cli.sandbox import read_limit, read_window
from voxloud_async.cli.traffic import read_shares
from voxloud_async.sandbox import Quirks, SlidingWindow

if TYPE_CHECKING:
    from .conftest import Console


def test_a_limit() -> None:
    assert read_limit("20") == read_limit("20/s") == SlidingWindow(20, 1.0)
    assert read_limit("100/m") == SlidingWindow(100, 60.0)
    assert read_limit("1000/h") == SlidingWindow(1000, 3600.0)


def test_a_window() -> None:
    assert read_window("30:2.5") == (30.0, 2.5)


def test_shares() -> None:
    assert read_shares(["doubled=0.1", "cut=.5"]) == {"doubled": 0.1, "cut": 0.5}


def test_quirks() -> None:
    assert read_quirks(["contact_update=post", "create-status=201"]) == {"contact_update": "post", "create_status": 201}


@pytest.mark.parametrize(
    ("tokens", "reason"),
    [
        (["--rate-limit", "fast"], "--rate-limit must be a number of requests"),
        (["--rate-limit", "0"], "--rate-limit must be a number of requests"),
        (["--maintenance", "30"], "--maintenance must be START:LENGTH"),
        (["--quirk", "colour=red"], "--quirk: there is no colour; see voxloud sandbox --list-quirks"),
        (["--quirk", "contact_update=red"], "--quirk contact_update is one of 'both', 'put', 'post'"),
        (["--misfortune", "luck=1"], "--misfortune is one of doubled, overtaken, late, dropped, cut, slow"),
        (["--misfortune", "late"], "--misfortune must be NAME=SHARE"),
        (["--misfortune", "late=2"], "the shares of deliveries must lie between 0 and 1"),
        (["--traffic", "0"], "for --traffic. Must be > 0."),
        (["--pace", "-1"], "for --pace. Must be >= 0."),
        (["--rows", "-1"], "for --rows. Must be >= 0."),
        (["--days", "0"], "for --days. Must be >= 1."),
        (["--latency", "-1"], "for --latency. Must be >= 0."),
        (["--port", "99999"], "--port must be from 0 to 65535"),
        (["--port", "-1"], "--port must be from 0 to 65535"),
    ],
)
def test_a_wrong_option_is_told_before_anything_starts(voxloud: Console, tokens: list[str], reason: str) -> None:
    result = voxloud("sandbox", *tokens)
    assert (result.code, result.out) == (2, "")
    assert reason in result.err


def test_every_quirk_is_listed_with_its_values_the_default_first_and_its_reason(voxloud: Console) -> None:
    lines = voxloud.ok("sandbox", "--list-quirks").out.splitlines()
    assert [line.partition("=")[0] for line in lines] == list(Quirks.readings())
    rows = dict(re.split(r" {2,}", line, maxsplit=1) for line in lines)
    assert rows["contact_update=both|put|post"] == "C1: the heading says POST (L84), the sample PUT (L86)."
    assert rows[r"csv_delimiter=,|;|\t"] == "T12: what stands between two columns."
    assert len({len(line) - len(rows[setting]) for line, setting in zip(lines, rows, strict=True)}) == 1
