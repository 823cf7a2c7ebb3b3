"""`voxloud webhooks ensure` and `watch`: the subscriptions of a receiver that runs elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from .callbacks import callback_urls, shared_secret
from .output import Output, View
from .service import Service
from .speech import remark
from .tables import Column

if TYPE_CHECKING:
    from ..client import VoxloudClient
    from ..resources.subscriptions.ensure import Ensured
    from ..resources.subscriptions.plan import Step

_STEPS = View(
    names=("action", "eventType", "id", "because"),
    columns=(
        Column("ACTION", ("action",), 6),
        Column("EVENT", ("eventType",), 13),
        Column("ID", ("id",), 36),
        Column("BECAUSE", ("because",)),
    ),
)
_NOTICES = View(
    names=("timestamp", "change", "eventType", "id", "failures", "failedCount", "lastError"),
    columns=(
        Column("LOCAL TIME", ("timestamp",), 16),
        Column("CHANGE", ("change",), 8),
        Column("EVENT", ("eventType",), 13),
        Column("FAILS", ("failedCount",), 5),
        Column("LAST ERROR", ("lastError",)),
    ),
)
_SERVICE = Service()
_OUTPUT = Output()


async def ensure(
    url: str,
    /,
    *,
    event: Annotated[list[str] | None, Parameter(allow_repeating=True)] = None,
    notification_email: str | None = None,
    prune: Annotated[bool, Parameter(show_default=False)] = False,
    dry_run: Annotated[bool, Parameter(show_default=False)] = False,
    service: Service = _SERVICE,
    output: Output = _OUTPUT,
) -> None:
    """Have one subscription for each event type of the receiver at URL, and write nothing where all is well.

    Args:
        url: Where the receiver is served, without a token: those are told from VOXLOUD_WEBHOOK_SECRET.
        event: The event type to subscribe, by default each that is documented. May be repeated.
        notification_email: Who is told when the service switches one off.
        prune: Delete those of this receiver that are for other event types.
        dry_run: Show what is to be done, and do nothing.
    """
    from ..models import EventType  # noqa: PLC0415 - `--help` does without
    from ..webhooks import WebhookReceiver  # noqa: PLC0415 - the same

    receiver = WebhookReceiver(secret=shared_secret())
    wanted = callback_urls(receiver, url, event or [*EventType])
    options: dict[str, Any] = {"notification_email": notification_email, "prune": prune}
    async with service.client() as client:
        done = await _ensured(client, wanted, named=bool(event), dry_run=dry_run, **options)
    output.rows(map(_step, done.steps), _STEPS)
    if not done.steps:
        remark("all is well: nothing to do")
    elif dry_run:
        remark("nothing was written: --dry-run")


async def _ensured(
    client: VoxloudClient, wanted: dict[str, str], *, named: bool, dry_run: bool, **options: Any
) -> Ensured:
    from .subscribing import fulfil  # noqa: PLC0415 - the same

    planned = await client.webhook_subscriptions.ensure(wanted, dry_run=True, **options)
    if dry_run or not planned.steps:
        return planned
    return await fulfil(client, wanted, planned, named=named, **options)


async def watch(*, every: float = 300.0, service: Service = _SERVICE, output: Output = _OUTPUT) -> None:
    """Tell of subscriptions whose deliveries fail and of those that are switched off or deleted, until Ctrl-C.

    Args:
        every: Seconds between two looks.
    """
    async with service.client() as client:
        await output.flow(_notices(client, every), _NOTICES)


async def _notices(client: VoxloudClient, every: float) -> AsyncIterator[dict[str, Any]]:
    async with aclosing(client.webhook_subscriptions.watch(every=every)) as notices:
        async for notice in notices:
            of = notice.subscription
            yield {
                "timestamp": datetime.now(UTC).isoformat(timespec="seconds"),
                "change": notice.change,
                "eventType": of.event_type,
                "id": of.id,
                "failures": notice.failures,
                "failedCount": of.failed_count,
                "lastError": of.last_error,
            }


def _step(step: Step) -> dict[str, Any]:
    """Without the URL, whose end is a secret."""
    return {"action": step.action, "eventType": step.event_type, "id": step.id, "because": step.because}
