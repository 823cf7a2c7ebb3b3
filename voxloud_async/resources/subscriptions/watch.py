"""Tells of subscriptions that fail or were switched off, which the service tells an e-mail address at most."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Literal

from attrs import frozen

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


async def watch(
    read: Callable[[], Awaitable[Iterable[WebhookSubscription]]],
    sleep: Callable[[float], Awaitable[None]],
    every: float,
) -> AsyncGenerator[Notice, None]:
    """Look again and again. The first look tells of what is switched off; what a failed one missed, the next tells."""
    before: Mapping[str, WebhookSubscription] | None = None
    while True:
        try:
            now = {each.id: each for each in await read()}
        except _PASSING:
            pass  # the session's events tell of it, and the next look sees the same growth
        else:
            for notice in _first(now) if before is None else _changes(before, now):
                yield notice
            before = now
        await sleep(every)


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
