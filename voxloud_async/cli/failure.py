"""How errors reach a user at a terminal: exit codes, and one line of plain words made from the errors' attributes."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import (
    ApiError,
    ArgumentTypeError,
    AuthenticationError,
    DeadlineExceededError,
    DecodeError,
    InvalidArgumentError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    Phase,
    RateLimitedError,
    RequestNotSentError,
    ServerError,
    TransportError,
    UnexpectedRedirectError,
    VoxloudError,
)

DONE = 0
NOT_ALL = 1
USAGE = 2
KEY_REFUSED = 3
NOT_FOUND = 4
REFUSED = 5
UNAVAILABLE = 6
UNKNOWN = 7
NOT_UNDERSTOOD = 8
INTERRUPTED = 130
PIPE_CLOSED = 141
SIGNALLED = 128
"""To which the number of the signal is added."""

# The first that fits counts.
_VERDICTS: tuple[tuple[type[VoxloudError], int, str], ...] = (
    (AuthenticationError, KEY_REFUSED, "is VOXLOUD_API_KEY the right key?"),
    (PermissionDeniedError, KEY_REFUSED, "this key may not do that"),
    (NotFoundError, NOT_FOUND, "is the id right?"),
    (RateLimitedError, UNAVAILABLE, "wait, or send slower with --rate"),
    (ServerError, UNAVAILABLE, "try again later"),
    (UnexpectedRedirectError, REFUSED, "is the base URL right?"),
    (ApiError, REFUSED, "the service does not take it as it is"),
    (OutcomeUnknownError, UNKNOWN, "look whether it happened before you try again"),
    (DeadlineExceededError, UNAVAILABLE, "allow more time with --max-wait"),
    (RequestNotSentError, UNAVAILABLE, "is the service reachable, and the base URL right?"),
    (TransportError, UNAVAILABLE, "try again, perhaps with a longer --timeout"),
    (DecodeError, NOT_UNDERSTOOD, "the service speaks differently than its documentation; please report it"),
    (VoxloudError, NOT_ALL, "please report it"),
)

_AWAITED: dict[Phase, str] = {
    "connect": "a connection",
    "send": "the request to be sent",
    "headers": "an answer",
    "body": "the rest of the answer",
    "limit": "the service to take requests again",
    "backoff": "the next attempt",
}

_REASONS = {
    "RateLimitedError": "the service takes no more requests for now",
    "ServiceUnavailableError": "the service is under maintenance",
    "ServerError": "the service reports errors of its own",
    "RequestNotSentError": "the service cannot be reached",
    "ResponseLostError": "answers of the service get lost",
    "ProtocolError": "the answers are not HTTP",
}
"""Words for the classes of errors that events name."""

_OPTIONS = {
    "api_key": "VOXLOUD_API_KEY",
    "base": "the URL",
    "base_url": "--base-url, or else VOXLOUD_BASE_URL,",
    "columns": "--map",
    "date_time_from": "--from",
    "date_time_to": "--to",
    "encoding": "--encoding",
    "event_type": "--event",
    "file": "the file",
    "hosts": "--host",
    "max_items": "--limit",
    "secret": "VOXLOUD_WEBHOOK_SECRET",
    "since": "--backfill",
    "target": "--output",
}
"""What a user typed for an argument of the library, where its name is another."""


def judge(error: VoxloudError) -> tuple[int, str]:
    """The exit code and the line for an error, which contains neither key nor personal data."""
    code, hint = next((code, hint) for kind, code, hint in _VERDICTS if isinstance(error, kind))
    if isinstance(error, DeadlineExceededError) and isinstance(error.__cause__, TransportError):
        hint = "is the service reachable, and the base URL right?"
    return code, f"{in_words(error)} ({hint})"


def in_words(error: VoxloudError) -> str:
    """What happened, where and after how many attempts."""
    text = what(error)
    where = f", at {error.host}" if error.host and error.host not in text else ""
    tries = f", after {error.attempts} attempts" if error.attempts > 1 else ""
    later = f", to be tried again in {error.retry_after:.0f} s" if error.retry_after else ""
    return f"{text}{where}{tries}{later}"


def what(error: VoxloudError) -> str:
    """What happened, alone."""
    if isinstance(error, DeadlineExceededError):
        waited = f"--max-wait of {error.max_wait:g} s is too short to wait for {_AWAITED[error.phase]}"
        return f"{what(error.__cause__)}; {waited}" if isinstance(error.__cause__, VoxloudError) else waited
    return str(error.args[0]) or "something went wrong"


def reason(name: str) -> str:
    """Why calls wait, from the class of the error that an event names."""
    return _REASONS.get(name, "the service does not answer")


def as_typed(error: Exception, tokens: Sequence[str]) -> str:
    """The line for wrong usage. A bad argument of the library is named by the option that was typed for it."""
    if not isinstance(error, InvalidArgumentError | ArgumentTypeError):
        return str(error)
    option = f"--{error.argument.replace('_', '-')}"
    is_typed = any(token.partition("=")[0] == option for token in tokens)
    return f"{option if is_typed else _OPTIONS.get(error.argument, error.place)} {error.reason}"
