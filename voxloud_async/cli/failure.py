"""Exit codes, and the one line in which an error is told."""

from __future__ import annotations

from ..errors import (
    ApiError,
    AuthenticationError,
    DeadlineExceededError,
    DecodeError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
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
TERMINATED = 143

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


def judge(error: VoxloudError) -> tuple[int, str]:
    """The exit code and the line for an error; its text holds neither key nor personal data."""
    code, hint = next((code, hint) for kind, code, hint in _VERDICTS if isinstance(error, kind))
    if isinstance(error, DeadlineExceededError) and isinstance(error.__cause__, TransportError):
        hint = "the service is not reachable; is the base URL right?"
    return code, f"{error} ({hint})"
