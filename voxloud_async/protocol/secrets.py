"""What a request held that its error must not show."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from html.entities import html5
from urllib.parse import parse_qsl, urlsplit

from ..wire.message import SECRET_HEADERS, Request, Response

_LONGEST = 64 * 1024

_SMALL_NUMBER = re.compile(r"[0-9]{1,2}", re.ASCII)
"""No personal data, and most likely the page that was asked for."""

_STRING = re.compile(rb"""("(?:[^"\\]|\\.)*+")(:?)""")
"""A string of compact JSON, and the colon after it where it is a name."""


def redacted(response: Response, request: Request) -> str:
    """The body of an error as text, without the values of the request's secret headers, however it spells them.

    Of a long one the first 64 KiB: to look through it takes a millisecond for each six of them.
    """
    text = response.body[:_LONGEST].decode("utf-8", "replace")
    for name, value in request.headers.pairs():
        if name.lower() in SECRET_HEADERS and value:
            text = re.sub("".join(map(_spellings, value)), "***", text)
    return text


@cache
def _spellings(character: str) -> str:
    """A pattern of what JSON, HTML and URLs may write for a character."""
    code, plain = ord(character), re.escape(character)
    numbers = rf"(?i:%{code:02x}|\\u{code:04x}|&#0*{code};?|&#x0*{code:x};?)"
    names = [f"&{re.escape(name)}" for name, meant in html5.items() if meant == character]
    return rf"(?:{'|'.join([numbers, *names])}|\\?{plain})"


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
