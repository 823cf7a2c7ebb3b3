"""Webhook subscriptions (API section "Webhook subscriptions API")."""

from __future__ import annotations

import builtins
import warnings
from collections.abc import Mapping
from functools import partial
from typing import Any, Literal
from urllib.parse import urlsplit

from attrs import field, frozen

from .._streams import Stream
from .._tracebacks import without_frames
from ..errors import ArgumentTypeError, InvalidArgumentError
from ..models import EventType, WebhookSubscription
from ..protocol import arguments, operations
from ..session.caller import Caller
from ..session.created_ids import CreatedIds
from .created import Context, Lost, Traits, create
from .deletion import delete
from .subscriptions.ensure import Ensured, Writes, ensure
from .subscriptions.plan import Wish
from .subscriptions.watch import Notice, Watch

EventTypeName = Literal[
    "FAX_CALL", "PHONE_CALL", "CLICK_TO_CALL", "CALL_STARTED", "CALL_INCOMING", "CALL_ANSWERED", "CALL_HANGUP"
]
"""The documented event types, for type checkers; `EventType("...")` is one that they do not know."""

_SERVES = Traits("serves", "serves")


class InsecureCallbackWarning(UserWarning):
    """A callback over plain http shows call data, and the secret in its path, to everybody on the way."""


@without_frames
@frozen
class WebhookSubscriptions:
    """`client.webhook_subscriptions`."""

    _caller: Caller = field(repr=False)

    async def create(
        self, *, callback_url: str, event_type: EventType | EventTypeName, notification_email: str | None = None
    ) -> WebhookSubscription:
        """Subscribe a URL to one type of event.

        `event_type` is not checked against a list, as the text's own lists differ; for one that type checkers do not
        know write `EventType("...")`. Where the answer is lost, the one
        subscription of this URL, type and, if given, address that is not switched off is returned, which may have been
        there before; else `OutcomeUnknownError` raised. API: Create a webhook subscription.
        """
        return await self._create(_body(callback_url, event_type, notification_email))

    async def update(
        self,
        id: str,  # noqa: A002 - the API's own word
        *,
        callback_url: str,
        event_type: EventType | EventTypeName,
        enabled: bool | None = None,
        notification_email: str | None = None,
    ) -> WebhookSubscription:
        """Change a subscription.

        `enabled` and `notification_email` are not sent where they are None. In the text's sample the address then stays
        as it is; of `enabled` nothing is said, so give it to be sure. API: Update a webhook subscription.
        """
        segment = arguments.segment("id", id)
        body = _body(callback_url, event_type, notification_email)
        if enabled is not None:
            body["enabled"] = arguments.flag("enabled", enabled)
        return await self._update(segment, body)

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

    async def ensure(
        self,
        wanted: Mapping[EventType | str, str],
        *,
        notification_email: str | None = None,
        prune: bool = False,
        dry_run: bool = False,
    ) -> Ensured:
        """Have exactly one subscription, switched on, for each event type of `wanted`, which names its callback URL.

        It creates what is missing, switches on what is off, deletes doubles, and writes nothing where all is well; so
        several processes may do it as they start. URLs that differ only in a token at their end (32 letters, digits,
        `-` or `_` at least, and no UUID) are one receiver's: that is how a new token takes the place of an old one.
        Subscriptions of other URLs are never touched. `prune` also deletes those of this receiver whose event type is
        not wanted; `dry_run` only tells. An address in `notification_email` replaces another, None leaves each as it
        is.

        What the service refuses of one event type is raised once the others are settled.
        """
        wishes = _wishes(wanted, notification_email)
        arguments.flag("prune", prune)
        arguments.flag("dry_run", dry_run)
        writes = Writes(create=self._create, update=self._update, delete=partial(self.delete, missing_ok=True))
        return await ensure(self.list, writes, wishes, prune=prune, dry_run=dry_run)

    def watch(self, *, every: float = 300.0) -> Stream[Notice]:
        """Report subscriptions whose deliveries fail, before and when the service switches them off, as a stream.

        It reads the list every so many seconds, one request each time, and continues through outages; an error that
        will not pass, such as a refused key, is raised. `ensure` switches on what was switched off.
        """
        return Watch(self.list, self._caller.now, self._caller.sleep, arguments.seconds("every", every))

    async def _create(self, body: dict[str, Any]) -> WebhookSubscription:
        # A registry of its own: one that was there before serves as well, a second would double each event.
        context = Context(ids=CreatedIds(), lost=Lost(_SERVES))
        return await create(_Creation(self._caller, body), self._caller, context)

    async def _update(self, segment: str, body: dict[str, Any]) -> WebhookSubscription:
        body = {"id": segment, **body}  # the text wants it in both places (anomaly W5)
        return await self._caller.call(operations.UPDATE_SUBSCRIPTION, segment=segment, body=body)


@frozen
class _Creation:
    """The create of a subscription. Nothing says when one was made; all that do what is asked for are alike."""

    _caller: Caller
    _body: Mapping[str, Any]
    key = "webhook subscription"
    traits = _SERVES

    async def send(self) -> WebhookSubscription:
        return await self._caller.call(operations.CREATE_SUBSCRIPTION, body=self._body)

    async def look(self, started: float | None) -> builtins.list[WebhookSubscription]:
        page = await self._caller.since(started).call(operations.LIST_SUBSCRIPTIONS)
        return [each for each in page.items if _serves(each, self._body)]

    def traits_of(self, thing: WebhookSubscription) -> Traits:  # noqa: ARG002 - see `look`
        return _SERVES

    def is_recent(self, thing: WebhookSubscription, started: float, ended: float) -> bool:  # noqa: ARG002 - an older one serves, too
        return True


def _serves(subscription: WebhookSubscription, body: Mapping[str, Any]) -> bool:
    """Whether it does all that was asked for. Nothing tells when one was made."""
    wanted = (body["callback_url"], body["event_type"])
    address = body.get("notification_email", subscription.notification_email)
    return (
        (subscription.callback_url, subscription.event_type) == wanted
        and subscription.notification_email == address
        and subscription.enabled is not False
    )


def _wishes(wanted: Mapping[EventType | str, str], notification_email: str | None) -> dict[str, Wish]:
    if not isinstance(wanted, Mapping):
        raise ArgumentTypeError("wanted", f"must map event types to URLs, not be a {type(wanted).__name__}")
    if not wanted:
        raise InvalidArgumentError("wanted", "must name an event type")
    wishes: dict[str, Wish] = {}
    for kind, url in wanted.items():
        body = _body(url, kind, notification_email, depth=5)
        name = str(EventType(body["event_type"]))  # a known one as the service writes it
        if name in wishes:
            raise InvalidArgumentError("wanted", f"names event type {name} twice")
        wishes[name] = Wish(**{**body, "event_type": name})
    return wishes


def _body(callback_url: str, event_type: str, notification_email: str | None, *, depth: int = 4) -> dict[str, Any]:
    url = arguments.http_url("callback_url", callback_url)
    body = {"callback_url": url, "event_type": str(arguments.text("event_type", event_type))}
    if notification_email is not None:
        body["notification_email"] = arguments.text("notification_email", notification_email)
    parts = urlsplit(url)
    if parts.scheme == "http" and parts.hostname not in arguments.LOOPBACK:
        warnings.warn("callback_url is not https", InsecureCallbackWarning, stacklevel=depth)
    return body
