"""What resources know of the session: how to make a call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeVar

from ..protocol.operations import Operation
from .claims import Claims

T = TypeVar("T")


class Caller(Protocol):
    """Carries an operation out."""

    @property
    def base_url(self) -> str:
        """Where the service is."""
        ...

    @property
    def claims(self) -> Claims:
        """What creates were answered with so far."""
        ...

    async def call(
        self,
        operation: Operation[T],
        *,
        segment: str | None = None,
        query: Mapping[str, str] | None = None,
        body: object = None,
        started: float | None = None,
    ) -> T:
        """Send the operation and read its result.

        `segment` is the checked id in its path, `started` the time (see `now`) from which `max_wait` counts.
        """
        ...

    def now(self) -> float:
        """Monotonic seconds."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    def service_time(self) -> float:
        """Seconds since 1970 by the service's clock."""
        ...
