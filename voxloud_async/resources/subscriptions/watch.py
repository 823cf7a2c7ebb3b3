"""Tells of subscriptions that fail or were switched off, which the service tells an e-mail address at most."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Literal

from attrs import frozen

from ..._streams import Stream
from ...errors import DeadlineExceededError, DecodeError, RateLimitedError, ServerError, TransportError
from ...models import WebhookSubscription

Change = Literal["failing", "disabled", "gone", "enabled"]

_PASSING = (DeadlineExceededError, DecodeError, RateLimitedError, ServerError, TransportError)
"""A page that says in HTML that the service is being worked on does not decode, and passes like the rest."""


@frozen(kw_only=True)
class Notice:
    """A subscription got worse, or well again.

    `failing`: more deliveries failed since the last look, `failures` of them. `disabled`: it is switched off. `gone`:
    it was deleted. `enabled`: it is switched on again.
    """

    change: Change
    subscription: WebhookSubscription
    """As it was read last."""

    failures: int = 0


class Watch(Stream[Notice]):
    """Reads the subscriptions again and again, and yields what changed. It has no end.

    The first look reports what is switched off; what a failed look missed, the next one reports. `now` and `sleep` are
    the session's, `every` is in seconds.
    """

    def __init__(
        self,
        read: Callable[[], Awaitable[Iterable[WebhookSubscription]]],
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        every: float,
    ) -> None:
        self._read, self._now, self._sleep, self._every = read, now, sleep, every
        self._before: Mapping[str, WebhookSubscription] | None = None
        self._due = -math.inf

    async def _advance(self) -> bool:
        if (wait := self._due - self._now()) > 0.0:
            await self._sleep(wait)
        try:
            current = {each.id: each for each in await self._read()}
        except _PASSING:
            pass  # the session's events report it, and the next look sees the same growth
        else:
            self._items = _first(current) if self._before is None else _changes(self._before, current)
            self._before = current
        self._due = self._now() + self._every
        return True

    async def _release(self) -> None:
        """Nothing is under way between two looks."""


def _first(now: Mapping[str, WebhookSubscription]) -> Iterator[Notice]:
    for each in now.values():
        if each.enabled is False:
            yield Notice(change="disabled", subscription=each)


def _changes(before: Mapping[str, WebhookSubscription], now: Mapping[str, WebhookSubscription]) -> Iterator[Notice]:
    for name, was in before.items():
        each = now.get(name)
        if each is None:
            yield Notice(change="gone", subscription=was)
        else:
            yield from _compared(was, each)
    for name in now.keys() - before.keys():
        yield from _first({name: now[name]})


def _compared(was: WebhookSubscription, now: WebhookSubscription) -> Iterator[Notice]:
    failures = max(0, (now.failed_count or 0) - (was.failed_count or 0))
    if now.enabled is False:
        if was.enabled is not False:
            yield Notice(change="disabled", subscription=now, failures=failures)
        return
    if was.enabled is False:
        yield Notice(change="enabled", subscription=now)
    if failures:
        yield Notice(change="failing", subscription=now, failures=failures)
