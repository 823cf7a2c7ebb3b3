from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from voxloud_async.models import PhoneKind, PhoneNumber

if TYPE_CHECKING:
    from collections.abc import Callable

OF_THE_TEXT = [
    ("102", PhoneKind.EXTENSION, None),
    ("+3912345678", PhoneKind.E164, "+3912345678"),
    ("3907331980093", PhoneKind.INTERNATIONAL, "+3907331980093"),
    ("0697631539", PhoneKind.NATIONAL, None),
    ("06123456789", PhoneKind.NATIONAL, None),
    ("390663971096", PhoneKind.INTERNATIONAL, "+390663971096"),
    ("39123456789", PhoneKind.INTERNATIONAL, "+39123456789"),
    ("anonymous", PhoneKind.ANONYMOUS, None),
    ("3907331980093-fax-caller-id-name", PhoneKind.OTHER, None),
]

BEYOND_IT = [
    ("Anonymous", PhoneKind.ANONYMOUS, None),
    ("00390612345678", PhoneKind.INTERNATIONAL, "+390612345678"),
    ("+39 06 123-456", PhoneKind.E164, "+3906123456"),
    ("(06) 123.456", PhoneKind.NATIONAL, None),
    ("00101", PhoneKind.EXTENSION, None),
    ("123456", PhoneKind.NATIONAL, None),
    ("3331234567", PhoneKind.NATIONAL, None),
    ("1" * 15, PhoneKind.INTERNATIONAL, "+" + "1" * 15),
    ("1" * 16, PhoneKind.OTHER, None),
    ("+" + "1" * 16, PhoneKind.OTHER, None),
    ("+0612345678", PhoneKind.OTHER, None),
    ("", PhoneKind.OTHER, None),
    ("sip:101@pbx", PhoneKind.OTHER, None),
    ("\u0661\u0660\u0661", PhoneKind.OTHER, None),
]


@pytest.mark.parametrize(("raw", "kind", "e164"), OF_THE_TEXT + BEYOND_IT)
def test_p6_a_number_is_read_and_never_rewritten(raw: str, kind: PhoneKind, e164: str | None) -> None:
    number = PhoneNumber.parse(raw)
    assert (number.raw, number.kind, number.e164) == (raw, kind, e164)


def test_its_repr_hides_the_number() -> None:
    assert repr(PhoneNumber.parse("+390612345678")) == "PhoneNumber(raw=***, kind=<PhoneKind.E164: 'e164'>, e164=***)"
    assert (
        repr(PhoneNumber.parse("0612345678"))
        == "PhoneNumber(raw=***, kind=<PhoneKind.NATIONAL: 'national'>, e164=None)"
    )


def test_it_is_a_value(pickled: Callable[..., Any]) -> None:
    number = PhoneNumber.parse("+390612345678")
    assert pickled(number) == number
    assert {number, PhoneNumber.parse("+390612345678")} == {number}


@pytest.mark.parametrize("raw", [101, None, b"101"])
def test_only_a_str_is_read(raw: object) -> None:
    with pytest.raises(TypeError, match="is a str"):
        PhoneNumber.parse(raw)  # type: ignore[arg-type]


ROME = ("+390612345678", "390612345678", "00390612345678", "0612345678")
BERLIN = ("+49301234567", "49301234567", "0049301234567", "0301234567")


@pytest.mark.parametrize(
    ("raw", "options", "spellings"),
    [
        *((raw, {"country_code": "39"}, ROME) for raw in ROME),
        *((raw, {"country_code": "49", "trunk": "0"}, BERLIN) for raw in (*BERLIN, "030 123 45 67")),
        ("+390612345678", {}, ROME[:3]),
        ("+390612345678", {"country_code": "49"}, ROME[:3]),
        ("(06) 1234.5678", {"country_code": "39"}, ROME),
        ("0612345678", {}, ("0612345678",)),
        ("101", {"country_code": "39"}, ("101",)),
        ("anonymous", {"country_code": "39"}, ("anonymous",)),
    ],
)
def test_t6_its_own_spelling_comes_first(raw: str, options: dict[str, str], spellings: tuple[str, ...]) -> None:
    found = PhoneNumber.parse(raw).spellings(**options)
    assert found[0] == raw
    assert sorted(found) == sorted({raw, re.sub(r"[\s().]", "", raw), *spellings})


@pytest.mark.parametrize("code", ["", "+39", "039", "4930", "it"])
def test_a_country_code_is_digits(code: str) -> None:
    with pytest.raises(ValueError, match="country_code"):
        PhoneNumber.parse("101").spellings(code)


def test_a_trunk_prefix_is_digits() -> None:
    with pytest.raises(ValueError, match="trunk"):
        PhoneNumber.parse("101").spellings(trunk="-")
