"""The seam between the session layer and an HTTP library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .message import Request, Response


class Transport(Protocol):
    """One HTTP exchange, no policy.

    The contract, which one conformance suite holds every transport to over real sockets:

    - `send` puts the request on the wire exactly once. It never retries, never follows a redirect, never stores or
      sends a cookie, takes no proxy or credential from the environment, and logs no header.
    - A status is no fault: every answer that is HTTP is returned, 500 and 302 too. Content codings are undone.
    - It raises `RequestNotSentError` where provably nothing of the request was executed (name look-up, refused
      connection, TLS, connect timeout, the wait for a connection of the pool) and `ResponseLostError` for anything
      after the first byte may have left; an answer that is not HTTP is its `ProtocolError`, a decoded body above
      `request.max_body` its `ResponseTooLargeError`. Nothing else comes out, but cancellation, which always does and
      leaves no connection behind.
    - `timeout` (seconds) bounds the exchange up to the last byte of the body. Where `request.stream` is set, it bounds
      the exchange up to the headers and then the wait for each chunk, and `max_body` does not apply.
    - A request with `fresh_connection` rides on a connection of its own.
    - A transport may be made outside an event loop and used in one loop after another; in a second loop while the first
      still runs, and after a fork, it raises `UsageError`.
    - `aclose` ends idle connections and may be called twice; `send` after it raises `ClientClosedError`.
    """

    async def send(self, request: Request, *, timeout: float) -> Response:  # noqa: ASYNC109 - the transport's own clock
        """Send one request and read its answer."""
        ...

    async def aclose(self) -> None:
        """Give back every connection."""
        ...
