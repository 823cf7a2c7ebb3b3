"""Carries a plan out, so that every wish is fulfilled by exactly one subscription."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from attrs import field, frozen

from ...errors import ApiError, AuthenticationError, PermissionDeniedError, RateLimitedError, ServerError
from ...models import WebhookSubscription
from .plan import Step, Wish, doubles, plan

_CONCERN_ALL = (AuthenticationError, PermissionDeniedError, RateLimitedError, ServerError)


@frozen(kw_only=True)
class Writes:
    """The requests that carry a plan out; bodies are wire objects."""

    create: Callable[[dict[str, Any]], Awaitable[WebhookSubscription]]
    update: Callable[[str, dict[str, Any]], Awaitable[WebhookSubscription]]
    delete: Callable[[str], Awaitable[None]]


@frozen(kw_only=True)
class Ensured:
    """What `ensure` did, or with `dry_run` would do."""

    steps: tuple[Step, ...]
    """The writes, in their order; none where all was well."""

    subscriptions: tuple[WebhookSubscription, ...] = field(repr=lambda each: f"<{len(each)} subscriptions>")
    """All subscriptions of the account, as they were read last."""


async def ensure(
    read: Callable[[], Awaitable[list[WebhookSubscription]]],
    writes: Writes,
    wishes: Mapping[str, Wish],
    *,
    prune: bool,
    dry_run: bool,
) -> Ensured:
    """Plan and, unless `dry_run`, carry out."""
    there = await read()
    steps = plan(there, wishes, prune=prune)
    if dry_run or not steps:
        return Ensured(steps=steps, subscriptions=tuple(there))
    await _carry_out(writes, steps)
    there = await read()
    # Several processes may have created the same at one time; the last of them to read the list sees all of it.
    surplus = doubles(there, wishes)
    await _carry_out(writes, surplus)
    gone = {step.id for step in surplus}
    return Ensured(steps=(*steps, *surplus), subscriptions=tuple(each for each in there if each.id not in gone))


async def _carry_out(writes: Writes, steps: Iterable[Step]) -> None:
    """Do every step; what the service refuses of one is raised once the others are done."""
    refused: ApiError | None = None
    for step in steps:
        try:
            await _do(writes, step)
        except _CONCERN_ALL:
            raise
        except ApiError as error:
            refused = refused or error
    if refused is not None:
        raise refused


async def _do(writes: Writes, step: Step) -> None:
    if step.id is None:
        await writes.create(_body(step))
    elif step.action == "delete":
        await writes.delete(step.id)
    else:
        await writes.update(step.id, {**_body(step), "enabled": True})


def _body(step: Step) -> dict[str, Any]:
    body = {"callback_url": step.callback_url, "event_type": step.event_type}
    return body if step.notification_email is None else {**body, "notification_email": step.notification_email}
