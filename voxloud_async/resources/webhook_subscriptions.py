"""Webhook subscriptions (API section "Webhook subscriptions API")."""

from __future__ import annotations

import builtins
import warnings
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from attrs import field, frozen

from ..models import EventType, WebhookSubscription
from ..protocol import arguments, operations
from ..session.caller import Caller
from .deletion import delete
from .outcome import settled


class InsecureCallbackWarning(UserWarning):
    """A callback over plain http shows call data, and the secret in its path, to everybody on the way."""


@frozen
class WebhookSubscriptions:
    """`client.webhook_subscriptions`."""

    _caller: Caller = field(repr=False)

    async def create(
        self, *, callback_url: str, event_type: EventType | str, notification_email: str | None = None
    ) -> WebhookSubscription:
        """Subscribe a URL to one type of event.

        `event_type` is not checked against a list: the text's own lists differ. Where the answer is lost, the one
        subscription of this URL and type is returned, else `OutcomeUnknownError` raised. API: Create a webhook
        subscription.
        """
        body = _body(callback_url, event_type, notification_email)
        started = self._caller.now()
        return await settled(
            self._caller.call(operations.CREATE_SUBSCRIPTION, body=body, started=started),
            partial(self._alike, body, started),
            partial(self._alike, body, None),
        )

    async def update(
        self,
        id: str,  # noqa: A002 - the API's own word
        *,
        callback_url: str,
        event_type: EventType | str,
        enabled: bool | None = None,
        notification_email: str | None = None,
    ) -> WebhookSubscription:
        """Change a subscription.

        `enabled` and `notification_email` are not sent where they are None. In the text's sample the address then stays
        as it is; of `enabled` nothing is said, so give it to be sure. API: Update a webhook subscription.
        """
        segment = arguments.segment("id", id)
        body = {"id": segment, **_body(callback_url, event_type, notification_email)}
        if enabled is not None:
            if not isinstance(enabled, bool):
                raise TypeError(f"enabled must be True, False or None, not {type(enabled).__name__}")
            body["enabled"] = enabled
        return await self._caller.call(operations.UPDATE_SUBSCRIPTION, segment=segment, body=body)

    async def get(self, id: str) -> WebhookSubscription:  # noqa: A002
        """Read one subscription; raises `NotFoundError`. API: Get call webhook subscription."""
        return await self._caller.call(operations.GET_SUBSCRIPTION, segment=arguments.segment("id", id))

    async def delete(self, id: str, *, missing_ok: bool = False) -> None:  # noqa: A002
        """Delete a subscription; raises `NotFoundError` unless `missing_ok`. API: Delete a webhook subscription."""
        await delete(self._caller, operations.DELETE_SUBSCRIPTION, id, missing_ok=missing_ok)

    async def list(self) -> builtins.list[WebhookSubscription]:
        """All subscriptions. API: Get webhook subscriptions."""
        page = await self._caller.call(operations.LIST_SUBSCRIPTIONS)
        return [*page.items]

    async def _alike(self, body: dict[str, Any], started: float | None) -> builtins.list[WebhookSubscription]:
        page = await self._caller.call(operations.LIST_SUBSCRIPTIONS, started=started)
        wanted = (body["callback_url"], body["event_type"])
        return [each for each in page.items if (each.callback_url, each.event_type) == wanted]


def _body(callback_url: str, event_type: EventType | str, notification_email: str | None) -> dict[str, Any]:
    url = arguments.http_url("callback_url", callback_url)
    body = {"callback_url": url, "event_type": str(arguments.text("event_type", event_type))}
    if notification_email is not None:
        body["notification_email"] = arguments.text("notification_email", notification_email)
    if urlsplit(url).scheme == "http":
        warnings.warn("callback_url is not https", InsecureCallbackWarning, stacklevel=3)
    return body
