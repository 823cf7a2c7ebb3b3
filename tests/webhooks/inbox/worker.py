"""One of several processes on an inbox: `worker.py JOB KIND PLACE NAME` prints the key of each delivery it was granted.

`fill` stores until it is killed, `hold` leases one and then waits to be killed, `drain` says that it is ready, waits
for a line and handles all there is.
"""

from __future__ import annotations

import asyncio
import os
import sys
from itertools import count

from tests.webhooks.inbox.stores import Store, deliveries
from voxloud_async.webhooks.inbox import Inbox

HOUR = 3600.0


def tell(*keys: str) -> None:
    """Print them at once: in one write, so that none is torn."""
    os.write(1, "".join(f"{key}\n" for key in keys).encode())


async def fill(inbox: Inbox) -> None:
    async def add(task: int) -> None:
        for number in count():
            tell(*sorted(await inbox.add(deliveries(3, f"{os.getpid()}-{task}-{number:06}"))))

    await asyncio.gather(*(add(task) for task in range(8)))


async def hold(inbox: Inbox) -> None:
    tell(*(lease.delivery.key for lease in await inbox.lease(1, HOUR)))
    await asyncio.Event().wait()


async def drain(inbox: Inbox) -> None:
    await inbox.due_in()
    tell("ready")
    await asyncio.to_thread(sys.stdin.readline)
    while leases := await inbox.lease(5, HOUR):
        tell(*(lease.delivery.key for lease in leases))
        await asyncio.gather(*(inbox.done(lease) for lease in leases))


async def main(job: str, kind: str, place: str, name: str) -> None:
    inbox = Store(kind, place, name).open(max_waiting=1_000_000)
    await {"fill": fill, "hold": hold, "drain": drain}[job](inbox)
    await inbox.aclose()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
