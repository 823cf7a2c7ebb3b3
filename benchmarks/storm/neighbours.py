"""One endpoint that fails without end, and 200 calls to others: `python -m benchmarks.storm.neighbours` prints a table.

Two exports read the failing endpoint all the time, over real sockets: in one process, and in each of three processes
that share their limit in Redis. What counts is how long the calls to the free endpoints wait.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from typing import Literal

from aiohttp import web
from attrs import define, frozen

from voxloud_async import RedisRate, VoxloudClient
from voxloud_async.errors import VoxloudError

from .processes import redis_server

CALLS, TASKS, EXPORTS, PROCESSES = 200, 8, 2, 3
LATENCY = 0.01
FAULTS = ("429", "429 Retry-After", "503", "500", "hangs")
TIMEOUT = 2.0
"""Seconds for an attempt: a fault that hangs is met within the run."""

FAILING = "/api/v1/telephony-events"


@frozen
class Result:
    """What one process saw: of its calls to free endpoints, how many succeeded and what they waited, in seconds."""

    succeeded: int
    median: float
    longest: float


@define
class Service:
    """The server: `fault` is what its failing endpoint does."""

    url: str
    _control: Connection

    def requests(self) -> tuple[int, int]:
        """Return how many requests the failing endpoint and the others got since the last call."""
        self._control.send("count")
        failing, others = self._control.recv()
        return failing, others


@contextmanager
def service(fault: str) -> Iterator[Service]:
    """Run the server in a process of its own until the block ends."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(fault, theirs), daemon=True)
    process.start()
    try:
        yield Service(f"http://127.0.0.1:{ours.recv()}", ours)
    finally:
        ours.send("stop")
        process.join()


def _serve(fault: str, control: Connection) -> None:
    asyncio.run(_main(fault, control))


async def _main(fault: str, control: Connection) -> None:
    counts = [0, 0]
    status, _, hint = fault.partition(" ")

    async def answer(request: web.BaseRequest) -> web.Response:
        await asyncio.sleep(LATENCY)
        if request.path != FAILING:
            counts[1] += 1
            return web.json_response({"name": "Acme", "email": "office@example.com"})
        counts[0] += 1
        if fault == "hangs":
            await asyncio.sleep(3600.0)
        return web.json_response({"message": "no"}, status=int(status), headers={"Retry-After": "1"} if hint else {})

    runner = web.ServerRunner(web.Server(answer), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    control.send(runner.addresses[0][1])
    while await asyncio.to_thread(control.recv) == "count":
        control.send(tuple(counts))
        counts[:] = [0, 0]
    await runner.cleanup()


async def work(url: str, redis_url: str) -> Result:
    """Make the calls beside the exports."""
    rate: RedisRate | Literal["learned"] = RedisRate(redis_url, processes=PROCESSES) if redis_url else "learned"
    async with VoxloudClient("key-of-the-benchmark", base_url=url, rate=rate, timeout=TIMEOUT) as client:
        exports = [asyncio.create_task(_export(client)) for _ in range(EXPORTS)]
        await asyncio.sleep(LATENCY)
        waits, left = [], iter(range(CALLS))

        async def call_on() -> None:
            for _ in left:
                started = time.perf_counter()
                with suppress(VoxloudError):
                    await client.with_options(max_wait=20.0).validate_auth()
                    waits.append(time.perf_counter() - started)
                await asyncio.sleep(LATENCY)

        await asyncio.gather(*(call_on() for _ in range(TASKS)))
        for export in exports:
            export.cancel()
        await asyncio.gather(*exports, return_exceptions=True)
    return Result(len(waits), statistics.median(waits), max(waits))


async def _export(client: VoxloudClient) -> None:
    """Read, and once it fails read anew."""
    while True:
        with suppress(VoxloudError):
            await client.telephony_events.query(page_size=100).collect()


def in_processes(url: str, redis_url: str) -> list[Result]:
    """Let several processes work at once."""
    command = [sys.executable, "-m", "benchmarks.storm.neighbours", url, redis_url]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(PROCESSES)]  # noqa: S603 - own program
    return [Result(**json.loads(worker.communicate()[0])) for worker in workers]


def main() -> None:
    """Measure every fault in one process and in three, and print the table."""
    print("| fault | processes | succeeded | median wait | longest | requests to the failing endpoint | EVALSHA |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    with redis_server() as redis:
        shared = f"redis://127.0.0.1:{redis.connection_pool.connection_kwargs['port']}/0"
        for fault in FAULTS:
            with service(fault) as server:
                _print(fault, server, [asyncio.run(work(server.url, ""))], "")
                redis.config_resetstat()
                results = in_processes(server.url, shared)
                scripts = redis.info("commandstats")["cmdstat_evalsha"]["calls"]
                _print(fault, server, results, scripts)


def _print(fault: str, server: Service, results: list[Result], scripts: int | str) -> None:
    failing, others = server.requests()
    ratio = f"{scripts / (failing + others):.2f} a request" if isinstance(scripts, int) else ""
    succeeded = " + ".join(str(each.succeeded) for each in results)
    median = max(each.median for each in results)
    longest = max(each.longest for each in results)
    print(
        f"| {fault} | {len(results)} | {succeeded} | {median:.3f} s | {longest:.2f} s | {failing} | {ratio} |",
        flush=True,
    )


if __name__ == "__main__":
    if sys.argv[1:]:
        result = asyncio.run(work(*sys.argv[1:3]))
        print(json.dumps({"succeeded": result.succeeded, "median": result.median, "longest": result.longest}))
    else:
        main()
