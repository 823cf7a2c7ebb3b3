"""Error answers. The API's own are undocumented; Spring's default body is the likeliest (G8)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Literal

from attrs import evolve, field, frozen

from .exchange import Answer, as_json
from .times import basic_time

ErrorBody = Literal["json", "text", "html", "empty"]

_PAGE = """<!DOCTYPE html>
<html><head><title>{status} {phrase}</title></head>
<body><h1>{phrase}</h1><p>{message}</p></body></html>
"""

DOCS_PAGE = """<!DOCTYPE html>
<html><head><title>Voxloud API reference</title></head>
<body><h1>Introduction</h1><p>Welcome to the Voxloud API reference!</p></body></html>
"""


@frozen(kw_only=True)
class Trouble:
    """An error before it has a shape; `now` is milliseconds since 1970."""

    status: int
    message: str
    path: str
    now: int
    headers: Mapping[str, str] = field(factory=dict)

    def answer(self, body: ErrorBody) -> Answer:
        """The error in one of the shapes a server may give it."""
        return evolve(self._shaped(body), headers=self.headers)

    def _shaped(self, body: ErrorBody) -> Answer:
        phrase = HTTPStatus(self.status).phrase
        if body == "html":
            return html(self.status, _PAGE.format(status=self.status, phrase=phrase, message=self.message))
        if body == "text":
            return Answer(self.status, self.message.encode(), "text/plain; charset=utf-8")
        if body == "empty":
            return Answer(self.status)
        shape = {
            "timestamp": basic_time(self.now),
            "status": self.status,
            "error": phrase,
            "message": self.message,
            "path": self.path,
        }
        return as_json(shape, self.status)


def html(status: int, page: str) -> Answer:
    """A page where an API should answer."""
    return Answer(status, page.encode(), "text/html; charset=utf-8")
