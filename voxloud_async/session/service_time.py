"""What time it is at the service, by the `Date` of its last answer: this machine's clock may be wrong."""

from __future__ import annotations

from .._clock import Clock
from ..protocol.retry_after import http_date
from ..wire.message import Headers


class ServiceTime:
    """Remembers the last answer's headers, and reads them only when asked."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heard: tuple[Headers, float] | None = None

    def hear(self, headers: Headers, at: float) -> None:
        """Take note of an answer that came at a time of the clock."""
        self._heard = (headers, at)

    def seconds(self) -> float:
        """Seconds since 1970 at the service, exact to the second; this machine's where no answer told."""
        if self._heard is not None:
            headers, at = self._heard
            told = http_date(headers.get("Date", ""))
            if told is not None:
                return told + self._clock.now() - at
        return self._clock.wall()
