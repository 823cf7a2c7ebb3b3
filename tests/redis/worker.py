"""One of several processes that use a key: `worker.py URL KEY REDIS SECONDS TASKS`.

It prints `ready` after its first call, waits for a line, calls for so many seconds and prints how many calls succeeded.
"""

from __future__ import annotations

import asyncio
import sys
import time

from voxloud_async import RedisRate, VoxloudClient


async def work(url: str, key: str, redis: str, seconds: float, tasks: int) -> int:
    """Call until the time is over."""
    done = 0

    async def call_on(client: VoxloudClient) -> None:
        nonlocal done
        while time.monotonic() < end:
            await client.validate_auth()
            done += 1

    async with VoxloudClient(key, base_url=url, rate=RedisRate(redis) if redis else "learned") as client:
        await client.validate_auth()
        print("ready", flush=True)  # noqa: T201 - to the process that started it
        await asyncio.to_thread(sys.stdin.readline)
        end = time.monotonic() + seconds
        await asyncio.gather(*(call_on(client) for _ in range(tasks)))
    return done


if __name__ == "__main__":
    url, key, redis, seconds, tasks = sys.argv[1:]
    print(asyncio.run(work(url, key, redis, float(seconds), int(tasks))))  # noqa: T201 - its answer
