"""Every store an inbox can live in, on real servers, with a clock that tests move."""

from __future__ import annotations

import importlib.util
import time
from typing import TYPE_CHECKING, Any

from attrs import define, field

from voxloud_async.webhooks.inbox import Delivery
from voxloud_async.webhooks.inbox.postgres import PostgresInbox
from voxloud_async.webhooks.inbox.redis import RedisInbox
from voxloud_async.webhooks.inbox.sqlite import SqliteInbox

if TYPE_CHECKING:
    from collections.abc import Sequence

    from voxloud_async.webhooks.inbox import Inbox

SHARED = ("sqlite", "postgres", "redis")
"""Stores that several inboxes, and processes, have in common."""

HAS_MEMORY = importlib.util.find_spec("voxloud_async.webhooks.inbox.memory") is not None
EVERY = ("memory", *SHARED) if HAS_MEMORY else SHARED


@define
class Store:
    """A store of a kind; `place` is a path or a URL, and `name` tells it from others at the same place."""

    kind: str
    place: str
    name: str
    ahead: float = 0.0
    opened: list[Inbox] = field(factory=list, init=False)

    def open(self, max_waiting: int = 10_000) -> Inbox:
        inbox = self._make(max_waiting)
        self.opened.append(inbox)
        return inbox

    def now(self) -> float:
        return time.time() + self.ahead

    def advance(self, seconds: float) -> None:
        """Let time pass for every inbox on this store."""
        self.ahead += seconds

    def _make(self, most: int) -> Inbox:
        match self.kind:
            case "postgres":
                return PostgresInbox(self.place, table=self.name, max_waiting=most, ahead=lambda: self.ahead)
            case "redis":
                return RedisInbox(self.place, name=self.name, max_waiting=most, ahead=lambda: self.ahead)
            case "sqlite":
                return SqliteInbox(self.place, max_waiting=most, wall=self.now)
            case _:
                memory: Any = importlib.import_module("voxloud_async.webhooks.inbox.memory")
                inbox: Inbox = memory.MemoryInbox(limit=most, wall=self.now)
                return inbox


def delivery(key: str, body: bytes = b"{}", received: float = 1_700_000_000.25) -> Delivery:
    return Delivery(key=key, body=body, received=received)


def deliveries(count: int, name: str = "key") -> Sequence[Delivery]:
    """As many, with keys in the order of the alphabet."""
    return [delivery(f"{name}-{number:05}", body=str(number).encode()) for number in range(count)]
