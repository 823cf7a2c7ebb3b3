from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from voxloud_async.models import Extension

if TYPE_CHECKING:
    from collections.abc import Callable


def test_u3_it_equals_its_text_and_its_number() -> None:
    assert Extension("101") == Extension(101)
    assert Extension("101") == "101"
    assert Extension("101") == 101
    assert Extension(101) == "101"
    assert Extension(101) != "102"


def test_u3_leading_zeros_count() -> None:
    assert str(Extension("0101")) == "0101"
    assert Extension("0101") != Extension(101)
    assert Extension("0101") != 101


def test_it_keeps_what_the_service_wrote() -> None:
    assert Extension(101).raw == 101
    assert Extension("101").raw == "101"


def test_it_hashes_as_its_text() -> None:
    assert hash(Extension(101)) == hash("101")
    assert {Extension(101), Extension("101")} == {"101"}
    assert {"101": "support"}[Extension(101)] == "support"  # type: ignore[index]


@pytest.mark.parametrize("other", [True, 1.0, None, b"1"])
def test_it_equals_nothing_else(other: object) -> None:
    assert Extension(1) != other


def test_it_has_no_order() -> None:
    with pytest.raises(TypeError, match="not supported"):
        sorted([Extension(2), Extension(1)])  # type: ignore[type-var]


@pytest.mark.parametrize("raw", [True, None, 1.5, b"1"])
def test_it_is_made_of_a_str_or_an_int(raw: object) -> None:
    with pytest.raises(TypeError, match="a str or an int"):
        Extension(raw)  # type: ignore[arg-type]


@pytest.mark.parametrize("raw", [101, "0101"])
def test_it_pickles(raw: str | int, pickled: Callable[..., Any]) -> None:
    twin = pickled(Extension(raw))
    assert twin == Extension(raw)
    assert twin.raw == raw
