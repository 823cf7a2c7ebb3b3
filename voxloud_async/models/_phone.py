"""Reading telephone numbers, which the service writes in many ways."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Self

from attrs import field, frozen

__all__ = ["PhoneKind", "PhoneNumber"]

_SEPARATORS = re.compile(r"[\s().\-/]")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_DIALLED_ABROAD = re.compile(r"00([1-9][0-9]{6,14})")
_DIGITS = re.compile(r"[0-9]+")
_COUNTRY_CODE = re.compile(r"[1-9][0-9]{0,2}")

_LONGEST_EXTENSION = 5
_LONGEST_NATIONAL = 10
_LONGEST_E164 = 15


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
    """Anything else, a name among them."""


@frozen(kw_only=True)
class PhoneNumber:
    """A telephone number, what it looks like, and its E.164 form where it has one. Nothing is ever looked up.

    The API text promises E.164, its samples hold extensions, national numbers and "anonymous" too (anomaly P6). So the
    kind is told from the digits alone: up to 5 are an extension, up to 10 or with a leading 0 a national number, 11 to
    15 an international one. Spaces and punctuation between the digits do not count.
    """

    raw: str = field(repr=lambda _: "***")
    """The number as the service wrote it."""

    kind: PhoneKind
    """What it looks like."""

    e164: str | None = field(default=None, repr=lambda value: "None" if value is None else "***")
    """`+`, country code and number; `None` where the country is unknown."""

    @classmethod
    def parse(cls, raw: str) -> Self:
        """Read a number as the service wrote it.

        Raises:
            TypeError: `raw` is no str.
        """
        if not isinstance(raw, str):
            raise TypeError(f"A telephone number is a str, not {type(raw).__name__}")
        kind, e164 = _read(_SEPARATORS.sub("", raw))
        return cls(raw=raw, kind=kind, e164=e164)

    def spellings(self, country_code: str | None = None, *, trunk: str = "") -> tuple[str, ...]:
        """The ways in which this number may be written, each once and its own first: a filter may know one of them.

        `country_code`, digits such as `"39"`, joins the national spelling to the international ones. `trunk` is what
        that country dials before national numbers alone: `"0"` in most of Europe, nothing in Italy, whose zeros belong
        to the numbers. What has no country, an extension for instance, has one spelling. Nothing is looked up.

        Raises:
            ValueError: `country_code` is not one to three digits, or `trunk` is no digits.
        """
        if country_code is not None and not _COUNTRY_CODE.fullmatch(country_code):
            raise ValueError("country_code must be one to three digits without +, such as '39'")
        if trunk and not _DIGITS.fullmatch(trunk):
            raise ValueError("trunk must be digits, such as '0'")
        international = self._international(country_code, trunk)
        if international is None:
            return (self.raw,)
        written = [self.raw, _SEPARATORS.sub("", self.raw), f"+{international}", international, f"00{international}"]
        if country_code is not None and international.startswith(country_code):
            written.append(trunk + international.removeprefix(country_code))
        return tuple(dict.fromkeys(written))

    def _international(self, country_code: str | None, trunk: str) -> str | None:
        """Country code and number, digits alone."""
        if self.e164 is not None:
            return self.e164[1:]
        if self.kind is not PhoneKind.NATIONAL or country_code is None:
            return None
        return country_code + _SEPARATORS.sub("", self.raw).removeprefix(trunk)


def _read(number: str) -> tuple[PhoneKind, str | None]:
    if _E164.fullmatch(number):
        return PhoneKind.E164, number
    if abroad := _DIALLED_ABROAD.fullmatch(number):
        return PhoneKind.INTERNATIONAL, f"+{abroad[1]}"
    if _DIGITS.fullmatch(number):
        return _read_digits(number)
    return PhoneKind.ANONYMOUS if number.casefold() == "anonymous" else PhoneKind.OTHER, None


def _read_digits(number: str) -> tuple[PhoneKind, str | None]:
    if len(number) <= _LONGEST_EXTENSION:
        return PhoneKind.EXTENSION, None
    if len(number) > _LONGEST_E164:
        return PhoneKind.OTHER, None
    if number.startswith("0") or len(number) <= _LONGEST_NATIONAL:
        return PhoneKind.NATIONAL, None
    return PhoneKind.INTERNATIONAL, f"+{number}"
