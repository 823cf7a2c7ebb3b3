"""Spellings of telephone numbers: every common one is read, and none is read as another number."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings, strategies as st

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
    ("\u0661\u0660\u0661", PhoneKind.EXTENSION, None),
]

COMO = "+390312345678"
BERLIN_E164 = "+49301234567"

SPELLINGS = {
    "(+39) 031 2345678": COMO,
    "+ 39 (031) 234.56.78": COMO,
    "00 39 031 2345678": COMO,
    "0039-031-2345678": COMO,
    "390312345678": COMO,
    "\u202a+39 031 2345678\u202c": COMO,
    "\u2066+39 031 2345678\u2069": COMO,
    "\ufeff+390312345678\u200b": COMO,
    "\u200e+39\u00ad031\u20602345678": COMO,
    "+39\u2011031\u20102345\u2013678": COMO,
    "+39\u2212031\u20142345\u2015678": COMO,
    "+39\u00a0031\u202f234\u20075678": COMO,
    "+39\u3000031\t2345678": COMO,
    "\uff0b\uff13\uff19\uff08\uff10\uff13\uff11\uff09\uff12\uff13\uff14\uff15\uff0d\uff16\uff17\uff18": COMO,
    "+\u0663\u0669 \u0660\u0663\u0661 \u0662\u0663\u0664\u0665\u0666\u0667\u0668": COMO,
    "\u06f0\u06f0\u06f3\u06f9 031 2345678": COMO,
    "+39\u00b7031\u00b72345678": COMO,
    "tel:+39-031-2345678": COMO,
    "TEL: +39 031 2345678": COMO,
    "callto:+390312345678": COMO,
    "'+390312345678": COMO,
    "\u2019390312345678": COMO,
    '="390312345678"': COMO,
    '"+39 031 2345678"': COMO,
    " +390312345678\r\n": COMO,
    "390312345678.0": COMO,
    "390312345678.00": COMO,
    "+390312345678.0": COMO,
    "+49 (0)30 1234567": BERLIN_E164,
    "+49(0)30/1234567": BERLIN_E164,
    "+49 (0) 30 - 123 45 67": BERLIN_E164,
    "+49 [0] 30 1234567": BERLIN_E164,
    "(+49) (0)30 1234567": BERLIN_E164,
    "0049 (0)30 1234567": BERLIN_E164,
    "49 (0)30 1234567": BERLIN_E164,
    "+49 (0)(30) 1234567": BERLIN_E164,
    "+49 30/1234567": BERLIN_E164,
    "+49 - 30 - 1234567": BERLIN_E164,
    "+49/30/1234567": BERLIN_E164,
    "+44 (0)20 7946 0958": "+442079460958",
    "+1 (555) 123-4567": "+15551234567",
    "+61 (8) 8123 4567": "+61881234567",
    "+7 (495) 123-45-67": "+74951234567",
    "+225 01 23 45 67 89": "+2250123456789",
}


@pytest.mark.parametrize(("raw", "e164"), SPELLINGS.items(), ids=map(ascii, SPELLINGS))
def test_p6_a_common_spelling_is_read(raw: str, e164: str) -> None:
    number = PhoneNumber.parse(raw)
    assert (number.raw, number.e164, number.normalized) == (raw, e164, e164)
    assert number.kind in {PhoneKind.E164, PhoneKind.INTERNATIONAL}


AMBIGUOUS = [
    "+39 (0)31 2345678",  # in Italy the zero of a landline belongs to its number, and no mobile number has one
    "+378 (0)549 886377",
    "+225 (0)1 23 45 67 89",
    "+49 030 1234567",
    "+49 (030) 1234567",
    "+44 (020) 7946 0958",
    "0049 030 1234567",
    "490301234567",
    "+49 (0)030 1234567",
    "+49 (0)(0)30 1234567",
    "+49 30 (0)1234567",
    "030 (0) 1234567",
    "+370 (8) 612 34567",
    "+7 (8) 495 123 45 67",
    "+39 031 234567/8",
    "+39 031 2345 / 031 2346",
    "+39 0312345/0312346",
    "+39 031 2345 - 031 2346",
    "+39 0312345 \u2013 0312346",
    "+39 031 234567 - 8",
    "390312345678.5",
    "+39031234567.89",
    "+390312345678 +390312345679",
    "+39 031 23456\n78",
    "+39031234567,5",
    "+39031234567;5",
    "3.90313E+11",
    "3,90312345678E+11",
    "3.90312345678e11",
    "++390312345678",
    "+00390312345678",
    "+39 031 23456ab",
    "tel:863-1234567;phone-context=+1-914",
    "1-800-FLOWERS",
    "+39031\u00b22345678",
]


@pytest.mark.parametrize("raw", AMBIGUOUS, ids=ascii)
def test_what_may_be_another_number_has_no_e164_form(raw: str) -> None:
    number = PhoneNumber.parse(raw)
    assert (number.kind, number.e164) == (PhoneKind.OTHER, None)
    assert number.spellings("39") == (raw,)


WITH_EXTENSION = [
    "+39 031 234567;ext=5",
    "tel:+39031234567;ext=5",
    "+39 031 234567 ext. 5",
    "+39 031 234567, extension 5",
    "+39 031 234567x5",
    "+39 031 234567 X 5",
    "+39 031 234567 #5",
    "(+39 031 234567) int. 5",
]


@pytest.mark.parametrize("raw", WITH_EXTENSION)
def test_a_number_with_an_extension_is_not_that_without_it(raw: str) -> None:
    number = PhoneNumber.parse(raw)
    assert (number.kind, number.e164, number.normalized) == (PhoneKind.OTHER, None, "+39031234567;ext=5")


@pytest.mark.parametrize(
    ("raw", "normalized"),
    [
        ("031 234-5678", "0312345678"),
        ("(0)31 2345678", "0312345678"),
        ("1 01", "101"),
        ("Anonymous", "anonymous"),
        ("Rossi  Anna", "rossi anna"),
        ("Rossi x5", "rossi x5"),
        ("anonymous x5", "anonymous x5"),
        ("+39 031 234567/8", "+39 031 234567/8"),
        ("", ""),
    ],
)
def test_what_has_no_e164_form_has_one_text_all_the_same(raw: str, normalized: str) -> None:
    assert PhoneNumber.parse(raw).normalized == normalized


# Countries with a trunk zero, and their numbers as dialled from abroad: their first digit is none.
NUMBERS = st.tuples(
    st.sampled_from(["49", "44", "33", "41", "46", "212", "380"]), st.from_regex(r"[1-9][0-9]{7,8}", fullmatch=True)
)
BLANKS = st.sampled_from([" ", "\u00a0", "\u202f", "\u2007", "-", "\u2011", "\u2013", ".", "\u200b", "\u2060", "", ""])
SCRIPTS = st.sampled_from(["0", "\uff10", "\u0660", "\u06f0", "\u0966"])
MARKS = st.sampled_from(
    [("", ""), ("\u202a", "\u202c"), ("\u2066", "\u2069"), ("\ufeff", ""), ("'", ""), ("tel:", ""), ("", " ")]
)


@st.composite
def spelled(draw: st.DrawFn, code: str, national: str, between: str = "") -> str:
    """A number with separators anywhere, in the digits of any script, marked as phones and spreadsheets do."""
    zero = draw(SCRIPTS)
    digits = "".join(f"{chr(ord(zero) + int(digit))}{draw(BLANKS)}" for digit in national)
    opening, closing = draw(MARKS)
    prefix = draw(st.sampled_from(["+", "\uff0b", "00", "00 ", "(+"]))
    return f"{opening}{prefix}{code}{')' if prefix == '(+' else draw(BLANKS)}{between}{digits}{closing}"


@given(data=st.data(), number=NUMBERS)
@settings(max_examples=300, deadline=None)
def test_every_spelling_gives_the_same_e164_form(data: st.DataObject, number: tuple[str, str]) -> None:
    assert PhoneNumber.parse(data.draw(spelled(*number))).e164 == "+" + "".join(number)


@given(data=st.data(), number=NUMBERS, between=st.sampled_from(["(0)", " (0) ", "\uff08\uff10\uff09"]))
@settings(max_examples=200, deadline=None)
def test_a_trunk_zero_in_brackets_is_left_out(data: st.DataObject, number: tuple[str, str], between: str) -> None:
    assert PhoneNumber.parse(data.draw(spelled(*number, between))).e164 == "+" + "".join(number)


@given(data=st.data(), number=NUMBERS, between=st.sampled_from(["0", "(0", "(0)0", "(0)(0)"]))
@settings(max_examples=200, deadline=None)
def test_another_zero_behind_the_country_code_leaves_no_e164_form(
    data: st.DataObject, number: tuple[str, str], between: str
) -> None:
    assert PhoneNumber.parse(data.draw(spelled(*number, between))).e164 is None


SIGNS = "0123456789" * 3 + "+ ()-./;,x#'e\u202a\u00a0\u2011\uff10\uff0b\u0661\n" + "(0)"


@given(st.text(SIGNS, max_size=24) | st.text(max_size=24))
@settings(max_examples=600, deadline=None)
def test_no_text_is_read_as_a_number_with_other_digits(raw: str) -> None:
    number = PhoneNumber.parse(raw)
    digits = "".join(str(unicodedata.decimal(sign)) for sign in raw if sign.isdecimal())
    if number.e164 is not None:
        held = number.e164[1:]
        assert 7 <= len(held) <= 15
        assert (
            held in {digits, digits.removeprefix("00")}
            or "0)" in raw.translate({0xFF10: "0", 0xFF09: ")"})
            or ".0" in raw
        )
        assert PhoneNumber.parse(number.e164).normalized == number.e164
    else:
        assert number.kind not in {PhoneKind.E164, PhoneKind.INTERNATIONAL}


@given(st.text(SIGNS, max_size=16), st.text(SIGNS, max_size=16))
@settings(max_examples=600, deadline=None)
def test_texts_that_are_equal_have_equal_digits(one: str, other: str) -> None:
    first, second = PhoneNumber.parse(one), PhoneNumber.parse(other)
    if first.normalized == second.normalized:
        assert (first.kind is PhoneKind.OTHER) is (second.kind is PhoneKind.OTHER)
        assert first.e164 == second.e164


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
    with pytest.raises(TypeError, match="must be a str"):
        PhoneNumber.parse(raw)  # type: ignore[arg-type]


ROME = ("+390612345678", "390612345678", "00390612345678", "0612345678")
BERLIN = ("+49301234567", "49301234567", "0049301234567", "0301234567")


@pytest.mark.parametrize(
    ("raw", "options", "spellings"),
    [
        *((raw, {"country_code": "39"}, ROME) for raw in ROME),
        *(
            (raw, {"country_code": "49", "trunk": "0"}, BERLIN)
            for raw in (*BERLIN, "030 123 45 67", "+49 (0)30 1234567")
        ),
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
    assert sorted(found) == sorted({raw, *spellings})


@pytest.mark.parametrize("code", ["", "+39", "039", "4930", "it"])
def test_a_country_code_is_digits(code: str) -> None:
    with pytest.raises(ValueError, match="country_code"):
        PhoneNumber.parse("101").spellings(code)


def test_a_trunk_prefix_is_digits() -> None:
    with pytest.raises(ValueError, match="trunk"):
        PhoneNumber.parse("101").spellings(trunk="-")
