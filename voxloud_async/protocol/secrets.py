"""What a request held that its error must not show."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from ..wire.message import SECRET_HEADERS, Request

_SMALL_NUMBER = re.compile(r"[0-9]{1,2}", re.ASCII)
"""No personal data, and most likely the page that was asked for."""

_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))", re.DOTALL)

_STRING = re.compile(rb"""("(?:[^"\\]|\\.)*+")(:?)""")
"""A string of compact JSON, and the colon after it where it is a name."""


def redacted(text: str, request: Request) -> str:
    """A text of the service without the values of the request's secret headers, however it spells them."""
    for name, value in request.headers.pairs():
        if name.lower() in SECRET_HEADERS and value:
            for spelling in (value, json.dumps(value)[1:-1], html.escape(value), quote(value, safe="")):
                text = text.replace(spelling, "***")
            for undo in (html.unescape, unquote, _without_escapes):  # any character may be written otherwise
                if value in undo(text):
                    text = undo(text).replace(value, "***")
    return text


def _without_escapes(text: str) -> str:
    """JSON that was cut short, or stands in another text."""
    return _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)) if escape[1] else escape[2], text)


def redacted_json(value: object, request: Request) -> object:
    """The same of a JSON value; raises ValueError where no JSON would be left of it."""
    # Written anew, because JSON may spell any character of a key as an escape.
    return json.loads(redacted(json.dumps(value), request))


def sent_texts(request: Request) -> tuple[str, ...]:
    """The texts a caller sent, as they are and as the URL has them: the service may quote them back."""
    query = urlsplit(request.url).query
    texts = [value for _, value in parse_qsl(query)]
    texts += [pair.partition("=")[2] for pair in query.split("&")]
    texts += _strings(request.body or b"")
    return tuple(text for text in dict.fromkeys(texts) if text.strip() and not _SMALL_NUMBER.fullmatch(text))


def _strings(body: bytes) -> Iterator[str]:
    # The body is not parsed: it may be nested as deep as the stack allowed when it was written.
    return (json.loads(string[1]) for string in _STRING.finditer(body) if not string[2])
