"""The error tree. An error states facts; the session's policy decides what to do about them.

VoxloudError
├── TransportError              no usable answer
│   ├── RequestNotSentError     nothing left this machine
│   └── ResponseLostError       it may have been executed
│       ├── ProtocolError       the answer is not HTTP
│       └── ResponseTooLargeError
├── OutcomeUnknownError         a create or a ring whose answer was lost
├── DeadlineExceededError       `max_wait` is spent
├── DecodeError                 the answer does not fit the API
├── ConflictError               the object changed since it was read
├── ClientClosedError
├── UsageError                  the client is used where it cannot work
├── WebhookError
└── ApiError                    the service answered with an error status
    ├── UnexpectedRedirectError 3xx
    ├── BadRequestError         400
    ├── AuthenticationError     401
    ├── PermissionDeniedError   403
    ├── NotFoundError           404
    ├── MethodNotAllowedError   405
    ├── NotAcceptableError      406
    ├── RateLimitedError        429
    └── ServerError             5xx
        └── ServiceUnavailableError 503

Bad arguments are no faults: they raise `InvalidArgumentError` (a `ValueError`) or `ArgumentTypeError` (a `TypeError`)
before anything is sent.
"""

from __future__ import annotations

import copyreg
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator

__all__ = [
    "ApiError",
    "ArgumentTypeError",
    "AuthenticationError",
    "BadRequestError",
    "ClientClosedError",
    "ConflictError",
    "DeadlineExceededError",
    "DecodeError",
    "InvalidArgumentError",
    "MethodNotAllowedError",
    "NotAcceptableError",
    "NotFoundError",
    "OutcomeUnknownError",
    "PermissionDeniedError",
    "Phase",
    "ProtocolError",
    "RateLimitedError",
    "RequestNotSentError",
    "ResponseLostError",
    "ResponseTooLargeError",
    "ServerError",
    "ServiceUnavailableError",
    "TransportError",
    "UnexpectedRedirectError",
    "UsageError",
    "VoxloudError",
    "WebhookError",
    "api_error",
    "mask",
]

Phase = Literal["connect", "send", "headers", "body", "limit", "backoff"]

_LONGEST = 200
_SHORTEST = 3  # letters of a value that is hidden inside of words too
_PERSONAL = re.compile(r"[^\s@<>\"']+@[^\s@<>\"']+|\+?\d(?:[\s().-]{0,3}\d){4,}")

_LONGEST_MESSAGE = 1000  # of a longer one the rest is not looked at: masking takes its time


def mask(text: str, personal: Iterable[str] = ()) -> str:
    """Hide e-mail addresses, phone-like numbers and the given values, in any case, in a text meant for a log."""
    values = sorted(filter(None, personal), key=len, reverse=True)
    if values:
        text = re.sub("|".join(map(_pattern, values)), "***", text, flags=re.IGNORECASE)
    return _PERSONAL.sub("***", text)


def _pattern(value: str) -> str:
    # "Al" stands in "invalid" too, but names of two letters are whole where scripts put no spaces between words
    pattern = re.escape(value)
    return rf"(?<!\w){pattern}(?!\w)" if len(value) < _SHORTEST and value.isascii() else pattern


class VoxloudError(Exception):
    """A fault, with its facts. Its text contains neither the key nor personal data, and its traceback no frame of ours.

    `operation` is the method and path template of the call, such as `GET /api/v1/contacts/{id}`, `host` the host that
    it was for, with the port where the base URL names one. `attempts` is how many requests were put on the wire, `sent`
    whether the last of them may have reached the service (None: not known), `retry_after` the seconds the service asked
    to wait.
    """

    def __init__(
        self,
        text: str = "",
        *,
        operation: str | None = None,
        host: str | None = None,
        attempts: int = 0,
        sent: bool | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(text)
        self.operation = operation
        self.host = host
        self.attempts = attempts
        self.sent = sent
        self.retry_after = retry_after

    def __str__(self) -> str:
        text = self.args[0] or type(self).__name__
        facts = [text, *self._where(text)]
        if self.attempts > 1:
            facts.append(f"{self.attempts} attempts")
        if self.retry_after is not None:
            facts.append(f"retry after {self.retry_after:g} s")
        return " | ".join(facts)

    def _where(self, text: str) -> Iterator[str]:
        """The operation, without the template's `{id}`, and the host unless the text names it."""
        if self.operation is not None:
            yield self.operation.replace("{id}", "...")
        if self.host is not None and self.host not in text:
            yield self.host

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self}>"

    def __reduce__(self) -> tuple[Any, ...]:
        # Not through __init__, whose arguments are facts and not `args`.
        return copyreg.__newobj__, (type(self), *self.args), self.__getstate__()  # type: ignore[attr-defined]

    def __getstate__(self) -> dict[str, Any]:
        return dict(self.__dict__)


class _ArgumentError(Exception):
    """What both errors of bad arguments have: `argument` is the parameter's name, `reason` what is wrong with it.

    `place` is where in the argument, such as `phones[1]`; the text begins with it.
    """

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(place, reason)
        self.place = place
        self.reason = reason

    @property
    def argument(self) -> str:
        """The name of the parameter."""
        return self.place.partition("[")[0].rpartition(" ")[2]

    def __str__(self) -> str:
        return f"{self.place} {self.reason}"


class InvalidArgumentError(_ArgumentError, ValueError):
    """An argument has a value that cannot be used; nothing was sent.

    `argument` is the parameter's name, `place` where in it, such as `phones[1]`, and `reason` what is wrong. The text,
    made of the last two, quotes no text that was given.
    """


class ArgumentTypeError(_ArgumentError, TypeError):
    """An argument is missing, unknown, or of another type; otherwise as `InvalidArgumentError`."""


class TransportError(VoxloudError):
    """No usable answer came; `phase` says how far the exchange got.

    `reason` says in words why, such as "name look-up failed" or "connection refused"; `code` is what the operating
    system, TLS or the HTTP library calls it, such as `ECONNREFUSED`. Both are None where that is not known.
    """

    def __init__(
        self,
        text: str = "",
        *,
        phase: Phase,
        sent: bool,
        reason: str | None = None,
        code: str | None = None,
        **facts: Any,
    ) -> None:
        super().__init__(text, sent=sent, **facts)
        self.phase: Phase = phase
        self.reason = reason
        self.code = code


class RequestNotSentError(TransportError):
    """The request never left: name look-up, refused connection, TLS, connect timeout. Safe to send again."""

    def __init__(self, text: str = "", *, phase: Phase = "connect", retryable: bool = True, **facts: Any) -> None:
        super().__init__(text, phase=phase, sent=False, **facts)
        self.retryable = retryable


class ResponseLostError(TransportError):
    """The request may have been executed, but its answer is lost: reset, cut, timed out."""

    def __init__(self, text: str = "", *, phase: Phase = "headers", **facts: Any) -> None:
        super().__init__(text, phase=phase, sent=True, **facts)


class ProtocolError(ResponseLostError):
    """What came back is not HTTP: a garbage status line, an oversized header."""


class ResponseTooLargeError(ResponseLostError):
    """The decoded body grew past its cap of `limit` bytes and was dropped."""

    def __init__(self, text: str = "", *, limit: int, **facts: Any) -> None:
        super().__init__(text or f"the body is larger than {limit} bytes", phase="body", **facts)
        self.limit = limit


class OutcomeUnknownError(VoxloudError):
    """A create or a ring was sent once and its response was lost: it may have happened. It is never sent again.

    `candidates` are the ids of the objects found that may be its result.
    """

    candidates: tuple[str, ...] = ()
    _look: Callable[[], Awaitable[tuple[Any, tuple[str, ...]]]] | None = None

    def __init__(self, text: str = "", **facts: Any) -> None:
        super().__init__(text or "it may or may not have happened", sent=True, **facts)

    async def resolve(self) -> Any:
        """Look for the result once more and return it, or None where it is not found or cannot be told from others.

        None does not prove that nothing happened. Updates `candidates`. Raises UsageError where the error has no means
        to look, after pickling and for `client.request`, and the errors of its requests.
        """
        if self._look is None:
            raise UsageError("the error cannot look for its result: it was pickled, or is of a request of your own")
        result, self.candidates = await self._look()
        return result

    def resolve_with(self, look: Callable[[], Awaitable[tuple[Any, tuple[str, ...]]]]) -> None:
        """Set how `resolve` looks: a callable that returns the result or None, and the ids of candidates."""
        self._look = look

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_look"}


class DeadlineExceededError(VoxloudError):
    """`max_wait` does not suffice; `phase` says what the call was waiting for, `__cause__` why.

    `wait` is how many seconds its next attempt was away, where that was known.
    """

    def __init__(
        self, text: str = "", *, phase: Phase, max_wait: float, wait: float | None = None, **facts: Any
    ) -> None:
        super().__init__(text or f"max_wait of {max_wait:g} s does not suffice ({phase})", **facts)
        self.phase: Phase = phase
        self.max_wait = max_wait
        self.wait = wait


class DecodeError(VoxloudError):
    """The answer does not fit the API. `path` is the place in wire names, such as `content[3].duration`.

    `message` is what the service says itself, where its answer is that of an error although its status is not, such as
    `{"error": "quota exceeded"}`. It and `body` may contain personal data; the error's text masks the first.
    """

    def __init__(
        self,
        reason: str,
        *,
        path: str = "",
        body: bytes | None = None,
        message: str = "",
        personal: Iterable[str] = (),
        **facts: Any,
    ) -> None:
        text = f"{path}: {reason}" if path else reason
        if message:
            text = f'{text}; the service says "{_masked(message, personal)}"'
        super().__init__(text, **facts)
        self.reason = reason
        self.path = path
        self.body = body
        self.message = message


class ConflictError(VoxloudError):
    """The object changed since it was read; nothing was written."""


class ClientClosedError(VoxloudError):
    """The client is closed, or was closed while the call was under way."""


class UsageError(VoxloudError, RuntimeError):
    """Something is used where it cannot work: a client in two running loops or after a fork, a bulk run twice."""


class WebhookError(VoxloudError):
    """A delivery that is no webhook of this service."""


class ApiError(VoxloudError):
    """The service answered with an error status.

    `message` and `body` are the service's own words and may hold personal data; the error's text masks them.
    """

    def __init__(
        self,
        status: int,
        message: str = "",
        body: object = None,
        retry_after: float | None = None,
        attempts: int = 1,
        *,
        personal: Iterable[str] = (),
        operation: str | None = None,
        host: str | None = None,
    ) -> None:
        super().__init__(
            _status_line(status, _masked(message, personal)),
            operation=operation,
            host=host,
            attempts=attempts,
            sent=True,
            retry_after=retry_after,
        )
        self.status = status
        self.message = message
        self.body = body


class UnexpectedRedirectError(ApiError):
    """3xx. A redirect is never followed: it would carry the key and the body elsewhere."""


class BadRequestError(ApiError):
    """400: the request is not well-formed."""


class AuthenticationError(ApiError):
    """401: the API key is wrong. Where `sent` is False the service said so several times before, and was not asked."""


class PermissionDeniedError(ApiError):
    """403: the resource is not accessible with this key."""


class NotFoundError(ApiError):
    """404: the resource could not be found."""


class MethodNotAllowedError(ApiError):
    """405: the endpoint does not know this method."""


class NotAcceptableError(ApiError):
    """406: the format is not offered."""


class RateLimitedError(ApiError):
    """429: too many requests."""


class ServerError(ApiError):
    """5xx: the service failed; the request may have been executed."""


class ServiceUnavailableError(ServerError):
    """503: offline for maintenance."""


_BY_STATUS: dict[int, type[ApiError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    405: MethodNotAllowedError,
    406: NotAcceptableError,
    429: RateLimitedError,
    503: ServiceUnavailableError,
}


def api_error(
    status: int,
    message: str = "",
    body: object = None,
    *,
    retry_after: float | None = None,
    personal: Iterable[str] = (),
    operation: str | None = None,
    host: str | None = None,
) -> ApiError:
    """The error of a status; codes the API text does not list fall to the class of their range."""
    ranges = {3: UnexpectedRedirectError, 5: ServerError}
    kind = _BY_STATUS.get(status) or ranges.get(status // 100, ApiError)
    return kind(status, message, body, retry_after, personal=personal, operation=operation, host=host)


def _masked(message: str, personal: Iterable[str]) -> str:
    return mask(message[:_LONGEST_MESSAGE], personal)[:_LONGEST]


def _status_line(status: int, message: str) -> str:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "unlisted status"
    return f"{status} {phrase}: {message}" if message else f"{status} {phrase}"
