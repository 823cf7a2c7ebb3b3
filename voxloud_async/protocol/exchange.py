"""An operation and its arguments to a request; a response to a value or an error."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from ..errors import ApiError, ArgumentTypeError, DecodeError, InvalidArgumentError, api_error
from ..wire.message import Headers, Request, Response
from . import codec, jsontext
from .operations import JSON, Operation
from .page import Page
from .retry_after import retry_after
from .secrets import redacted, sent_texts
from .text import read_text

T = TypeVar("T")

_HEAD = 4096  # characters of an error page in which its title is looked for
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_DEEPEST_MESSAGE = 4
_MESSAGE_KEYS = ("message", "error_description", "detail", "error", "title", "errors")


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
    return Request(
        method=operation.method,
        url=url,
        headers=_headers(operation.accept, user_agent, with_body=body is not None),
        body=None if body is None else _written(body),
        fresh_connection=not operation.safety.repeatable,
        max_body=operation.max_body,
    )


def _written(body: object) -> bytes:
    try:
        return jsontext.dumps(body)
    except ValueError as error:
        fault: Exception = InvalidArgumentError("body", f"cannot be written as JSON: {error}")
    except TypeError as error:
        fault = ArgumentTypeError("body", f"cannot be written as JSON: {error}")
    raise fault


@cache
def _headers(accept: str, user_agent: str, *, with_body: bool) -> Headers:
    headers = [("Accept", accept), ("User-Agent", user_agent)]
    if with_body:
        headers.append(("Content-Type", JSON))  # never without a body, whatever the samples do (G16)
    return Headers(headers)


def read_response(operation: Operation[T], response: Response) -> T:
    """The value of a successful answer; raises DecodeError where it does not fit the operation's result."""
    result: Any = None
    if operation.result is str:
        result = _text(operation, response)
    elif operation.result is bytes:
        result = response.body
    elif operation.result is not None:
        result = _decode(operation, response, operation.result)
    elif response.body.strip():  # a proxy's sign-in page says nothing of a delete
        _decode(operation, response, Any)
    return result  # type: ignore[no-any-return]


def read_error(operation: Operation[Any], request: Request, response: Response, *, wall: float) -> ApiError:
    """The error of an unsuccessful answer, whose body may be JSON, text, HTML or nothing (anomaly G8)."""
    body = _error_body(redacted(response, request))
    return api_error(
        response.status,
        _message(body) or _target(response),
        body,
        retry_after=retry_after(response.headers.get("Retry-After"), date=response.headers.get("Date"), wall=wall),
        personal=sent_texts(request),
        operation=str(operation),
    )


def _text(operation: Operation[Any], response: Response) -> str:
    text = read_text(response)
    if text.lstrip().startswith("<"):
        raise DecodeError("the body is HTML, not CSV", body=response.body, operation=str(operation))
    return text


def _decode(operation: Operation[Any], response: Response, kind: Any) -> Any:
    body = response.body
    if operation.may_be_empty and not body.strip():
        body = b"null"
    try:
        value = codec.decode(body, kind)
        if operation.whole:
            _require_all(value, body)
    except DecodeError as error:
        error.operation = str(operation)
        raise
    return value


def _require_all(page: Page[Any], body: bytes) -> None:
    if page.has_next:
        raise DecodeError("the list goes on, and nothing tells how to read on", body=body)


def with_own_words(error: DecodeError, request: Request, response: Response) -> DecodeError:
    """The error with what the service says itself: some report an error with a status of success."""
    if "[" in error.path or "." in error.path:
        return error  # it is the answer that was asked for, but for this place
    body = _error_body(redacted(response, request))
    is_text = response.headers.get("Content-Type", "").startswith("text/plain")
    if not isinstance(body, Mapping) and not (isinstance(body, str) and (is_text or _TITLE.search(body[:_HEAD]))):
        return error
    return DecodeError(
        error.reason,
        path=error.path,
        body=error.body,
        message=_message(body),
        personal=sent_texts(request),
        operation=error.operation,
    )


def _error_body(body: str) -> object:
    try:
        value = jsontext.loads(body.encode())
    except ValueError:
        return body
    return body if jsontext.is_too_deep(value) else value


def _message(body: object) -> str:
    """What the service says of its error: a text it names so, the title of a page, the first line of a text."""
    if not isinstance(body, str):
        return _named_text(body)
    title = _TITLE.search(body[:_HEAD])
    if title:
        return " ".join(html.unescape(title[1]).split())
    return "" if body.lstrip().startswith("<") else body.strip().partition("\n")[0]


def _named_text(value: object) -> str:
    for _ in range(_DEEPEST_MESSAGE):  # {"errors": [{"message": "..."}]}
        if isinstance(value, Mapping):
            value = next((value[key] for key in _MESSAGE_KEYS if value.get(key)), None)
        elif isinstance(value, list):
            value = value[0] if value else None
    return value if isinstance(value, str) else ""


def _target(response: Response) -> str:
    """The host a redirect leads to; the rest of its address may hold what was sent."""
    try:
        host = urlsplit(response.headers.get("Location", "")).hostname
    except ValueError:
        return ""
    return f"to {host}" if host else ""
