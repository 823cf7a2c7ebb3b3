"""Error answers. The API's own are undocumented; Spring's default body is the likeliest (G8)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Literal

from attrs import evolve

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


def error_answer(
    status: int,
    message: str,
    *,
    path: str,
    now: int,
    body: ErrorBody = "json",
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """An error in one of the shapes a server may give it."""
    status = HTTPStatus(status)
    if body == "html":
        answer = html(status, _PAGE.format(status=status.value, phrase=status.phrase, message=message))
    elif body == "text":
        answer = Answer(status, message.encode(), "text/plain; charset=utf-8")
    elif body == "empty":
        answer = Answer(status)
    else:
        shape = {
            "timestamp": basic_time(now),
            "status": status.value,
            "error": status.phrase,
            "message": message,
            "path": path,
        }
        answer = as_json(shape, status)
    return evolve(answer, headers=headers or {})


def html(status: int, page: str) -> Answer:
    """A page where an API should answer."""
    return Answer(status, page.encode(), "text/html; charset=utf-8")
