"""The Retry-After header, in every form a server may give it."""

from __future__ import annotations

import pytest

from voxloud_async.protocol.retry_after import retry_after

NOON = "Tue, 30 Jun 2026 12:00:00 GMT"
NOON_UNIX = 1_782_820_800.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        ("1", 1.0),
        (" 1\t", 1.0),
        ("007", 7.0),
        ("9999999999", 9_999_999_999.0),
        ("1.5", 2.0),
        ("3.0", 3.0),
        ("2.", 2.0),
        (".5", None),
        ("1.5.2", None),
        ("-3", None),
        ("+3", None),
        ("inf", None),
        ("nan", None),
        ("1e3", None),
        ("0x10", None),
        ("9" * 30, 1e30),
        ("9" * 101, None),
        ("\u0661\u0662", None),
        ("\u00b2", None),
        ("1, 2", None),
        ("", None),
        ("soon", None),
        ("Tue, 30 Jun 2026 12:00:30 GMT", 30.0),
        (" Tue, 30 Jun 2026 12:00:30 GMT ", 30.0),
        ("Tue, 30 Jun 2026 11:59:30 GMT", 0.0),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 251_619_479_999.0),
        ("Tue, 31 Feb 2026 12:00:30 GMT", None),
        ("Tue, 30 Foo 2026 12:00:30 GMT", None),
        ("Tue, 30 Jun 2026 25:00:30 GMT", None),
        ("Sat, 01 Jan 0000 00:00:00 GMT", 0.0),
        ("Tue, 30 Jun 2026 12:00:30 +0100", None),
        ("Tuesday, 30-Jun-26 12:00:30 GMT", None),
        ("Tue Jun 30 12:00:30 2026", None),
        ("2026-06-30T12:00:30Z", None),
    ],
)
def test_only_the_two_documented_forms_count(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, date=NOON, wall=0.0) == seconds


@pytest.mark.parametrize("date", [None, "today", "Tue, 31 Feb 2026 12:00:00 GMT"])
def test_without_a_date_of_the_answer_the_own_clock_stands_in(date: str | None) -> None:
    assert retry_after("Tue, 30 Jun 2026 12:00:30 GMT", date=date, wall=NOON_UNIX + 10.0) == 20.0


def test_the_own_clock_does_not_skew_a_date() -> None:
    assert retry_after("Tue, 30 Jun 2026 12:00:30 GMT", date=NOON, wall=NOON_UNIX + 86_400.0) == 30.0
