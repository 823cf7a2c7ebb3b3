"""One delivery, from its lease to its end: read, verified, given to its handlers, and settled."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from .._clock import Clock
from ..models import CallEvent, Webhook
from .handlers import Entry, Event, Handlers, Received
from .inbox.protocol import Inbox, Lease
from .intake import type_of
from .notices import Buried, Handled, InboxFailed, Notify, Overtaken, Retrying, Unheard
from .parse import parse_webhook
from .stream import Broadcast
from .telling import known_type
from .verification import Verifier

_FIRST_DELAY = 1.0
_LONGEST_DELAY = 300.0
_SETTLING = 10.0
_MOST_TOLD = 10_000
_LONGEST_NAME = 200


@frozen(kw_only=True)
class Desk:
    """What all handlings share. Times are in seconds."""

    handlers: Handlers
    broadcast: Broadcast
    verifier: Verifier | None
    lease: float
    handler_timeout: float
    max_runs: int
    clock: Clock
    chance: Callable[[], float]
    notify: Notify
    told: dict[str, None] = field(factory=dict, init=False)
    """Keys of events that streams have been given and that may be handled again here, the oldest first."""

    def delay(self, run: int) -> float:
        """Seconds until the next run: doubled each time up to five minutes, and a random half of that less."""
        return min(_LONGEST_DELAY, _FIRST_DELAY * 2.0 ** min(run - 1, 32)) * (0.5 + self.chance() / 2)


class UnsettledError(Exception):
    """An event has had all its runs, and nobody heard of the last: its process died, or the inbox was out of reach."""


@define(eq=False)
class Handling:
    """One run of a delivery."""

    _desk: Desk
    _inbox: Inbox
    _lease: Lease
    _kind: str = field(default="unknown", init=False)
    _overtaken: bool = field(default=False, init=False)
    _over: bool = field(default=False, init=False)

    async def run(self) -> None:
        """Handle it and settle it; cancelled from outside, give it back to be due at once."""
        keeper = asyncio.create_task(self._keep(_current()))
        started = self._desk.clock.now()
        try:
            error = await self._outcome()
        except asyncio.CancelledError:
            if self._overtaken:
                self._desk.notify(Overtaken(self._kind))
            else:
                await self._settle("give back", self._inbox.retry(self._lease, 0.0, "CancelledError"))
            raise
        finally:
            keeper.cancel()
            self._over = True
        if error is None:
            await self._done(self._desk.clock.now() - started)
        else:
            await self._failed(error)

    def hold(self, lease: Lease) -> bool:
        """Go on under a new lease of the same delivery; False where it is of another, or nothing goes on any more.

        A lease runs out under a handler where the clock jumps, the machine sleeps, or the inbox is out of reach.
        """
        if self._over or self._overtaken or lease.delivery.key != self._lease.delivery.key:
            return False
        self._lease = lease
        return True

    async def _outcome(self) -> BaseException | None:
        try:
            webhook = parse_webhook(self._lease.delivery.body)
            self._kind = known_type(type_of(webhook))
            if self._lease.run > self._desk.max_runs:  # else it might end one process after the other
                return UnsettledError()
            event, verified = await self._looked_up(webhook)
            return await self._handle(event, self._received(webhook, verified=verified))
        except Exception as error:  # noqa: BLE001 - a body that another version stored
            return error

    async def _looked_up(self, webhook: Webhook) -> tuple[Event, bool]:
        event = webhook.data
        if self._lease.delivery.origin == "backfill":
            return event, not isinstance(event, CallEvent)
        copy = await self._desk.verifier.look_up(event) if self._desk.verifier else None
        return copy or event, copy is not None

    def _received(self, webhook: Webhook, *, verified: bool) -> Received:
        delivery = self._lease.delivery
        return Received(
            webhook=webhook,
            verified=verified,
            key=delivery.key,
            origin=delivery.origin,
            run=self._lease.run,
            received=datetime.fromtimestamp(delivery.received, UTC),
        )

    async def _handle(self, event: Event, received: Received) -> BaseException | None:
        entries = self._desk.handlers.of(type_of(received.webhook), event)
        seen = self._tell_streams(event)
        if not entries and not seen:
            self._desk.notify(Unheard(self._kind))
        errors = [error for entry in entries if (error := await self._call(entry, event, received)) is not None]
        return errors[0] if errors else None

    def _tell_streams(self, event: Event) -> bool:
        key = self._lease.delivery.key
        if key in self._desk.told:
            return True
        self._desk.told[key] = None
        if len(self._desk.told) > _MOST_TOLD:  # what another process took over never ends here
            del self._desk.told[next(iter(self._desk.told))]
        return self._desk.broadcast.put(event)

    async def _call(self, entry: Entry, event: Event, received: Received) -> BaseException | None:
        """What a handler raised. Each has its turn, also after one that failed."""
        try:
            async with asyncio.timeout(self._desk.handler_timeout):
                await entry.call(event, received)
        except asyncio.CancelledError as error:
            if _current().cancelling():
                raise
            return error  # of something that the handler awaited
        except Exception as error:  # noqa: BLE001 - the user's code
            return error
        return None

    async def _done(self, seconds: float) -> None:
        if await self._settle("mark as done", self._inbox.done(self._lease)):
            self._desk.told.pop(self._lease.delivery.key, None)
            self._desk.notify(Handled(self._kind, self._lease.run, seconds))

    async def _failed(self, error: BaseException) -> None:
        name, place, run = _name(error), _place(error), self._lease.run
        if run >= self._desk.max_runs:
            if await self._settle("bury", self._inbox.bury(self._lease, name)):
                self._desk.told.pop(self._lease.delivery.key, None)
                self._desk.notify(Buried(self._kind, run, name, place, error))
            return
        delay = self._desk.delay(run)
        if await self._settle("retry", self._inbox.retry(self._lease, delay, name)):
            self._desk.notify(Retrying(self._kind, run, delay, name, place, error))

    async def _settle(self, what: str, settling: Awaitable[bool]) -> bool:
        """Tell the inbox. Where that fails, the lease runs out and the event is handled once more."""
        try:
            async with asyncio.timeout(_SETTLING):
                ours = await settling
        except Exception as error:  # noqa: BLE001 - whatever a store raises, the worker goes on
            self._desk.notify(InboxFailed(what, type(error).__name__, error))
            return False
        if not ours:
            self._desk.notify(Overtaken(self._kind))
        return ours

    async def _keep(self, handling: asyncio.Task[Any]) -> None:
        """Extend the lease as long as handlers run; where it went to another, end the run here."""
        while True:
            await self._desk.clock.sleep(self._desk.lease / 3)
            held = self._lease
            try:
                extended = await self._inbox.extend(held, self._desk.lease)
            except Exception as error:  # noqa: BLE001 - there is another try before it runs out
                self._desk.notify(InboxFailed("extend", type(error).__name__, error))
                continue
            if self._lease is not held:
                continue
            if extended is None:
                self._overtaken = True
                handling.cancel()
                return
            self._lease = extended


def _current() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - coroutines run in tasks
    return task


def _name(error: BaseException) -> str:
    """The name of its class, as every store takes it; whoever makes classes may name them anything."""
    return ascii(type(error).__name__)[1:-1][:_LONGEST_NAME]


def _place(error: BaseException) -> str:
    """File and line, and no more of it: the text of an error, and of its source line, may hold personal data."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
