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
