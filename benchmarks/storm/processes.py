"""Four processes that use one key at a hidden 20 a second: `python -m benchmarks.storm.processes` prints a table.

With Redis they share one limit, without it each learns its own. It starts a redis-server and a sandbox on loopback.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from attrs import frozen
from redis import Redis, RedisError

from voxloud_async import RedisRate, VoxloudClient
from voxloud_async.sandbox import FixedWindow, Sandbox, Weather, in_background

PROCESSES, TASKS, LIMIT = 4, 16, 20
SECONDS, WARM_UP = 30.0, 10.0


@frozen
class Result:
    """What one run came to; the shares are of the limit, and of all requests."""

    name: str
    steady: float
    refused: float
    jain: float
    scripts: float


@contextmanager
def redis_server() -> Iterator[Redis]:
    """Run a server that saves nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 - own server
    client = Redis(port=port)
    try:
        while not _answers(client):
            time.sleep(0.05)
        yield client
    finally:
        client.close()
        process.terminate()
        process.wait()


def _answers(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except RedisError:
        return False


def measure(name: str, redis_url: str, redis: Redis) -> Result:
    """Let the processes work against a fresh sandbox."""
    redis.config_resetstat()
    with in_background(Sandbox(weather=Weather(limits=(FixedWindow(LIMIT),), latency=0.02))) as sandbox:
        command = [sys.executable, "-m", "benchmarks.storm.processes", sandbox.url, sandbox.api_key, redis_url]
        workers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(PROCESSES)]  # noqa: S603
        shares = [int(worker.communicate()[0]) for worker in workers]
        requests = sandbox.requests
    start = requests[0].at
    steady = sum(each.status == HTTPStatus.OK and WARM_UP <= each.at - start < SECONDS for each in requests)
    scripts = redis.info("commandstats").get("cmdstat_evalsha", {"calls": 0})["calls"]
    return Result(
        name,
        steady=steady / (SECONDS - WARM_UP) / LIMIT,
        refused=sum(each.status == HTTPStatus.TOO_MANY_REQUESTS for each in requests) / len(requests),
        jain=sum(shares) ** 2 / (len(shares) * sum(share**2 for share in shares)),
        scripts=scripts / len(requests),
    )


async def work(url: str, key: str, redis_url: str) -> int:
    """One process: call until the time is over."""
    done = 0
    end = time.monotonic() + SECONDS

    async def call_on(client: VoxloudClient) -> None:
        nonlocal done
        while time.monotonic() < end:
            await client.validate_auth()
            done += 1

    async with VoxloudClient(key, base_url=url, rate=RedisRate(redis_url) if redis_url else "learned") as client:
        await asyncio.gather(*(call_on(client) for _ in range(TASKS)))
    return done


def main() -> None:
    """Measure both and print the table."""
    with redis_server() as redis:
        port = redis.connection_pool.connection_kwargs["port"]
        results = [
            measure("with Redis", f"redis://127.0.0.1:{port}/0", redis),
            measure("without", "", redis),
        ]
    print("| four processes | steady share of the limit | refused | Jain | EVALSHA per request |")
    print("| --- | --- | --- | --- | --- |")
    for each in results:
        print(f"| {each.name} | {each.steady:.2f} | {each.refused:.1%} | {each.jain:.3f} | {each.scripts:.2f} |")


if __name__ == "__main__":
    if sys.argv[1:]:
        print(asyncio.run(work(*sys.argv[1:4])))
    else:
        main()
