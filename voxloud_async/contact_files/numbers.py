"""Telephone numbers as people write them, to E.164."""

from __future__ import annotations

import re
from collections.abc import Callable

from attrs import frozen

from ..errors import InvalidArgumentError
from ..models import PhoneKind, PhoneNumber
from ..protocol import arguments

_ROUNDED = re.compile(r"[+'= \"]*[0-9]+(?:[.,][0-9]+)?E\+?[0-9]+\"?", re.IGNORECASE)
_NO_DIGIT = re.compile(r"[^0-9]")
_WITH_REGION = "give the region of the file, such as IT, or write it with + and country code"
_E164 = "write it with + and country code, such as +390312345678"

ReadNumber = Callable[[str], "str | NotANumber"]


@frozen
class NotANumber:
    """What a text is that has no E.164 form, and what to do about it."""

    reason: str
    remedy: str


def number_reader(region: str | None) -> ReadNumber:
    """A function from the text of a cell to E.164; national numbers are taken for numbers of `region`.

    Raises:
        ValueError: the region is unknown.
        ImportError: a region needs phonenumbers, which is not installed.
    """
    national = _no_region if region is None else _national_reader(region)

    def read(text: str) -> str | NotANumber:
        number = PhoneNumber.parse(text)
        digits = _NO_DIGIT.sub("", number.normalized)
        if number.kind is PhoneKind.E164 and number.e164 is not None:
            return number.e164
        if number.kind is PhoneKind.INTERNATIONAL and _NO_DIGIT.sub("", text).startswith("00"):
            return number.e164 or _strange(text, number)
        if number.kind in {PhoneKind.NATIONAL, PhoneKind.INTERNATIONAL}:
            # 13812345678 may be a national number of China, or one of North America without its plus.
            return national(digits)
        return _strange(text, number)

    return read


def _no_region(_: str) -> NotANumber:
    return NotANumber("is a national number, or lacks the + before its country code", _WITH_REGION)


def _national_reader(region: str) -> ReadNumber:
    try:
        import phonenumbers  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise ImportError(
            "national numbers need phonenumbers: pip install 'voxloud_async[cli]'", name=error.name
        ) from error
    known = arguments.text("region", region).upper()
    if known not in phonenumbers.SUPPORTED_REGIONS:
        raise InvalidArgumentError("region", "must be the two letters of a country, such as IT or DE")

    def read(digits: str) -> str | NotANumber:
        try:
            number = phonenumbers.parse(digits, known)
        except phonenumbers.NumberParseException:
            number = phonenumbers.PhoneNumber()
        if phonenumbers.is_valid_number(number):
            return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
        return NotANumber(f"is not a valid number of region {known}", _E164)

    return read


def _strange(text: str, number: PhoneNumber) -> NotANumber:
    if _ROUNDED.fullmatch(text):
        return NotANumber("is a number that a spreadsheet has rounded", "format the column as text and export it again")
    if ";ext=" in number.normalized:
        return NotANumber("is a number with an extension, which E.164 cannot express", "take the extension out")
    if number.kind is PhoneKind.EXTENSION:
        return NotANumber("is too short: an extension or a service number", _E164)
    if sum(sign.isdigit() for sign in text) > len(text) // 2:
        return NotANumber("is ambiguous: two numbers, or a 0 behind the country code", _E164)
    return NotANumber("is not a telephone number", "correct it, or leave the cell empty")
