"""The secret is replaced while deliveries come in, and processes restart one after the other."""

from __future__ import annotations

from contextlib import AsyncExitStack
from itertools import cycle
from typing import TYPE_CHECKING, Any

from tests.webhooks.deliveries import OTHER_SECRET, SECRET, incoming
from tests.webhooks.serving import Wire, serving
from voxloud_async.webhooks import WebhookReceiver

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

OLD, NEW = SECRET, OTHER_SECRET
STEPS: Sequence[Sequence[Any]] = ([OLD], [OLD, NEW], [NEW, OLD], [NEW])


async def test_w9_no_delivery_is_refused_in_a_rolling_deployment(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:

        async def deployed(secrets: Sequence[Any]) -> Wire:
            served = WebhookReceiver(secret=secrets, inbox=tmp_path / "inbox.db", concurrency=0)
            return await stack.enter_async_context(serving("aiohttp", served))

        running = [await deployed(STEPS[0]) for _ in range(3)]
        subscribed, count, statuses = running[0].path(), 0, []
        for step in STEPS[1:]:
            for place in range(len(running)):
                running[place] = await deployed(step)
                for _, process in zip(range(6), cycle(running), strict=False):
                    count += 1
                    reply = await process.ask(
                        subscribed, incoming(f"c{count}"), headers={"Content-Type": "application/json"}
                    )
                    statuses.append(reply.status)
            subscribed = running[0].path()  # once a step is everywhere, its URLs are subscribed
        assert statuses == [200] * 54
        assert (await running[0].receiver.inbox.counts()).waiting == 54


async def test_w9_the_new_secret_first_would_refuse_deliveries_where_it_is_unknown() -> None:
    new = WebhookReceiver(secret=[NEW, OLD])
    async with serving("aiohttp", WebhookReceiver(secret=OLD)) as wire:
        path = Wire(wire.port, new).path()
        assert (await wire.ask(path, incoming(), headers={"Content-Type": "application/json"})).status == 404
