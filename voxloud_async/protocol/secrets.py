"""What a request held that its error must not show."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl, quote, urlsplit

from ..wire.message import SECRET_HEADERS, Request, Response
from . import jsontext

_SHORTEST = 3


def redacted(response: Response, request: Request) -> str:
    """The body of an answer as text, without the values of the request's secret headers."""
    text = response.body.decode("utf-8", "replace")
    for name, value in request.headers.pairs():
        if name.lower() in SECRET_HEADERS and value:
            for spelling in (value, json.dumps(value)[1:-1], html.escape(value), quote(value, safe="")):
                text = text.replace(spelling, "***")
    return text


def sent_texts(request: Request) -> tuple[str, ...]:
    """The texts a caller sent, as they are and as the URL has them: the service may quote them back."""
    query = urlsplit(request.url).query
    texts = [value for _, value in parse_qsl(query)]
    texts += [pair.partition("=")[2] for pair in query.split("&")]
    if request.body is not None:
        texts += _strings(jsontext.loads(request.body))
    return tuple(text for text in dict.fromkeys(texts) if len(text) >= _SHORTEST)


def _strings(value: object) -> Iterator[str]:
    waiting = [value]
    while waiting:  # no recursion: a body may be nested as deep as the stack allows
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, Mapping):
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item
