"""What an inbox takes: `python -m benchmarks.inbox [PATH_OR_URL]`, by default a new SQLite file."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from voxloud_async.webhooks.inbox import Delivery, Inbox, open_inbox

OFFERED = 500
SECONDS = 10
FLAT_OUT = 10_000
WORKERS = 8
BODY = b"x" * 600  # about what a call event takes


async def timed_add(inbox: Inbox) -> float:
    """Seconds until one delivery was acknowledged."""
    started = time.perf_counter()
    await inbox.add([Delivery(key=uuid4().hex, body=BODY, received=time.time())])
    return time.perf_counter() - started


async def offered(inbox: Inbox) -> list[float]:
    """Store at a steady rate, whatever becomes of the earlier ones."""
    start = time.perf_counter()
    tasks = []
    for number in range(OFFERED * SECONDS):
        await asyncio.sleep(max(0.0, start + number / OFFERED - time.perf_counter()))
        tasks.append(asyncio.ensure_future(timed_add(inbox)))
    return await asyncio.gather(*tasks)


async def flat_out(inbox: Inbox) -> float:
    """Deliveries a second with all of them at once."""
    started = time.perf_counter()
    await asyncio.gather(*(timed_add(inbox) for _ in range(FLAT_OUT)))
    return FLAT_OUT / (time.perf_counter() - started)


async def handled(inbox: Inbox) -> float:
    """Deliveries a second that workers lease and finish, ten at a time."""
    handled = 0

    async def work() -> None:
        nonlocal handled
        while leases := await inbox.lease(10, 60.0):
            await asyncio.gather(*(inbox.done(lease) for lease in leases))
            handled += len(leases)

    started = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(WORKERS)))
    return handled / (time.perf_counter() - started)


def told(waits: Sequence[float]) -> str:
    """The median, the 99th percentile and the longest, in milliseconds."""
    ordered = sorted(waits)
    places = (len(ordered) // 2, len(ordered) * 99 // 100, -1)
    return "p50 {:.2f} ms, p99 {:.2f} ms, longest {:.2f} ms".format(*(1e3 * ordered[place] for place in places))


async def measure(where: str | Path) -> None:
    """Print the figures."""
    inbox = open_inbox(where)
    await inbox.counts()
    print(f"add at {OFFERED}/s: {told(await offered(inbox))}")
    print(f"add flat out: {await flat_out(inbox):,.0f}/s")
    print(f"lease and done: {await handled(inbox):,.0f}/s")
    await inbox.aclose()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(sys.argv[1] if len(sys.argv) > 1 else Path(folder, "inbox.db")))
