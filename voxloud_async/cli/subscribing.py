"""Subscriptions that last as long as a command."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from attrs import define, evolve, field

from ..client import VoxloudClient
from ..errors import BadRequestError, VoxloudError
from ..models import EventType, WebhookSubscription
from ..resources.subscriptions.ensure import Ensured
from ..resources.subscriptions.plan import same_url
from .failure import judge
from .speech import complain, remark

_PATIENCE = 10.0
"""Seconds that one request of the removal may take: somebody waits for the end."""


@define
class Subscribing:
    """Subscribes URLs by event type, and removes again what it has subscribed and nothing else.

    `named`: whether somebody asked for each of these types.
    """

    _client: VoxloudClient
    _wanted: Mapping[str, str]
    _named: bool = field(kw_only=True, alias="named")
    _before: frozenset[str] | None = field(default=None, init=False)

    async def begin(self) -> None:
        """Subscribe. ValueError where another receiver has subscribed the same place, which would lose its events."""
        subscriptions = self._client.webhook_subscriptions
        planned = await subscriptions.ensure(self._wanted, dry_run=True)
        if others := _others(planned, self._wanted):
            raise ValueError(
                f"another receiver is subscribed at this URL ({', '.join(others)}): give another --url, its secret in "
                "VOXLOUD_WEBHOOK_SECRET, or delete what is left of one that was killed"
            )
        self._before = frozenset(each.id for each in planned.subscriptions)
        await fulfil(self._client, self._wanted, planned, named=self._named)

    async def end(self) -> bool:
        """Remove them; whether all are gone. What is left is told."""
        if self._before is None:
            return True
        client = self._client.with_options(max_wait=_PATIENCE)
        try:
            left = self._own(await client.webhook_subscriptions.list(), self._before)
        except VoxloudError as error:
            complain(f"the subscriptions could not be removed: {judge(error)[1]}")
            return False
        except asyncio.CancelledError:
            complain("the subscriptions could not be removed: interrupted")
            raise
        return await _remove(client, left)

    def _own(self, there: list[WebhookSubscription], before: frozenset[str]) -> list[WebhookSubscription]:
        return [each for each in there if each.id not in before and self._is_wanted(each)]

    def _is_wanted(self, subscription: WebhookSubscription) -> bool:
        wanted = self._wanted.get(str(subscription.event_type))
        return wanted is not None and same_url(subscription.callback_url or "", wanted)


async def fulfil(
    client: VoxloudClient, wanted: Mapping[str, str], planned: Ensured, *, named: bool, **options: Any
) -> Ensured:
    """Carry a plan out: without CLICK_TO_CALL where nobody named it and the service refuses it.

    The text of its create lists no such type (anomaly W1).
    """
    ensure = client.webhook_subscriptions.ensure
    try:
        return await ensure(wanted, **options)
    except BadRequestError:
        rest = {kind: url for kind, url in wanted.items() if kind != EventType.CLICK_TO_CALL}
        if named or not rest or len(rest) == len(wanted):
            raise
    done = await ensure(rest, **options)  # by now nothing is left to do, unless something else was refused
    remark("the service takes no subscription of CLICK_TO_CALL: its records may come as PHONE_CALL, or not at all")
    steps = [each for each in planned.steps if each.event_type != EventType.CLICK_TO_CALL]
    return evolve(done, steps=(*steps, *done.steps))


def _others(planned: Ensured, wanted: Mapping[str, str]) -> list[str]:
    """The subscriptions that a plan would change although they are of another token."""
    urls = {each.id: each.callback_url or "" for each in planned.subscriptions}
    changed = [(step.id, wanted[step.event_type]) for step in planned.steps if step.id is not None]
    return [each for each, url in changed if not same_url(urls[each], url)]


async def _remove(client: VoxloudClient, left: list[WebhookSubscription]) -> bool:
    waiting = {each.id: "interrupted" for each in left}

    async def remove(subscription_id: str) -> None:
        try:
            await client.webhook_subscriptions.delete(subscription_id, missing_ok=True)
        except VoxloudError as error:
            waiting[subscription_id] = judge(error)[1]
        else:
            del waiting[subscription_id]

    try:
        await asyncio.gather(*(remove(each.id) for each in left))
    finally:  # also where somebody does not want to wait
        for subscription_id, reason in waiting.items():
            complain(f"the subscription {subscription_id} could not be removed: {reason}")
    remark(f"{len(left) - len(waiting)} of {len(left)} subscriptions removed")
    return not waiting
