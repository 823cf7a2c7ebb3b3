"""Events for those who look on: every stream gets each of them, and none holds anything up."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Self
from weakref import WeakSet

from attrs import define, field

from .handlers import Event, Received
from .notices import Dropped, Notify


class EventStream(AsyncIterator[Event]):
    """`async for event in receiver.events()`: what comes from now on, until the receiver stops.

    It holds nothing up: once `limit` events lie unread the oldest go, `dropped` counts them and the log says so. An
    event is in it once, also where its handlers run again; after a crash it may be missing. `received` says how the
    event that was read last came: what a handler gets as its second argument.
    """

    def __init__(self, limit: int, notify: Notify) -> None:
        self.dropped = 0
        self.received: Received | None = None
        self._waiting: deque[tuple[Event, Received]] = deque()
        self._limit = limit
        self._notify = notify
        self._losing = False
        self._ended = False
        self._news = asyncio.Event()

    def put(self, event: Event, received: Received) -> None:
        """Append an event."""
        if len(self._waiting) == self._limit:
            self._waiting.popleft()
            self.dropped += 1
            self._notify(Dropped(first=not self._losing))
            self._losing = True
        self._waiting.append((event, received))
        self._news.set()

    def end(self) -> None:
        """End it after what lies unread."""
        self._ended = True
        self._news.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while not self._waiting:
            if self._ended:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        self._losing = False
        event, self.received = self._waiting.popleft()
        return event


@define
class Broadcast:
    """The streams that are still referenced."""

    _notify: Notify
    _streams: WeakSet[EventStream] = field(factory=WeakSet, init=False)

    def __bool__(self) -> bool:
        return bool(self._streams)

    def stream(self, limit: int) -> EventStream:
        """One more."""
        made = EventStream(limit, self._notify)
        self._streams.add(made)
        return made

    def put(self, event: Event, received: Received) -> bool:
        """Give it to all of them; whether there are any."""
        streams = [*self._streams]
        for each in streams:
            each.put(event, received)
        return bool(streams)

    def end(self) -> None:
        """End all of them."""
        for each in [*self._streams]:
            each.end()
        self._streams.clear()
