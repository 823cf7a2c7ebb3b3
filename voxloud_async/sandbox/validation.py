"""Reading what was sent, and refusing with a 400 what the API text does not allow."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import Any, NoReturn

from .exchange import Call, RefusalError, bad_request
from .quirks import Quirks

_E164 = re.compile(r"\+[1-9][0-9]{1,14}", re.ASCII)
_INTEGER = re.compile(r"[+-]?[0-9]{1,400}", re.ASCII)

Fields = Mapping[str, Any]


def json_object(call: Call) -> Fields:
    """The body, which must be a JSON object in a JSON content type, if any is named."""
    media_type = call.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise bad_request("the body must be application/json")
    value = _decoded(call.body)
    if not isinstance(value, dict):
        raise bad_request("the body must be a JSON object")
    return value


def _decoded(body: bytes) -> Any:
    try:
        value = json.loads(body, parse_constant=_no_number)
        json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate is no text
    except (ValueError, RecursionError):
        raise bad_request("the body is not well-formed JSON") from None
    return value


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


def given_fields(call: Call, quirks: Quirks) -> Fields:
    """Return the fields of the body, a JSON object, without those that are null unless the quirks refuse null."""
    fields = json_object(call)
    if quirks.null_sent == "rejected":
        return fields
    return {name: value for name, value in fields.items() if value is not None}


def required_text(fields: Fields, name: str) -> str:
    """A string that must be there and not be empty."""
    if fields.get(name) is None:
        raise bad_request(f"{name} is required")
    value = fields[name]
    if not isinstance(value, str):
        raise _mistyped(name, "a string", value)
    if not value:
        raise bad_request(f"{name} must not be empty")
    return value


def optional_text(fields: Fields, name: str) -> str | None:
    """A string, or None when it is absent."""
    value = fields.get(name)
    if name in fields and not isinstance(value, str):
        raise _mistyped(name, "a string", value)
    return value


def optional_texts(fields: Fields, name: str) -> tuple[str, ...]:
    """An array of strings, empty when it is absent."""
    value = fields.get(name, [])
    if not isinstance(value, list):
        raise _mistyped(name, "an array of strings", value)
    for place, each in enumerate(value):
        if not isinstance(each, str):
            raise _mistyped(f"{name}[{place}]", "a string", each)
    return tuple(value)


def optional_flag(fields: Fields, name: str) -> bool | None:
    """A boolean, or None when it is absent."""
    value = fields.get(name)
    if name in fields and not isinstance(value, bool):
        raise _mistyped(name, "a boolean", value)
    return value


def _mistyped(name: str, wanted: str, value: Any) -> RefusalError:
    return bad_request(f"{name} must be {wanted}, not {_KINDS[type(value)]}")


_KINDS = {
    str: "a string",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    list: "an array",
    dict: "an object",
    type(None): "null",
}
"""How JSON calls what Python makes of it."""


def one_of(value: str, name: str, allowed: Collection[str]) -> str:
    """The value, which must be one of those allowed."""
    if value not in allowed:
        raise bad_request(f"{name} must be one of {', '.join(allowed)}")
    return value


def is_e164(number: str) -> bool:
    """Whether a number has a plus, a country code and at most 15 digits."""
    return _E164.fullmatch(number) is not None


def e164(number: str, name: str) -> str:
    """The number, which must be e164."""
    if not is_e164(number):
        raise bad_request(f"{name} must be in e164 format")
    return number


def integer(text: str, name: str, *, low: int | None = None, high: int | None = None) -> int:
    """A decimal number within its bounds."""
    if not _INTEGER.fullmatch(text):
        raise bad_request(f"{name} must be an integer")
    value = int(text)
    if low is not None and value < low:
        raise bad_request(f"{name} must be at least {low}")
    if high is not None and value > high:
        raise bad_request(f"{name} must be at most {high}")
    return value
