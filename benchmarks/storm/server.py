"""A service with a hidden limit in a process of its own: it answers any request alike, or refuses it."""

from __future__ import annotations

import math
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

from aiohttp import web
from attrs import define

from voxloud_async.sandbox import TokenBucket

LATENCY = 0.03

ANSWER = {"name": "Acme", "email": "office@example.com"}
REFUSAL = {"__type": "ThrottlingException", "message": "Slow down!"}
"""In the words that botocore knows as well."""


@define
class Tally:
    """What one storm did to the service."""

    accepted: int
    refused: int


@define
class Storm:
    """The server as its clients see it."""

    url: str
    _control: Connection

    def tally(self) -> Tally:
        """The counts since the last call; the limit starts anew."""
        self._control.send("tally")
        return Tally(*self._control.recv())


@contextmanager
def service(limit: TokenBucket, *, retry_after: bool) -> Iterator[Storm]:
    """Run the service until the block ends."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(limit, retry_after, theirs), daemon=True)
    process.start()
    try:
        yield Storm(f"http://127.0.0.1:{ours.recv()}", ours)
    finally:
        ours.send("stop")
        process.join()


def _serve(limit: TokenBucket, retry_after: bool, control: Connection) -> None:  # noqa: FBT001
    import asyncio  # noqa: PLC0415 - the child's

    asyncio.run(_main(limit, retry_after, control))


async def _main(limit: TokenBucket, retry_after: bool, control: Connection) -> None:  # noqa: FBT001
    import asyncio  # noqa: PLC0415

    meter = limit.meter()
    counts = [0, 0]

    async def answer(_: web.BaseRequest) -> web.Response:
        now = time.monotonic()
        wait = meter.wait(now)
        if wait > 0.0:
            counts[1] += 1
            headers = {"Retry-After": str(math.ceil(wait))} if retry_after else {}
            return web.json_response(REFUSAL, status=429, headers=headers)
        meter.take(now)
        counts[0] += 1
        await asyncio.sleep(LATENCY)
        return web.json_response(ANSWER)

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    control.send(runner.addresses[0][1])
    while await asyncio.to_thread(control.recv) == "tally":
        control.send(counts)
        counts[:] = [0, 0]
        meter = limit.meter()
    await runner.cleanup()
