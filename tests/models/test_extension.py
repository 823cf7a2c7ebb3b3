from __future__ import annotations

import json
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from voxloud_async.models import Extension

if TYPE_CHECKING:
    from collections.abc import Callable


def test_u3_both_spellings_of_the_service_are_equal_to_their_text() -> None:
    assert Extension("101") == Extension(101) == "101"
    assert "101" == Extension(101)  # noqa: SIM300 - equality must hold in both directions
    assert Extension(101) != "102"
    assert Extension(Extension(101)) == Extension(101)


def test_u3_leading_zeros_count() -> None:
    assert str(Extension("0101")) == "0101"
    assert Extension("0101") != Extension(101)


def test_u3_its_number_is_one_call_away() -> None:
    assert int(Extension("101")) == 101
    assert Extension(101) != 101  # type: ignore[comparison-overlap]


def test_equality_is_transitive_and_equal_ones_hash_alike() -> None:
    values = [Extension(101), Extension("101"), "101", 101, Extension("0101"), "0101", Extension(1), True, 1.0, None]
    for one, other, third in product(values, repeat=3):
        if one == other:
            assert hash(one) == hash(other)
            assert (other == third) is (one == third)
    assert {Extension(101), Extension("101"), "101"} == {"101"}
    assert {"101": "support"}[Extension(101)] == "support"


def test_it_keeps_what_the_service_wrote() -> None:
    assert Extension(101).raw == 101
    assert Extension("101").raw == "101"
    assert Extension(Extension(101)).raw == 101
    assert repr(Extension(101)) == "Extension(101)"


def test_it_is_text_to_whatever_takes_text() -> None:
    assert json.dumps({"extension": Extension(101)}) == '{"extension": "101"}'
    assert type(str(Extension(101))) is str
    assert sorted([Extension(102), Extension("101")]) == ["101", "102"]


@pytest.mark.parametrize("raw", [True, None, 1.5, b"1"])
def test_it_is_made_of_a_str_or_an_int(raw: object) -> None:
    with pytest.raises(TypeError, match="a str or an int"):
        Extension(raw)  # type: ignore[arg-type]


def test_it_cannot_be_changed() -> None:
    extension = Extension(101)
    with pytest.raises(AttributeError, match="cannot be changed: raw"):
        extension.raw = 102
    with pytest.raises(AttributeError, match="cannot be changed: raw"):
        del extension.raw


@pytest.mark.parametrize("raw", [101, "0101"])
def test_it_pickles(raw: str | int, pickled: Callable[..., Any]) -> None:
    twin = pickled(Extension(raw))
    assert twin == Extension(raw)
    assert type(twin) is Extension
    assert twin.raw == raw
