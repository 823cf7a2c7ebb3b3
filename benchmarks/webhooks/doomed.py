"""A receiver that kills itself with SIGKILL when it has come to one of five points for the n-th time.

python -m benchmarks.webhooks.doomed PORT FOLDER CONCURRENCY POINT N

It takes deliveries in under /hooks. Each run of a handler is a line of FOLDER/handled, synced to the disk. With POINT
"nowhere" it lives until it reads a line `URL KEY SINCE` from its input: then it reads back the records since that
moment, handles all that is left, prints how many it had not seen, and ends.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from aiohttp import web

from voxloud_async import VoxloudClient
from voxloud_async.models import CallEvent
from voxloud_async.webhooks import WebhookReceiver
from voxloud_async.webhooks.inbox import Delivery, Lease
from voxloud_async.webhooks.inbox.protocol import EVERY, Selection
from voxloud_async.webhooks.inbox.sqlite import SqliteInbox

from . import SECRET

POINTS = ("before storing", "before answering", "before handling", "while handling", "before marking")
LEASE = 2.0


class Doom:
    """Strikes when its point has been reached so often."""

    def __init__(self, point: str, n: int) -> None:
        self._point = point
        self._left = n

    def reach(self, point: str, count: int = 1) -> None:
        """Die here, if this is the point and the time."""
        if point == self._point:
            self._left -= count
            if self._left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)


class DoomedInbox(SqliteInbox):
    """A real inbox with the points around it."""

    def __init__(self, path: Path, doom: Doom) -> None:
        super().__init__(path)
        self._doom = doom

    async def add(self, deliveries: Sequence[Delivery]) -> frozenset[str]:
        self._doom.reach("before storing", len(deliveries))
        new = await super().add(deliveries)
        self._doom.reach("before answering", len(deliveries))
        return new

    async def lease(self, limit: int, seconds: float, of: Selection = EVERY) -> Sequence[Lease]:
        leases = await super().lease(limit, seconds, of)
        self._doom.reach("before handling", len(leases))
        return leases

    async def done(self, lease: Lease) -> bool:
        self._doom.reach("before marking")
        return await super().done(lease)


def identity(event: Any) -> str:
    """What tells an event from all others, in the words that the judge reads out of the sandbox, too."""
    if isinstance(event, CallEvent):
        return f"{event.type} {event.call_id} {event.user_extension} {round(event.timestamp.timestamp() * 1000)}"
    return f"record {event.id}"


def keep_book(receiver: WebhookReceiver, path: Path, doom: Doom) -> None:
    """Have every run of a handler written down before it goes on."""
    journal = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    @receiver.on()
    async def handle(event: object) -> None:
        os.write(journal, f"{identity(event)}\n".encode())
        os.fsync(journal)
        doom.reach("while handling")


async def read_back(receiver: WebhookReceiver, wish: str) -> int:
    """Read back what went by, and handle it; how many records that were."""
    url, key, since = wish.split()
    async with VoxloudClient(key, base_url=url) as client:
        report = await receiver.backfill(client, since=datetime.fromisoformat(since))
    while (await receiver.inbox.counts()).waiting:  # noqa: ASYNC110 - an inbox sends no event
        await asyncio.sleep(0.05)
    return report.added


async def main(port: str, folder: str, concurrency: str, point: str, n: str) -> None:
    """Serve until killed, or asked to end."""
    doom = Doom(point, int(n))
    inbox = DoomedInbox(Path(folder, "inbox.db"), doom)
    receiver = WebhookReceiver(secret=SECRET, inbox=inbox, concurrency=int(concurrency), lease=LEASE)
    keep_book(receiver, Path(folder, "handled"), doom)
    application = web.Application()
    application.add_routes(receiver.aiohttp_routes("/hooks"))
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    async with receiver:
        await web.TCPSite(runner, "127.0.0.1", int(port)).start()
        print("serving", flush=True)
        wish = await asyncio.to_thread(sys.stdin.readline)
        print(await read_back(receiver, wish), flush=True)
    await runner.cleanup()
    await inbox.aclose()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
