"""The text of a telephone number: what a spelling adds to it, and which zeros belong to it."""

from __future__ import annotations

import re
from unicodedata import category, decimal

__all__ = ["folded", "international", "is_fraction", "split_extension", "without_trunk_prefix"]

_DASHES = "\u2212\u30fc"  # the minus sign and the mark that Japanese writes for a dash; the others have a category
_DOTS = "\u00b7\u2027"
_FULL_WIDTH = range(0xFF01, 0xFF5F)
_TO_ASCII = 0xFEE0

_QUOTED = re.compile(r'=?"([^"]*)"')  # `="0612345678"` keeps a spreadsheet from reading a number
_APOSTROPHE = ("'", "\u2019", "\u2018")
_SCHEME = re.compile(r"(?:tel|callto):", re.IGNORECASE)  # RFC 3966
_FLOAT = re.compile(r"(\+?[0-9]{6,})\.0+")
_FRACTION = re.compile(r"\+?[0-9]{6,}\.[0-9]{1,2}")
_BETWEEN = re.compile(r"(?<=[0-9)]) +-+ +(?=[0-9(])")
_EXTENSION = re.compile(
    r"(.*[0-9])\)?(?:;ext=|[ ,;]*(?:ext(?:n|ension)?|x|int(?:erno)?|#)[ .:]*)([0-9]{1,7})", re.IGNORECASE
)

_TRUNK_PREFIX = re.compile(r"\(?(\+|00)?\(?([1-9][0-9]{0,2})\)?\(([08])\)(.*)")
_E164 = re.compile(r"[1-9][0-9]{6,14}")

_COUNTRY_CODE = re.compile(r"[17]|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|[2-9][0-9]{2}")
"""The assigned codes of one and two digits; all others have three (ITU-T, list of E.164 assigned country codes)."""

_ZERO_BELONGS = re.compile(r"39|47|22[5679]|24[127]|26[78]|37[89]|501|676|679|687|800|853|881|888|974|992")
"""Country codes of which some national numbers begin with a zero, as all landlines of Italy do.

Read from the number patterns of Google's libphonenumber, release 9: in every other country a zero behind the country
code is the trunk prefix, or leads to a service that cannot be called from abroad.
"""

_TRUNK_EIGHT = re.compile(r"7|370|375|993")
"""Country codes with, or lately with, the trunk prefix 8."""


def folded(raw: str) -> str:
    """A number's text without invisible marks and quotes, in ASCII as far as its signs have a twin there."""
    text = raw if raw.isascii() else "".join(map(_plain, raw))
    text = text.replace("\t", " ").strip()
    if quoted := _QUOTED.fullmatch(text):
        text = quoted[1].strip()
    if text.startswith(_APOSTROPHE):
        text = text[1:].lstrip()
    if scheme := _SCHEME.match(text):
        text = text[scheme.end() :].lstrip()
    whole = _FLOAT.fullmatch(text)
    return whole[1] if whole else text


def _plain(sign: str) -> str:
    kind = category(sign)
    if kind == "Cf":  # direction marks, zero-width spaces and joiners, the byte order mark, the soft hyphen
        return ""
    if kind == "Nd":
        return str(decimal(sign))
    if kind == "Zs":
        return " "
    if kind == "Pd" or sign in _DASHES:
        return "-"
    if sign in _DOTS:
        return "."
    return chr(ord(sign) - _TO_ASCII) if ord(sign) in _FULL_WIDTH else sign


def split_extension(text: str) -> tuple[str, str | None]:
    """The number and the extension written behind it, as in `+39 031 234567 ext. 5`."""
    found = _EXTENSION.fullmatch(text)
    return (found[1], found[2]) if found else (text, None)


def is_fraction(text: str) -> bool:
    """Whether it may be a number that was calculated with: no point stands alone before the last digits of a number."""
    return _FRACTION.fullmatch(text) is not None


def without_trunk_prefix(text: str) -> str | None:
    """A text without the `(0)` behind its country code; None where it may be a part of the number.

    A dash with blanks round it becomes a slash: both stand behind an area code, or between two numbers.
    """
    text = _BETWEEN.sub("/", text)
    bare = re.sub(r"[ .-]", "", text).replace("[", "(").replace("]", ")")
    found = _TRUNK_PREFIX.fullmatch(bare)
    if found is None:
        return bare if "(0)" not in bare or bare.startswith("(0)") else None
    prefix, code, digit, rest = found.groups("")
    if digit != "0":
        return None if _TRUNK_EIGHT.fullmatch(code) else bare
    is_code = _country_code(code + re.sub(r"[()/]", "", rest)) == code
    return f"{prefix}{code}{rest}" if is_code and not _ZERO_BELONGS.fullmatch(code) and "(0)" not in rest else None


def international(digits: str) -> str | None:
    """The E.164 form of country code and number; None where it has none, or may be that of no number."""
    code = _country_code(digits)
    if not _E164.fullmatch(digits) or (digits.startswith("0", len(code)) and not _ZERO_BELONGS.fullmatch(code)):
        return None
    return f"+{digits}"


def _country_code(digits: str) -> str:
    found = _COUNTRY_CODE.match(digits)
    return found[0] if found else ""
