"""Reading telephone numbers, which the service, address books and spreadsheets write in many ways."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Self

from attrs import field, frozen

from ..errors import ArgumentTypeError, InvalidArgumentError
from ._phone_text import folded, international, is_fraction, split_extension, without_trunk_prefix

__all__ = ["PhoneKind", "PhoneNumber"]

_SEPARATORS = re.compile(r"[ .()-]")
_DIGITS = re.compile(r"[0-9]+")
_DIALLED_ABROAD = re.compile(r"00[1-9][0-9]{6,14}")
_COUNTRY_CODE = re.compile(r"[1-9][0-9]{0,2}")

_LONGEST_EXTENSION = 5
_LONGEST_NATIONAL = 10
_LONGEST_E164 = 15
_AREA, _SUBSCRIBER = 8, 4  # most digits before the last slash, with the country code; fewest after it


class PhoneKind(StrEnum):
    """What a number looks like."""

    E164 = "e164"
    """`+390612345678`."""
    INTERNATIONAL = "international"
    """With its country code but without `+`: `390612345678`, `00390612345678`."""
    NATIONAL = "national"
    """Without a country code: `0612345678`."""
    EXTENSION = "extension"
    """At most five digits: `101`."""
    ANONYMOUS = "anonymous"
    """The caller withheld it."""
    OTHER = "other"
    """Anything else: a name, a number with an extension behind it, or one that may be read in two ways."""


@frozen(kw_only=True)
class PhoneNumber:
    """A telephone number, what it looks like, and its E.164 form where it has one. Nothing is looked up.

    The API text promises E.164, its samples contain extensions, national numbers and "anonymous" too (anomaly P6). So
    the kind is read from the digits alone: up to 5 are an extension, up to 10 or with a leading 0 a national number,
    11 to 15 an international one.

    What a spelling adds does not count: spaces and punctuation between the digits, invisible marks, digits and signs of
    other scripts, `tel:`, a spreadsheet's quotes, its leading apostrophe and the `.0` of a number it took for a float.
    The trunk zero in `+49 (0)30 1234567` is left out, as it is not dialled from abroad.

    `e164` is never that of another number. It is None where a spelling is ambiguous: `+39 (0)31 ...` and other
    countries whose numbers keep their zero, a zero after the country code of a country that has no such numbers
    (`+49 030 ...`), `+39 031 234567/8`, `3.90313E+11`, and a number with an extension (`+39 031 234567 ext. 5`), which
    E.164 cannot express.
    """

    raw: str = field(repr=lambda _: "***")
    """The number as the service wrote it."""

    kind: PhoneKind
    """What it looks like."""

    e164: str | None = field(default=None, repr=lambda value: "None" if value is None else "***")
    """`+`, country code and number; `None` where the country is unknown or the spelling ambiguous."""

    @classmethod
    def parse(cls, raw: str) -> Self:
        """Read a number as the service wrote it.

        Raises:
            TypeError: `raw` is no str.
        """
        if not isinstance(raw, str):
            raise ArgumentTypeError("raw", f"must be a str, not {type(raw).__name__}")
        kind, e164, _ = _read(raw)
        return cls(raw=raw, kind=kind, e164=e164)

    @property
    def normalized(self) -> str:
        """One text for all spellings of a number: E.164, or the bare digits where it has none.

        An extension behind it is written as `;ext=5` (RFC 3966), what is no number in lower case. Two different numbers
        have different texts. A national and an international spelling do not have the same text, as the country of the
        first is unknown.
        """
        return _read(self.raw)[2]

    def spellings(self, country_code: str | None = None, *, trunk: str = "") -> tuple[str, ...]:
        """The ways in which this number may be written, each once and its own first: a filter may know one of them.

        `country_code`, digits such as `"39"`, joins the national spelling to the international ones. `trunk` is what
        that country dials before national numbers alone: `"0"` in most of Europe, nothing in Italy, whose zeros belong
        to the numbers. What has no country, an extension for instance, has one spelling. Nothing is looked up.

        Raises:
            ValueError: `country_code` is not one to three digits, or `trunk` is no digits.
        """
        if country_code is not None and not _COUNTRY_CODE.fullmatch(country_code):
            raise InvalidArgumentError("country_code", "must be one to three digits without +, such as '39'")
        if trunk and not _DIGITS.fullmatch(trunk):
            raise InvalidArgumentError("trunk", "must be digits, such as '0'")
        digits = self._international(country_code, trunk)
        if digits is None:
            return (self.raw,)
        written = [self.raw, self.normalized, f"+{digits}", digits, f"00{digits}"]
        if country_code is not None and digits.startswith(country_code):
            written.append(trunk + digits.removeprefix(country_code))
        return tuple(dict.fromkeys(written))

    def _international(self, country_code: str | None, trunk: str) -> str | None:
        """Country code and number, digits alone."""
        if self.e164 is not None:
            return self.e164[1:]
        if self.kind is not PhoneKind.NATIONAL or country_code is None:
            return None
        return country_code + self.normalized.removeprefix(trunk)


_Reading = tuple[PhoneKind, str | None, str]
"""Kind, E.164 form and normalized text."""


def _read(raw: str) -> _Reading:
    text = folded(raw)
    number, extension = split_extension(text)
    if extension is None:
        return _read_number(number)
    kind, _, base = _read_number(number)
    if kind in {PhoneKind.OTHER, PhoneKind.ANONYMOUS}:
        return _other(text)
    return PhoneKind.OTHER, None, f"{base};ext={extension}"


def _read_number(text: str) -> _Reading:
    if text.casefold() == "anonymous":
        return PhoneKind.ANONYMOUS, None, "anonymous"
    bare = None if is_fraction(text) else without_trunk_prefix(text)
    number = None if bare is None else _SEPARATORS.sub("", bare)
    read = None if number is None else _read_digits(number)
    return _other(text) if read is None else read


def _read_digits(text: str) -> _Reading | None:
    """Read digits with an optional plus in front and slashes between; None for anything else."""
    number = text.replace("/", "")
    digits = number.removeprefix("+")
    if not _DIGITS.fullmatch(digits):
        return None
    has_plus = number.startswith("+")
    local = None if has_plus else _local(digits)
    if local is not None:
        return local, None, digits
    e164 = international(digits if has_plus else digits.removeprefix("00"))
    if e164 is None or _is_of_two(text):
        return None
    return PhoneKind.E164 if has_plus else PhoneKind.INTERNATIONAL, e164, e164


def _local(digits: str) -> PhoneKind | None:
    """What digits without a country code look like; None where they have one, or are too many."""
    if len(digits) <= _LONGEST_EXTENSION:
        return PhoneKind.EXTENSION
    if len(digits) > _LONGEST_E164 or _DIALLED_ABROAD.fullmatch(digits):
        return None
    return PhoneKind.NATIONAL if digits.startswith("0") or len(digits) <= _LONGEST_NATIONAL else None


def _is_of_two(text: str) -> bool:
    """Whether a slash may stand between two numbers, as in `+39 031 234567/8`, and not behind an area code."""
    before, slash, last = text.removeprefix("+").rpartition("/")
    return bool(slash) and (len(before.replace("/", "")) > _AREA or len(last) < _SUBSCRIBER)


def _other(text: str) -> _Reading:
    # With the blanks in it, so that it equals no digits of a number.
    return PhoneKind.OTHER, None, " ".join(text.casefold().split())
