"""`voxloud webhooks`."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from ..models import EventType
from .output import Output, View
from .service import Service
from .speech import remark
from .tables import Column

app = App(name="webhooks")
app.command("voxloud_async.cli.listen:listen", name="listen", help="Show calls as they happen, with --sandbox at once.")
app.command("voxloud_async.cli.ensure:ensure", name="ensure", help="Have the subscriptions that a receiver needs.")
app.command("voxloud_async.cli.ensure:watch", name="watch", help="Tell of subscriptions that fail or are switched off.")
app.command("voxloud_async.cli.inbox:dead_letters", name="dead-letters", help="List the deliveries that were given up.")
app.command("voxloud_async.cli.inbox:replay", name="replay", help="Let deliveries that were given up be handled again.")
app.command("voxloud_async.cli.inbox:discard", name="discard", help="Drop deliveries that were given up, for good.")

_SUBSCRIPTIONS = View(
    models=("WebhookSubscription",),
    columns=(
        Column("ID", ("id",), 36),
        Column("EVENT", ("event_type",), 13),
        Column("ON", ("enabled",), 3),
        Column("FAILS", ("failed_count",), 5),
        Column("URL", ("callback_url",)),
    ),
)
_SERVICE = Service()
_OUTPUT = Output()


@app.command(name="list")
async def list_subscriptions(*, service: Service = _SERVICE, output: Output = _OUTPUT) -> None:
    """List all subscriptions."""
    async with service.client() as client:
        output.several(await client.webhook_subscriptions.list(), _SUBSCRIPTIONS)


@app.command
async def get(subscription_id: str, /, *, service: Service = _SERVICE, output: Output = _OUTPUT) -> None:
    """Show one subscription."""
    async with service.client() as client:
        output.one(await client.webhook_subscriptions.get(subscription_id), _SUBSCRIPTIONS)


@app.command
async def create(
    *,
    callback_url: str,
    event_type: str,
    notification_email: str | None = None,
    service: Service = _SERVICE,
    output: Output = _OUTPUT,
) -> None:
    """Subscribe a URL to one type of event.

    Args:
        callback_url: The URL to be called; nothing else protects it, so let it hold a secret.
        event_type: CALL_STARTED, CALL_INCOMING, CALL_ANSWERED, CALL_HANGUP, PHONE_CALL, FAX_CALL or CLICK_TO_CALL.
        notification_email: Who is told when the service switches the subscription off.
    """
    async with service.client() as client:
        made = await client.webhook_subscriptions.create(
            callback_url=callback_url, event_type=EventType(event_type), notification_email=notification_email
        )
        output.one(made, _SUBSCRIPTIONS)


@app.command
async def update(
    subscription_id: str,
    /,
    *,
    callback_url: str | None = None,
    event_type: str | None = None,
    enabled: Annotated[bool | None, Parameter(negative="--disabled")] = None,
    notification_email: str | None = None,
    service: Service = _SERVICE,
    output: Output = _OUTPUT,
) -> None:
    """Change a subscription; what is not given stays.

    Args:
        callback_url: The URL to be called.
        event_type: The type of event.
        enabled: Switch it on or off.
        notification_email: Who is told when the service switches it off.
    """
    async with service.client() as client:
        now = await client.webhook_subscriptions.get(subscription_id)
        changed = await client.webhook_subscriptions.update(
            subscription_id,
            callback_url=callback_url or now.callback_url or "",
            event_type=EventType(event_type or now.event_type or ""),
            enabled=now.enabled if enabled is None else enabled,
            notification_email=notification_email or now.notification_email,
        )
        output.one(changed, _SUBSCRIPTIONS)


@app.command
async def delete(subscription_id: str, /, *, service: Service = _SERVICE) -> None:
    """Delete a subscription."""
    async with service.client(prints=False) as client:
        await client.webhook_subscriptions.delete(subscription_id)
    remark("deleted")
