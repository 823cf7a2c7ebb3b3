"""A process that takes deliveries in until it is killed, having stopped for good at the point it was told.

python doomed.py PORT INBOX JOURNAL POINT

Each run of a handler is a line in the journal. POINT is where it waits to be killed, having said so in the journal:
before the event is stored, before the answer, before the handler, within it, before its mark; or nowhere.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web

from voxloud_async.models import CallEvent
from voxloud_async.webhooks import Received, WebhookReceiver
from voxloud_async.webhooks.inbox.protocol import EVERY, Selection
from voxloud_async.webhooks.inbox.sqlite import SqliteInbox

if TYPE_CHECKING:
    from collections.abc import Sequence

    from voxloud_async.webhooks.inbox import Delivery, Lease

SECRET = "a-secret-of-the-tests-that-is-long-enough"
POINTS = ("before storing", "before answering", "before handling", "while handling", "before marking")


class Doomed(SqliteInbox):
    """A real inbox, in a process that stops at one of the points around it."""

    def __init__(self, path: str, journal: Path, point: str) -> None:
        super().__init__(path)
        self._journal = journal
        self._point = point

    async def reach(self, point: str) -> None:
        """Stop here for good, if this is the point."""
        if point == self._point:
            self.write(f"at {point}")
            await asyncio.Event().wait()

    def write(self, line: str) -> None:
        """Write a line that outlives the process."""
        with self._journal.open("a") as journal:
            journal.write(f"{line}\n")
            journal.flush()
            os.fsync(journal.fileno())

    async def add(self, deliveries: Sequence[Delivery]) -> frozenset[str]:
        await self.reach("before storing")
        new = await super().add(deliveries)
        await self.reach("before answering")
        return new

    async def lease(self, limit: int, seconds: float, of: Selection = EVERY) -> Sequence[Lease]:
        leases = await super().lease(limit, seconds, of)
        if leases:
            await self.reach("before handling")
        return leases

    async def done(self, lease: Lease) -> bool:
        await self.reach("before marking")
        return await super().done(lease)


async def main(port: str, path: str, journal: str, point: str) -> None:
    """Serve until killed."""
    inbox = Doomed(path, Path(journal), point)
    receiver = WebhookReceiver(
        secret=SECRET,
        inbox=inbox,
        lease=30.0 if point == "nowhere" else 1.0,  # the next process is not to wait long
        concurrency=0 if point == "before answering" else 4,
    )

    @receiver.on("CALL_INCOMING")
    async def handle(event: CallEvent, received: Received) -> None:
        inbox.write(f"handled {event.call_id} run {received.run}")
        await inbox.reach("while handling")

    application = web.Application()
    application.add_routes(receiver.aiohttp_routes("/hooks"))
    runner: Any = web.AppRunner(application, access_log=None)
    await runner.setup()
    async with receiver:
        await web.TCPSite(runner, "127.0.0.1", int(port)).start()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
