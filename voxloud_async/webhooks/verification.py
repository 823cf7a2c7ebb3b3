"""Asking the service whether a record is its own: nobody signed the delivery (anomaly W11)."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from attrs import define, field

from .._clock import Clock
from ..models import ClickToCallCall, FaxCall, PhoneCall, PhoneNumber, TelephonyEvent
from .handlers import Event
from .notices import Notify, Verified
from .telling import logger

Record = PhoneCall | ClickToCallCall | FaxCall

_APART = timedelta(seconds=2)
_MISSES = 1000
_MISSED_FOR = 60.0
_BURST = 5.0


class Records(Protocol):
    """`client.telephony_events`, or what stands in for it."""

    async def get(self, id: int | str) -> TelephonyEvent:  # noqa: A002 - the API's own word
        """Read one record."""
        ...

    async def find_by_call_id(self, call_id: str) -> Sequence[TelephonyEvent]:
        """Read the records of a call."""
        ...


@define
class Verifier:
    """Looks records up, no more than `rate` a second, `concurrency` at once, `timeout` seconds each.

    A call that the service did not know is not looked up again for a minute: a flood of invented ones costs the
    client's own calls little. What is over the bounds stays unverified; no event waits or is lost for it.
    """

    _records: Records
    _clock: Clock
    _notify: Notify
    _rate: float
    _timeout: float = 10.0
    _concurrency: int = 2
    _under_way: int = field(default=0, init=False)
    _budget: float = field(default=_BURST, init=False)
    _filled: float | None = field(default=None, init=False)
    _missed: OrderedDict[str, float] = field(factory=OrderedDict, init=False)

    async def look_up(self, event: Event) -> Record | None:
        """The service's own copy of a record, None where there is none, or none that can be had now."""
        if not isinstance(event, PhoneCall | ClickToCallCall | FaxCall):
            return None
        found = await self._found(event) if self._may_ask(event) else None
        self._notify(Verified(found is not None))
        return found

    async def _found(self, event: Record) -> Record | None:
        self._under_way += 1
        try:
            async with asyncio.timeout(self._timeout):
                for copy in await self._copies(event):
                    if isinstance(copy, Record) and _is_same(event, copy):
                        return copy
        except Exception as error:  # noqa: BLE001 - no event is lost because it could not be looked up
            logger.debug("a record could not be looked up: %s", type(error).__name__)
        finally:
            self._under_way -= 1
        self._miss(event)
        return None

    async def _copies(self, event: Record) -> Sequence[TelephonyEvent]:
        if event.call_id:
            return await self._records.find_by_call_id(event.call_id)
        return [await self._records.get(event.id)]

    def _may_ask(self, event: Record) -> bool:
        now = self._clock.now()
        if self._missed.get(_asked_for(event), -_MISSED_FOR) + _MISSED_FOR > now:
            return False
        passed = 0.0 if self._filled is None else max(0.0, now - self._filled)
        self._budget, self._filled = min(_BURST, self._budget + passed * self._rate), now
        if self._under_way >= self._concurrency or self._budget < 1.0:
            return False
        self._budget -= 1.0
        return True

    def _miss(self, event: Record) -> None:
        self._missed[_asked_for(event)] = self._clock.now()
        self._missed.move_to_end(_asked_for(event))
        if len(self._missed) > _MISSES:
            self._missed.popitem(last=False)


def _asked_for(event: Record) -> str:
    return event.call_id or f"/{event.id}"


def _is_same(event: Record, copy: Record) -> bool:
    return (
        type(copy) is type(event)
        and (event.id, event.call_id, event.direction) == (copy.id, copy.call_id, copy.direction)
        and _number(event.originator_number) == _number(copy.originator_number)
        and _number(event.destination_number) == _number(copy.destination_number)
        and event.timestamp is not None
        and copy.timestamp is not None
        and abs(event.timestamp - copy.timestamp) <= _APART
    )


def _number(raw: str | None) -> str | None:
    """One spelling for `+39…`, `0039…` and `39…` (anomaly P6)."""
    return None if raw is None else PhoneNumber.parse(raw).normalized
