"""The statistics of all processes together account for everything that was sent."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from benchmarks.webhooks.shapes import ROLES, deliveries
from tests.webhooks.deliveries import receiver
from voxloud_async.webhooks.intake import Arrival

if TYPE_CHECKING:
    from pathlib import Path

    from voxloud_async.webhooks import WebhookReceiver


async def test_w8_statistics_add_up_to_what_was_sent(tmp_path: Path) -> None:
    sent = [*deliveries(300, seed=3)]
    again = sent[:50]
    processes = [receiver(inbox=tmp_path / "inbox.db", unhandled_wait=1.0) for _ in ROLES]
    for process, role in zip(processes, ROLES, strict=True):
        process.on(role[0], *role[1:])(_take)
    async with processes[0], processes[1], asyncio.timeout(60):
        for turn, (kind, body) in enumerate([*sent, *again]):
            await deliver(processes[turn % 2], body, kind)
        while (await processes[0].inbox.counts()).waiting:  # noqa: ASYNC110 - an inbox sends no event
            await asyncio.sleep(0.05)
        counts = await processes[0].inbox.counts()
    totals: Counter[str] = Counter()
    for process in processes:
        stats = process.stats
        totals.update(accepted=stats.accepted, doubled=stats.doubled, refused=sum(stats.refused.values()))
        totals.update(handled=stats.handled, unhandled=stats.unhandled, buried=stats.buried)
        assert stats.handled > 75
    assert totals["accepted"] + totals["doubled"] + totals["refused"] == 350
    assert totals["doubled"] >= 45
    assert (counts.done, counts.dead) == (totals["handled"], totals["buried"])
    assert totals["accepted"] == totals["handled"] + totals["buried"] == counts.done + counts.dead
    assert totals["unhandled"] == 0


async def _take(_event: object) -> None: ...


async def deliver(process: WebhookReceiver, body: bytes, kind: str) -> None:
    """Have a process take a delivery in as a server does."""
    pieces = iter([body])

    async def read() -> bytes:
        return next(pieces, b"")

    await process._intake.answer(Arrival("POST", process.token(kind), {}, None, read))
