"""Lists of services that behave oddly: each row comes once, or the read says that it cannot be sure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.paging.odd_reads import CONTACTS, EVENTS, read

if TYPE_CHECKING:
    from tests.paging.odd_reads import Verdict
    from tests.paging.odd_service import Odd

SERVICES = {**EVENTS, **CONTACTS}
EXPECTED = {"", "ConflictError"}
REFUSED = "more than 50 rows refused"

FEW, MANY = range(2), range(2, 60)


@pytest.fixture(params=SERVICES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def odd(name: str) -> Odd:
    return SERVICES[name]


def reads(name: str, odd: Odd, seeds: range) -> dict[int, Verdict]:
    return {seed: read(odd, seed, contacts=name in CONTACTS) for seed in seeds}


def check(name: str, verdicts: dict[int, Verdict]) -> None:
    expected = EXPECTED | ({"BadRequestError"} if name == REFUSED else set())  # a first page that is too large
    assert {seed: each for seed, each in verdicts.items() if not each.is_right or each.error not in expected} == {}


def test_no_row_is_lost_or_doubled_in_silence(name: str, odd: Odd) -> None:
    check(name, reads(name, odd, FEW))


@pytest.mark.acceptance
@pytest.mark.long
def test_no_row_is_lost_or_doubled_in_many_reads(name: str, odd: Odd) -> None:
    check(name, reads(name, odd, MANY))


@pytest.mark.parametrize("name", ["as documented", "contacts as documented"])
def test_a_list_as_documented_is_read_whatever_moves(name: str) -> None:
    verdicts = reads(name, SERVICES[name], range(40)).values()
    assert sum(each.error != "" for each in verdicts) <= 1, "the smallest pages alone may not do"


def test_a_naive_reader_loses_and_doubles_rows() -> None:
    verdicts = [read(EVENTS["as documented"], seed, naively=True) for seed in range(40)]
    assert sum(each.missing for each in verdicts) > 100
    assert sum(each.doubled for each in verdicts) > 50
