"""A key that was refused several times in a row is not asked with again for a while: it was most likely revoked."""

from __future__ import annotations

import math
from collections.abc import Awaitable

from .._clock import Clock
from ..errors import ApiError, AuthenticationError
from ..protocol.operations import VALIDATE_AUTH
from ..wire.message import Response
from .call import Call, Handler
from .events import KeyRefused, Notify

IN_A_ROW = 3
SECONDS = 60.0


class Latch:
    """Shut for a minute after three 401 in a row; then one call asks, and its answer decides for all.

    It stands on both sides of the limiter: in front, so that nobody queues in vain, and behind, since the key may be
    refused while thousands queue. Validating the key always asks: it is how one finds out.
    """

    def __init__(self, clock: Clock, notify: Notify) -> None:
        self._clock = clock
        self._notify = notify
        self._row = 0
        self._until = -math.inf
        self._probing = False

    def guard(self, handler: Handler) -> Handler:
        """Turn calls away before they queue."""

        def send(call: Call) -> Awaitable[Response]:
            if self._turns_away(call):
                raise self._error(call)
            return handler(call)

        return send

    def watch(self, handler: Handler) -> Handler:
        """Turn calls away that were queueing meanwhile, and learn from the answers to the others."""

        def send(call: Call) -> Awaitable[Response]:
            return self._ask(handler, call) if self._is_shut else self._heard(handler, call)

        return send

    async def _ask(self, handler: Handler, call: Call) -> Response:
        if self._turns_away(call):
            raise self._error(call)
        probe = not self._probing
        self._probing = True
        try:
            return await self._heard(handler, call)
        finally:
            if probe:
                self._probing = False

    async def _heard(self, handler: Handler, call: Call) -> Response:
        try:
            response = await handler(call)
        except AuthenticationError:
            self._refused()
            raise
        except ApiError:
            self._open()
            raise
        if self._row:
            self._open()
        return response

    def _open(self) -> None:
        self._row, self._until = 0, -math.inf

    def _refused(self) -> None:
        self._row += 1
        if not self._is_shut:
            return
        now = self._clock.now()
        news = now >= self._until  # and not one more answer to what was under way
        self._until = now + SECONDS
        if news:
            self._notify(KeyRefused(SECONDS))

    @property
    def _is_shut(self) -> bool:
        return self._row >= IN_A_ROW

    def _turns_away(self, call: Call) -> bool:
        if not self._is_shut or call.operation.path == VALIDATE_AUTH.path:
            return False
        return self._probing or self._clock.now() < self._until

    def _error(self, call: Call) -> AuthenticationError:
        wait = max(0.0, self._until - self._clock.now())
        error = AuthenticationError(
            401, f"not sent: the service refused this key {self._row} times in a row; it is asked again in {wait:.0f} s"
        )
        error.sent = call.attempts > 0
        return error
