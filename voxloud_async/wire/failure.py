"""From an HTTP library's exception to our own error, which states what is known and quotes nothing.

The library's texts hold URLs with their query, header lines and bytes of bodies. So the errors made here name classes
and error codes alone, and are raised outside the `except` clause: without a context, whose frames would hold the key.
"""

from __future__ import annotations

import errno
import ssl
from typing import TYPE_CHECKING, Literal

from ..errors import Phase, ProtocolError, RequestNotSentError, ResponseLostError, TransportError

if TYPE_CHECKING:
    from collections.abc import Iterator

Verdict = Literal["unusable", "not sent", "not HTTP", "unknown"]
"""What an exception proves by its class: the request can never be sent, was not sent, its answer is no HTTP."""

_LOST = {
    "send": "the request broke off on its way",
    "headers": "the connection broke before an answer came",
    "body": "the answer was cut short",
}


def failure(error: Exception, phase: Phase, verdict: Verdict) -> TransportError:
    """The error to raise for a library's exception that came in this phase."""
    cause = f"({', '.join(_names(error))})"
    if verdict == "unusable":
        return RequestNotSentError(f"the request cannot be sent {cause}", retryable=False)
    if verdict == "not sent" or phase == "connect":
        return RequestNotSentError(f"no connection to the service {cause}", retryable=not _hopeless(error))
    if verdict == "not HTTP" and phase != "body":
        return ProtocolError(f"the answer is not HTTP {cause}", phase=phase)
    return ResponseLostError(f"{_LOST[phase]} {cause}", phase=phase)


def timed_out(phase: Phase, timeout: float) -> TransportError:
    """The error to raise where `timeout` seconds ended in this phase."""
    if phase == "connect":
        return RequestNotSentError(f"no connection to the service within {timeout:g} s")
    return ResponseLostError(f"the answer was not complete within {timeout:g} s", phase=phase)


def _hopeless(error: Exception) -> bool:
    """A bad certificate, or a name that cannot be written for a look-up."""
    return any(isinstance(link, ssl.CertificateError | UnicodeError) for link in _chain(error))


def _names(error: Exception) -> Iterator[str]:
    yield type(error).__name__
    for link in _chain(error):
        if isinstance(link, ssl.SSLError) and (reason := getattr(link, "reason", None)):
            yield reason
            return
    for link in _chain(error):
        if isinstance(link, OSError) and (code := errno.errorcode.get(link.errno or 0)):
            yield code
            return


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
