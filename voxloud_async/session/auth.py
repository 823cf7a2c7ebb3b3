"""The key goes on a request just before it leaves, and to its own origin only."""

from __future__ import annotations

from collections.abc import Awaitable

from ..errors import ArgumentTypeError, InvalidArgumentError
from ..wire.message import Headers, Response, SecretText
from .call import Call, Handler

HEADER = "Voverc-Auth"


class ApiKey:
    """An API key that no repr, log or traceback shows."""

    __slots__ = ("_value",)

    def __init__(self, value: object) -> None:
        """Raises TypeError or ValueError for a key that does not fit a header; not even its locals show the key."""
        fault = _fault(value)
        if fault is not None:
            del value
            raise fault
        self._value = SecretText(value)

    def reveal(self) -> str:
        """The key itself."""
        return self._value

    def __repr__(self) -> str:
        return "ApiKey(***)"


def _fault(value: object) -> ArgumentTypeError | InvalidArgumentError | None:
    if not isinstance(value, str):
        return ArgumentTypeError("api_key", f"must be a string, not {type(value).__name__}")
    if not value:
        return InvalidArgumentError("api_key", "must not be empty")
    if not value.isascii() or not value.isprintable() or " " in value:
        return InvalidArgumentError("api_key", "must be visible ASCII characters without spaces")
    return None


def auth(handler: Handler, *, api_key: ApiKey, base_url: str) -> Handler:
    """Sign requests for the one origin the key belongs to."""
    origin = f"{base_url}/"
    signed: dict[tuple[tuple[str, str], ...], Headers] = {}  # of the few sets of headers that operations have

    def send(call: Call) -> Awaitable[Response]:
        headers = call.request.headers
        made = signed.get(headers.pairs())
        if made is not None or HEADER not in headers:
            if not call.request.url.startswith(origin):
                raise ValueError("the key goes to no other host")
            call.request.headers = sign(headers) if made is None else made
        return handler(call)

    def sign(headers: Headers) -> Headers:
        made = signed[headers.pairs()] = headers.with_header(HEADER, api_key.reveal())
        return made

    return send
