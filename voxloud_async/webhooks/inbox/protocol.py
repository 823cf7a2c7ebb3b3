"""What every inbox promises: stored before it is acknowledged, handled at least once, and never under way twice."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Literal, Protocol

from attrs import field, frozen

from ...errors import VoxloudError

Origin = Literal["webhook", "backfill"]

KEPT = 73 * 3600.0
"""Seconds for which the key of a handled delivery is remembered, so that a late duplicate is known as one.

An hour more than the 72 that a back-fill may look back: it reads records from a little earlier as well.
"""

EVERYTHING = "*"
"""Stands for all event types."""


@frozen(kw_only=True)
class Delivery:
    """One event to be handled. `key` is the same for every copy of it, `received` is seconds since 1970.

    `type` is the event type by which workers choose, `fingerprint` the content by which a revision is known.
    """

    key: str
    body: bytes = field(repr=False)
    origin: Origin = "webhook"
    received: float
    type: str = "unknown"
    fingerprint: str = field(default="", repr=False)


@frozen
class Selection:
    """Deliveries of some event types, or with `others` of all but those, that have been due for `waited` seconds."""

    types: frozenset[str] = frozenset()
    others: bool = False
    waited: float = 0.0

    def __bool__(self) -> bool:
        return bool(self.types) or self.others

    def has(self, event_type: str) -> bool:
        """Whether deliveries of this type are among them."""
        return (event_type in self.types) is not self.others


EVERY = Selection(others=True)
"""All deliveries that are due."""


@frozen(kw_only=True)
class Lease:
    """A delivery that one worker may handle until `until`; `run` counts the handlings begun, this one included.

    `token` tells this lease from a later one of the same delivery: what a worker says after its lease went to another
    changes nothing.
    """

    delivery: Delivery
    token: str
    until: float
    run: int


@frozen(kw_only=True)
class DeadLetter:
    """A delivery that was given up after `runs` handlings; `error` is the class of what the last one raised."""

    delivery: Delivery
    runs: int
    error: str
    died: float


@frozen(kw_only=True)
class Counts:
    """How many deliveries wait (leased ones included), are leased, are dead, and are remembered: done or discarded."""

    waiting: int
    leased: int
    dead: int
    done: int


class InboxError(VoxloudError):
    """The store cannot be used: closed, out of reach, damaged, or not an inbox. What was to be stored may not be."""


class InboxFullError(InboxError):
    """The inbox holds as many waiting deliveries as it may; the sender is to try again later."""


class Inbox(Protocol):
    """A durable queue of deliveries. Every method may be called by many tasks at once; times are seconds.

    A store that does not do what it is asked raises InboxError.
    """

    async def add(self, deliveries: Sequence[Delivery]) -> frozenset[str]:
        """Store deliveries, all of them or none, and return the keys that were new.

        What it returned is durable. A key that waits, is dead, or was done or discarded within the last `KEPT` seconds
        is not stored again. Raises InboxFullError.
        """
        ...

    async def lease(self, limit: int, seconds: float, of: Selection = EVERY) -> Sequence[Lease]:
        """Take up to `limit` deliveries that are due, the earliest first; those whose lease ran out are due again."""
        ...

    async def extend(self, lease: Lease, seconds: float) -> Lease | None:
        """Hold a delivery for `seconds` from now; None where the lease went to another."""
        ...

    async def done(self, lease: Lease) -> bool:
        """It was handled: keep its key, drop its body. False where the lease went to another."""
        ...

    async def retry(self, lease: Lease, delay: float, error: str) -> bool:
        """Handling failed: make it due again after `delay`. False where the lease went to another."""
        ...

    async def release(self, lease: Lease) -> bool:
        """Give it back, due at once, as if it had not been taken. False where the lease went to another."""
        ...

    async def bury(self, lease: Lease, error: str) -> bool:
        """Give it up: a dead letter, body and all. False where the lease went to another."""
        ...

    async def known(self, keys: Collection[str]) -> frozenset[str]:
        """Those of the keys that wait, are dead, or were done or discarded within the last `KEPT` seconds."""
        ...

    async def fingerprints(self, keys: Collection[str]) -> Mapping[str, str]:
        """The fingerprints of those of the keys that are known."""
        ...

    async def announce(self, types: Collection[str], seconds: float) -> None:
        """Note that a process handles these event types, or `EVERYTHING`, for so many seconds from now."""
        ...

    async def announced(self) -> frozenset[str]:
        """The event types that some process handles now."""
        ...

    async def dead_letters(self, limit: int = 100) -> Sequence[DeadLetter]:
        """The dead letters, the latest first."""
        ...

    async def replay(self, keys: Collection[str]) -> int:
        """Make dead letters due again, with their runs counted anew; how many there were."""
        ...

    async def discard(self, keys: Collection[str]) -> int:
        """Forget dead letters: keep their keys as those of what was handled, drop their bodies; how many there were."""
        ...

    async def due_in(self, of: Selection = EVERY) -> float | None:
        """Seconds until something of these is due, 0 where it is already; None where nothing waits."""
        ...

    async def counts(self) -> Counts:
        """What it holds."""
        ...

    async def aclose(self) -> None:
        """Let go of files and connections. What is leased comes due again by itself."""
        ...
