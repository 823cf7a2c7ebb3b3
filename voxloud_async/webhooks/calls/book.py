"""All calls of late, each as far as it is known."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TypeAlias

from attrs import define, field
from attrs.validators import ge

from ...models import CallEvent, ClickToCallCall, PhoneCall, PhoneNumber, TelephonyEvent, Webhook
from .derive import derive
from .facts import Facts, call_key
from .model import Call

Event: TypeAlias = Webhook | CallEvent | TelephonyEvent


@define(kw_only=True)
class CallBook:
    """Folds deliveries into calls: in any order, with any repeated, and as well as may be with some lost.

    It forgets a call `keep` seconds after its last change once it is over, `keep_live` seconds after it while it is
    live, as where its end was missed, and, beyond `max_calls`, those first that have been over, then quiet, for the
    longest. `clock` gives seconds and never goes back. One book serves one PBX.
    """

    keep: float = field(default=3600.0, validator=ge(0.0))
    keep_live: float = field(default=4 * 3600.0, validator=ge(0.0))
    max_calls: int = field(default=10_000, validator=ge(1))
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)
    _facts: dict[str, Facts] = field(factory=dict, init=False, repr=False)
    _calls: OrderedDict[str, Call] = field(factory=OrderedDict, init=False, repr=False)
    _over: OrderedDict[str, float] = field(factory=OrderedDict, init=False, repr=False)
    _live: OrderedDict[str, float] = field(factory=OrderedDict, init=False, repr=False)

    def __len__(self) -> int:
        self._forget_the_old()
        return len(self._calls)

    def __iter__(self) -> Iterator[Call]:
        """Every call that it knows, that which changed last at the end."""
        self._forget_the_old()
        return iter([*self._calls.values()])

    def __contains__(self, call_id: object) -> bool:
        self._forget_the_old()
        return isinstance(call_id, str) and call_key(call_id) in self._calls

    def __getitem__(self, call_id: str) -> Call:
        """The call with this identifier; KeyError for one that it does not know, or no longer."""
        self._forget_the_old()
        return self._calls[call_key(call_id)]

    def fold(self, event: Event, *, verified: bool = False) -> Call | None:
        """Take in an event, and return its call if that has changed.

        `verified` says that a record was read back from the service. Faxes, events of unknown types and those without
        a call identifier are of no call: None.
        """
        self._forget_the_old()
        data = event.data if isinstance(event, Webhook) else event
        if not isinstance(data, CallEvent | PhoneCall | ClickToCallCall) or not data.call_id or not data.type.is_known:
            return None
        key = call_key(data.call_id)
        facts = self._facts.setdefault(key, Facts(data.call_id))
        if isinstance(data, CallEvent):
            facts.add_event(data)
        else:
            facts.add_record(data, verified=verified)
        return self._changed(key, derive(facts))

    def live(self) -> list[Call]:
        """The calls that ring or are talked on, the earliest first."""
        return sorted((call for call in self if call.is_live), key=_began)

    def connected(self, contact: str, *, since: datetime, within: float = 60.0) -> list[Call]:
        """The click-to-calls with this contact that began in the `within` seconds from `since`, the earliest first.

        `connect` tells no call identifier (anomaly K8): give the number it was called with and the moment before.
        Two seconds are allowed for clocks that differ. Raises ValueError for a naive `since`.
        """
        if since.tzinfo is None:
            raise ValueError("since needs a timezone")
        first, last = since - timedelta(seconds=2), since + timedelta(seconds=within + 2)
        found = [
            call
            for call in self
            if call.is_click_to_call
            and call.began_at is not None
            and first <= call.began_at <= last
            and any(_same_number(contact, each) for each in (call.destination_number, call.originator_number))
        ]
        return sorted(found, key=_began)

    def _changed(self, key: str, call: Call) -> Call | None:
        before = self._calls.get(key)
        self._calls[key] = call
        self._calls.move_to_end(key)
        self._over.pop(key, None)
        self._live.pop(key, None)
        (self._live if call.is_live else self._over)[key] = self.clock()
        while len(self._calls) > self.max_calls:
            self._forget(next(iter(self._over), next(iter(self._calls))))
        return None if call == before else call

    def _forget_the_old(self) -> None:
        now = self.clock()
        for changed, keep in ((self._over, self.keep), (self._live, self.keep_live)):
            while changed and next(iter(changed.values())) <= now - keep:
                self._forget(next(iter(changed)))

    def _forget(self, key: str) -> None:
        del self._calls[key], self._facts[key]
        self._over.pop(key, None)
        self._live.pop(key, None)


def _began(call: Call) -> tuple[datetime, str]:
    return call.began_at or _DAWN, call.call_id


_DAWN = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def _same_number(one: str, other: str | None) -> bool:
    """Whether two spellings may mean one number: a plus, a country code or separators more or less (anomaly P6)."""
    if other is None:
        return False
    first, second = PhoneNumber.parse(one), PhoneNumber.parse(other)
    if first.e164 and second.e164:
        return first.e164 == second.e164
    digits = sorted((_digits(number) for number in (first, second)), key=len)
    return len(digits[0]) >= _SHORTEST and digits[1].endswith(digits[0])


def _digits(number: PhoneNumber) -> str:
    return "".join(filter(str.isdigit, number.normalized)).lstrip("0")


_SHORTEST = 6
"""Digits in common below which two spellings are two numbers."""
