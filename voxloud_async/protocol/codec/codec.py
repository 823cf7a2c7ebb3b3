"""The converter and the ways through it."""

from __future__ import annotations

import codecs
from functools import cache
from typing import Any, cast

from cattrs import Converter

from ..._tracebacks import without_frames, without_traceback
from ...errors import DecodeError
from ...models import Model
from .. import jsontext
from . import envelopes, events, objects, scalars, webhooks
from .fault import FAULTS, locate
from .quick import quick_converter

_LARGE = 1024 * 1024  # bytes of which parsers take a millisecond to read the characters
_HEAD = 200  # bytes of a text by which it is recognised
_FIRST_BYTES = tuple(bytes([first]) for first in b'{["-0123456789tfn')

_QUICK_FAULTS = (*FAULTS, AttributeError, RecursionError)


def decode(text: bytes, kind: Any) -> Any:
    """Read JSON bytes into a type; raises DecodeError with the place and the reason, never with a value."""
    if len(text) < _LARGE or _may_be_json(text):
        try:
            return _quick_converter().structure(jsontext.quick_loads(text), kind)
        except _QUICK_FAULTS:
            pass  # and not from here: its frames hold what was read, and no error must lead to them
    try:
        return _decode_in_detail(text, kind)
    except DecodeError as error:
        without_traceback(error)
        raise


def _decode_in_detail(text: bytes, kind: Any) -> Any:
    """Once more from the text, since what was read of it is taken apart or lacks digits."""
    if not _may_be_json(text):
        raise DecodeError(_malformed(text), body=text)
    try:
        value = jsontext.loads(text)
    except ValueError:
        raise DecodeError(_malformed(text), body=text) from None
    return structure(value, kind, body=text)


@without_frames
def structure(value: object, kind: Any, *, body: bytes | None = None) -> Any:
    """Read a decoded JSON value into a type; raises DecodeError."""
    try:
        return converter().structure(value, kind)
    except (ValueError, TypeError, KeyError, ExceptionGroup) as error:
        path, reason = locate(error)
    # Not from above: the group behind it holds values, and IPython shows no traceback of its own where there is one.
    raise DecodeError(reason, path=path, body=body)


def unstructure(model: Model) -> dict[str, Any]:
    """A model as a wire object: wire names, absent fields left out, nulls and unknown fields put back."""
    return cast("dict[str, Any]", converter().unstructure(model))


@cache
def _quick_converter() -> Converter:
    return quick_converter(converter())


@cache
def converter() -> Converter:
    """The converter, made on first use."""
    made = Converter(detailed_validation=True)
    for concern in (scalars, objects, events, webhooks, envelopes):
        concern.configure(made)
    return made


def _may_be_json(text: bytes) -> bool:
    """Judge by the first bytes: parsers read the characters of the whole text before they look at it."""
    start = text[:_HEAD].removeprefix(codecs.BOM_UTF8).lstrip(b" \t\r\n")
    return start.startswith(_FIRST_BYTES) or (not start and len(text) > _HEAD)


def _malformed(text: bytes) -> str:
    start = text[:_HEAD].lstrip().lower()
    if not start:
        return "the body is empty"
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        return "the body is HTML, not JSON"
    return "the body is no JSON"
