"""An operation and its arguments to a request; a response to a value or an error."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from ..errors import ApiError, DecodeError, api_error
from ..wire.message import Headers, Request, Response
from . import codec, jsontext
from .operations import JSON, Operation
from .retry_after import retry_after

T = TypeVar("T")

_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_MESSAGE_KEYS = ("message", "error_description", "detail", "error", "title", "errors")
_SHORTEST_PERSONAL = 3


def build_request(
    operation: Operation[Any],
    base_url: str,
    user_agent: str,
    *,
    segment: str | None = None,
    query: Mapping[str, str] | None = None,
    body: object = None,
) -> Request:
    """The request of an operation; `segment` is the checked id in its path."""
    url = base_url + (operation.path if segment is None else operation.path.replace("{id}", segment))
    if query:
        url = f"{url}?{urlencode(query, quote_via=quote)}"  # "+" must arrive as %2B (anomaly C7)
    headers = [("Accept", operation.accept), ("User-Agent", user_agent)]
    content = None
    if body is not None:
        headers.append(("Content-Type", JSON))  # never without a body, whatever the samples do (G16)
        content = jsontext.dumps(body)
    return Request(
        method=operation.method,
        url=url,
        headers=Headers(headers),
        body=content,
        fresh_connection=not operation.safety.repeatable,
        max_body=operation.max_body,
    )


def read_response(operation: Operation[T], response: Response) -> T:
    """The value of a successful answer; raises DecodeError where it does not fit the operation's result."""
    result: Any = None
    if operation.result is bytes:
        result = response.body
    elif operation.result is not None:
        result = _decode(operation, response)
    return result  # type: ignore[no-any-return]


def read_error(operation: Operation[Any], request: Request, response: Response, *, wall: float) -> ApiError:
    """The error of an unsuccessful answer, whose body may be JSON, text, HTML or nothing (anomaly G8)."""
    body = _error_body(response.body)
    return api_error(
        response.status,
        _message(body),
        body,
        retry_after=retry_after(response.headers.get("Retry-After"), date=response.headers.get("Date"), wall=wall),
        personal=tuple(_strings(_sent(request))),
        operation=str(operation),
    )


def _decode(operation: Operation[Any], response: Response) -> Any:
    if operation.result is Any:
        return codec.decode(response.body, Any) if response.body.strip() else None
    try:
        return codec.decode(response.body, operation.result)
    except DecodeError as error:
        error.operation = str(operation)
        raise


def _error_body(body: bytes) -> object:
    try:
        return jsontext.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")


def _message(body: object) -> str:
    if isinstance(body, str):
        title = _TITLE.search(body)
        if title:
            return " ".join(title[1].split())
        return "" if body.lstrip().startswith("<") else body.strip().partition("\n")[0][:200]
    if isinstance(body, Mapping):
        found = (body[key] for key in _MESSAGE_KEYS if body.get(key))
        return next((str(value)[:200] for value in found), "")
    return ""


def _sent(request: Request) -> object:
    return None if request.body is None else jsontext.loads(request.body)


def _strings(value: object) -> Iterator[str]:
    """The values a caller sent, which the service may quote back in its error."""
    if isinstance(value, str):
        if len(value) >= _SHORTEST_PERSONAL:
            yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
