"""From an HTTP library's exception to our own error, which states what is known and quotes nothing.

The library's texts hold URLs with their query, header lines and bytes of bodies. So the errors made here name the host
and the cause in words of our own, and are raised outside the `except` clause: without a context, whose frames would
hold the key.
"""

from __future__ import annotations

import errno
import socket
import ssl
from typing import TYPE_CHECKING, Literal

from ..errors import Phase, ProtocolError, RequestNotSentError, ResponseLostError, TransportError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Verdict = Literal["unusable", "not sent", "not HTTP", "unknown"]
"""What an exception proves by its class: the request can never be sent, was not sent, its answer is no HTTP."""

_LOST = {
    "send": "the request to {host} broke off on its way",
    "headers": "the connection to {host} broke before an answer came",
    "body": "the answer of {host} was cut short",
}

_REASONS = {
    "ECONNABORTED": "connection aborted",
    "ECONNREFUSED": "connection refused",
    "ECONNRESET": "connection reset",
    "EHOSTDOWN": "host is down",
    "EHOSTUNREACH": "no route to host",
    "EMFILE": "too many open files",
    "ENETDOWN": "network is down",
    "ENETUNREACH": "network is unreachable",
    "EPIPE": "connection closed by the other side",
    "ETIMEDOUT": "connection timed out",
}
"""Words for what the operating system calls by a code."""


def failure(error: Exception, phase: Phase, verdict: Verdict, host: str) -> TransportError:
    """The error to raise for a library's exception that came in this phase."""
    reason, code = _cause(error)
    why = f" ({reason})" if reason else ""
    if verdict == "unusable":
        return RequestNotSentError("the request cannot be sent: its URL is unusable", retryable=False, code=code)
    if verdict == "not sent" or phase == "connect":
        text, retryable = f"no connection to {host}{why}", not _hopeless(error)
        return RequestNotSentError(text, retryable=retryable, reason=reason, code=code, host=host)
    if verdict == "not HTTP" and phase != "body":
        return ProtocolError(f"the answer of {host} is not HTTP", phase=phase, code=code, host=host)
    text = _LOST[phase].format(host=host)
    return ResponseLostError(f"{text}{why}", phase=phase, reason=reason, code=code, host=host)


def timed_out(phase: Phase, timeout: float, host: str) -> TransportError:
    """The error to raise where `timeout` seconds ended in this phase."""
    if phase == "connect":
        return RequestNotSentError(f"no connection to {host} within {timeout:g} s", reason="timed out", host=host)
    text = f"the answer of {host} was not complete within {timeout:g} s"
    return ResponseLostError(text, phase=phase, reason="timed out", host=host)


def _hopeless(error: Exception) -> bool:
    """A bad certificate, or a name that cannot be written for a look-up."""
    return any(isinstance(link, ssl.CertificateError | UnicodeError) for link in _chain(error))


def _cause(error: Exception) -> tuple[str | None, str]:
    """Why it failed, in words where there are any, and the code for it."""
    links = list(_chain(error))
    if any(isinstance(link, ssl.SSLError) for link in links):
        return _tls(links)
    for link in links:
        if isinstance(link, socket.gaierror | UnicodeError):
            return "name look-up failed", _name_code(link)
    for link in links:
        if isinstance(link, OSError) and (code := errno.errorcode.get(link.errno or 0)):
            return _REASONS.get(code), code
    return None, type(error).__name__


def _tls(links: Sequence[BaseException]) -> tuple[str, str]:
    """What TLS says. Libraries derive from its errors, and theirs lack its facts."""
    reasons = [reason for link in links if isinstance(reason := getattr(link, "reason", None), str)]
    messages = [message for link in links if isinstance(message := getattr(link, "verify_message", None), str)]
    words = f"TLS: {messages[0]}" if messages else "TLS failed"
    return words, reasons[0] if reasons else type(links[-1]).__name__


def _name_code(error: Exception) -> str:
    code = error.errno if isinstance(error, socket.gaierror) else None
    names = (name for name in dir(socket) if name.startswith("EAI_") and getattr(socket, name) == code)
    return next(names, type(error).__name__)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception and what it came from; of a group of them, as of one for each address, the last one."""
    while error is not None:
        yield error
        cause = error.__cause__ or error.__context__
        error = error.exceptions[-1] if isinstance(error, BaseExceptionGroup) else cause
