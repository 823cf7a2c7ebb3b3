"""Checks of a caller's arguments, made before anything is sent. Each error names the argument."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from urllib.parse import urlsplit

from ..errors import ArgumentTypeError, InvalidArgumentError

F = TypeVar("F")

# RFC 3986 `pchar` without "%" and ";": such a segment means the same wherever it is read. A Java server takes what
# follows ";" for a parameter, and "..;" for a climb.
_SEGMENT = re.compile(r"[A-Za-z0-9._~!$&'()*+,=:@-]+", re.ASCII)

_ORDER = re.compile(r"[^\s,]+,(asc|desc)")

_SURROGATE = re.compile("[\ud800-\udfff]")

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
"""Hosts that plain http to does not leave this machine."""


def text(name: str, value: object) -> str:
    """A string with something in it."""
    if not isinstance(value, str):
        raise ArgumentTypeError(name, f"must be a string, not {type(value).__name__}")
    if not value.strip():
        raise InvalidArgumentError(name, "must not be empty")
    return _encodable(name, value)


def optional_text(name: str, value: object) -> str | None:
    """A string, perhaps empty, or None."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise ArgumentTypeError(name, f"must be a string or None, not {type(value).__name__}")
    return _encodable(name, value)


def _encodable(name: str, value: str) -> str:
    """A text that UTF-8 can write; the error of trying it would quote all that is written with it."""
    if not value.isascii() and _SURROGATE.search(value):
        raise InvalidArgumentError(name, "must hold no surrogates, which UTF-8 cannot write")
    return value


def texts(name: str, value: object) -> list[str] | None:
    """A list of strings or None; one bare string is most likely a slip."""
    if value is None:
        return None
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise ArgumentTypeError(name, f"must be a list of strings, not {type(value).__name__}")
    return [text(f"{name}[{index}]", item) for index, item in enumerate(value)]


def segment(name: str, value: object) -> str:
    """An id that stays one segment of a path."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    identifier = text(name, value)
    if not _SEGMENT.fullmatch(identifier) or identifier in {".", ".."}:
        raise InvalidArgumentError(name, "must be one segment of a path, without slashes, spaces or escapes")
    return identifier


def flag(name: str, value: object) -> bool:
    """True or False."""
    if not isinstance(value, bool):
        raise ArgumentTypeError(name, f"must be True or False, not {type(value).__name__}")
    return value


def function(name: str, value: object) -> None:
    """Something that can be called."""
    if not callable(value):
        raise ArgumentTypeError(name, f"must be callable, not {type(value).__name__}")


def functions(name: str, value: Iterable[F]) -> tuple[F, ...]:
    """Things that can be called."""
    if not isinstance(value, Iterable):
        raise ArgumentTypeError(name, f"must be a list of callables, not {type(value).__name__}")
    found = tuple(value)
    for index, item in enumerate(found):
        function(f"{name}[{index}]", item)
    return found


def number(name: str, value: object, low: int, high: int | None = None) -> int:
    """A whole number within bounds."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise ArgumentTypeError(name, f"must be a whole number, not {type(value).__name__}")
    if value < low or (high is not None and value > high):
        bounds = f"at least {low}" if high is None else f"from {low} to {high}"
        raise InvalidArgumentError(name, f"must be {bounds}, not {value}")
    return value


def moment(name: str, value: object) -> str:
    """An aware datetime as the API writes it: milliseconds, and Z for UTC."""
    if not isinstance(value, datetime):
        raise ArgumentTypeError(name, f"must be a datetime, not {type(value).__name__}")
    offset = value.utcoffset()
    if offset is None:
        raise InvalidArgumentError(name, "must carry a time zone, for instance datetime.now(UTC)")
    if offset % timedelta(minutes=1):  # a local mean time, which "+01:00" cannot write
        value, offset = _in_utc(name, value), timedelta(0)
    written = value.isoformat(timespec="milliseconds")
    return written if offset else written.replace("+00:00", "Z")


def _in_utc(name: str, value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise InvalidArgumentError(name, "must be a time between the years 1 and 9999 of UTC") from None


def http_url(name: str, value: object) -> str:
    """An absolute http or https URL without credentials or fragment."""
    url = text(name, value)
    if not _is_http_url(url):
        raise InvalidArgumentError(name, "must be an absolute http or https URL")
    if "@" in urlsplit(url).netloc or "#" in url:
        raise InvalidArgumentError(name, "must carry no credentials and no fragment")
    return url


def _is_http_url(url: str) -> bool:
    if not url.isprintable() or " " in url or "\\" in url:
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # its text would show a part of the URL
        return False


def host(name: str, value: str) -> str:
    """A host that can be looked up: an address, or a name in ASCII."""
    try:
        _ = value.encode("ascii"), value.encode("idna")
    except UnicodeError:
        raise InvalidArgumentError(
            name, "must have a host of labels of 1 to 63 ASCII characters, others as xn--..."
        ) from None
    return value


def known(fields: Mapping[str, object], names: Collection[str], kind: str = "field") -> None:
    """No field, or what else they are called, but the given names."""
    unknown = sorted(set(fields) - set(names))
    if unknown:
        raise ArgumentTypeError(str(unknown[0]), f"is no known {kind}; known are {', '.join(sorted(names))}")


def query(name: str, value: object) -> None:
    """A mapping of strings to strings, or None."""
    if value is None:
        return
    if not isinstance(value, Mapping):
        raise ArgumentTypeError(name, f"must be a mapping, not {type(value).__name__}")
    for key, item in value.items():
        if not isinstance(key, str):
            raise ArgumentTypeError(name, f"must have strings for its keys, not {type(key).__name__}")
        if not isinstance(item, str):
            raise ArgumentTypeError(f"{name}[{key!r}]", f"must be a string, not {type(item).__name__}")
        _encodable(f"a key of {name}", key)
        _encodable(f"{name}[{key!r}]", item)


def one_of(name: str, value: object, choices: Collection[str]) -> str:
    """One of a closed set of words."""
    word = text(name, value)
    if word not in choices:
        raise InvalidArgumentError(name, f"must be one of {', '.join(sorted(choices))}")
    return str(word)


def order(name: str, value: object) -> str:
    """A property and its direction, as the API writes them."""
    found = text(name, value)
    if not _ORDER.fullmatch(found):
        raise InvalidArgumentError(name, "must be a property and asc or desc, such as 'timestamp,desc'")
    return found


def seconds(name: str, value: object) -> float:
    """A finite number above 0."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ArgumentTypeError(name, f"must be a number, not {type(value).__name__}")
    if not 0 < value <= sys.float_info.max:  # a whole number may be beyond a float
        raise InvalidArgumentError(name, "must be above 0 and finite")
    return float(value)


def span(name: str, value: object, longest: float) -> float:
    """Seconds, from 0 to the longest."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ArgumentTypeError(name, f"must be a number of seconds, not {type(value).__name__}")
    if not 0 <= value <= longest:
        bounds = "0 seconds or more" if longest == math.inf else f"from 0 to {longest:.0f} seconds"
        raise InvalidArgumentError(name, f"must be {bounds}")
    return float(value)


def duration(name: str, value: object, longest: timedelta) -> timedelta:
    """A timedelta above 0, to the longest."""
    if not isinstance(value, timedelta):
        raise ArgumentTypeError(name, f"must be a timedelta, not {type(value).__name__}")
    if not timedelta(0) < value <= longest:
        raise InvalidArgumentError(name, f"must be above 0 and at most {longest.days} days")
    return value


def path(name: str, value: object) -> str:
    """An absolute path on the service, which cannot lead to another host."""
    found = text(name, value)
    segments = found.split("/")[1:]
    if not found.startswith("/") or not segments or any(not _SEGMENT.fullmatch(part) for part in segments):
        raise InvalidArgumentError(name, "must be an absolute path such as /api/v1/contacts, without query or escapes")
    if {".", ".."}.intersection(segments):
        raise InvalidArgumentError(name, "must not climb")
    return found
