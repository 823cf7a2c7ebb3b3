"""What resources know of the session: how to make a call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeVar

from ..protocol.operations import Operation
from .created_ids import CreatedIds

T = TypeVar("T")


class Caller(Protocol):
    """Carries an operation out."""

    @property
    def base_url(self) -> str:
        """Where the service is."""
        ...

    @property
    def created_ids(self) -> CreatedIds:
        """Whose result each object is that this client created."""
        ...

    async def call(
        self,
        operation: Operation[T],
        *,
        segment: str | None = None,
        query: Mapping[str, str] | None = None,
        body: object = None,
    ) -> T:
        """Send the operation and read its result; `segment` is the checked id in its path."""
        ...

    def since(self, started: float | None) -> Caller:
        """Return a caller whose calls count `max_wait` from this time (see `now`), or each from its beginning."""
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
