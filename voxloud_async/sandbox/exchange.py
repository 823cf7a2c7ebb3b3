"""A request as the PBX sees it, an answer as it gives it; no sockets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from attrs import field, frozen

JSON = "application/json"
CSV = "text/csv"


@frozen(kw_only=True)
class Call:
    """One request that arrived. `path` is still percent-encoded, header names are lower-case."""

    method: str
    path: str
    query_string: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    unreadable: RefusalError | None = None
    """Why the body could not be read, None where it could."""

    @property
    def key(self) -> str:
        """The API key sent, empty when there is none."""
        return self.headers.get("voverc-auth", "")

    @property
    def query(self) -> dict[str, str]:
        """Query parameters; the first of a name counts, and a blank one, as forms send it, is absent."""
        pairs = parse_qsl(self.query_string)
        return dict(reversed(pairs))


@frozen
class Answer:
    """Status, body and what to say about it."""

    status: int
    body: bytes = field(default=b"", repr=False)
    content_type: str = JSON
    headers: Mapping[str, str] = field(factory=dict)


class RefusalError(Exception):
    """The request is not carried out; `status` and `message` say why."""

    def __init__(self, status: HTTPStatus, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers or {}


def bad_request(message: str) -> RefusalError:
    """400, the API's only validation code (G12)."""
    return RefusalError(HTTPStatus.BAD_REQUEST, message)


def not_found(what: str) -> RefusalError:
    """404."""
    return RefusalError(HTTPStatus.NOT_FOUND, f"{what} not found")


def as_json(value: Any, status: int = HTTPStatus.OK) -> Answer:
    """An answer with a JSON body."""
    return Answer(status, json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
