"""The learned limiter against hidden limits, in virtual time: `python -m benchmarks.storm.simulate`."""

from __future__ import annotations

import asyncio
import random
import statistics
import sys

from voxloud_async import VoxloudClient
from voxloud_async.sandbox import Concurrency, FixedWindow, SlidingWindow, TokenBucket

from . import virtual
from .service import Service

WORKERS = 64
A, B, C, E = FixedWindow(10), TokenBucket(10, 10), TokenBucket(10, 1), SlidingWindow(10)


async def job(service: Service, requests: int, workers: int = WORKERS, seed: int = 0):
    client = VoxloudClient("k", transport=service, chance=random.Random(seed).random)
    loop = asyncio.get_running_loop()
    left = iter(range(requests))
    waits, shares, failed = [], [], 0

    async def worker() -> None:
        nonlocal failed
        done = 0
        for _ in left:
            started = loop.time()
            try:
                await client.validate_auth()
                done += 1
            except Exception as e:
                failed += 1
            waits.append(loop.time() - started)
        shares.append(done)

    await asyncio.gather(*(worker() for _ in range(workers)))
    return loop.time(), waits, shares, failed, client


def figures(limit, rate, requests=1000, seeds=3, ideal=None, steady_from=30.0, **weather):
    rows = []
    for seed in range(seeds):
        service = Service(limit, seed=seed, **weather)
        total, waits, shares, failed, client = virtual.run(job(service, requests, seed=seed))
        end = service.accepted[-1]
        down = sum(length for s, length in weather.get("maintenance", ()) if s < end)
        late_down = sum(max(0, min(s + length, end) - max(s, steady_from)) for s, length in weather.get("maintenance", ()) if s < end)
        steady = [t for t in service.accepted if steady_from < t]
        attempts = len(service.accepted) + len(service.refused) + len(service.unavailable)
        waits.sort()
        rows.append((
            (requests / rate + down) / total,
            len(steady) / rate / max(1e-9, end - steady_from - late_down) if end > steady_from + 5 else float("nan"),
            len(service.refused) / attempts * 100,
            waits[int(len(waits) * 0.99)], waits[int(len(waits) * 0.99)] / statistics.median(waits),
            sum(shares) ** 2 / (len(shares) * sum(x * x for x in shares)),
            failed, len(service.unavailable),
        ))
    return [statistics.mean(c) for c in zip(*rows)]


WINDOWS = ((20.0, 5.0), (50.0, 5.0), (80.0, 5.0))
CASES = {
    "A fixed 10/1s": (A, 10, {}),
    "A+RA": (A, 10, dict(retry_after=True)),
    "B bucket 10,10": (B, 10, {}),
    "B+RA": (B, 10, dict(retry_after=True)),
    "C bucket 10,1": (C, 10, {}),
    "E sliding": (E, 10, {}),
    "F A+503": (A, 10, dict(maintenance=WINDOWS)),
    "F+RA": (A, 10, dict(maintenance=WINDOWS, retry_after=True)),
    "100/10s": (FixedWindow(100, 10), 10, dict(requests=2000)),
    "300/10s": (FixedWindow(300, 10), 30, dict(requests=4000)),
    "600/60s": (FixedWindow(600, 60), 10, dict(requests=4000)),
    "600/60s+RA": (FixedWindow(600, 60), 10, dict(requests=4000, retry_after=True)),
    "20/1s": (FixedWindow(20), 20, dict(requests=2000)),
    "50/s": (FixedWindow(50), 50, dict(requests=5000)),
    "100/s rtt.3": (FixedWindow(100), 100, dict(requests=8000, one_way=(0.14, 0.16))),
    "2/s": (FixedWindow(2), 2, dict(requests=300)),
    "1/s": (FixedWindow(1), 1, dict(requests=200)),
}

if __name__ == "__main__":
    only = sys.argv[1:]
    print(f"{'case':16} good steady 429% p99 p99/p50 jain fail 503")
    for name, (limit, rate, options) in CASES.items():
        if only and not any(name.startswith(o) for o in only):
            continue
        g = figures(limit, rate, **options)
        print(f"{name:16} {g[0]:.3f} {g[1]:.3f} {g[2]:5.2f} {g[3]:6.1f} {g[4]:5.2f} {g[5]:.3f} {g[6]:.0f} {g[7]:.0f}", flush=True)
