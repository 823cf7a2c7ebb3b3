"""`python -m benchmarks.webhooks.crash`: a sandbox sends, and the receiver is killed at each of five points.

It dies by SIGKILL. Deliveries are doubled, overtaken, late, lost on the way, and cut before their answer arrives; the
service switches subscriptions off while the receiver is down, and is asked to serve them again when it is back. At the
end the records that went by are read back, and the judge compares what the handlers wrote with what the sandbox knows.
It ends with exit code 1 where anything was lost, or ran more often than the kills account for.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from attrs import frozen

from voxloud_async import VoxloudClient
from voxloud_async.models import EventType
from voxloud_async.sandbox import Misfortune, Sandbox, Traffic
from voxloud_async.webhooks import WebhookReceiver

from .. import free_port
from . import SECRET
from .doomed import POINTS

DELIVERIES, SEED, CALLS_PER_SECOND = 20_000, 0, 60.0
MISFORTUNE = Misfortune(doubled=0.1, overtaken=0.1, late=0.1, lateness=2.0, dropped=0.03, cut=0.02)


@frozen(kw_only=True)
class Result:
    """What a run came to. `deliveries` were sent, `acknowledged` answered with 2xx, of which `doubled` were known."""

    concurrency: int
    deliveries: int
    acknowledged: int
    doubled: int
    records: int
    kills: int
    back_filled: int
    handled: int
    extra_runs: int
    most_extra_of_one: int
    lost: int

    @property
    def is_good(self) -> bool:
        """Nothing lost, and no more runs than those that a kill interrupted."""
        return (
            self.lost == 0
            and self.kills == len(POINTS)
            and self.extra_runs <= self.kills * self.concurrency
            and self.most_extra_of_one <= self.kills
        )


@frozen
class Stage:
    """The sandbox, its client, and where the receiver is to be."""

    sandbox: Sandbox
    client: VoxloudClient
    port: int
    folder: Path
    concurrency: int
    deliveries: int

    async def started(self, point: str, n: int = 0) -> Process:
        """The receiver, serving, and subscribed to everything."""
        values = [str(self.port), str(self.folder), str(self.concurrency), point, str(n)]
        command = [sys.executable, "-m", f"{__package__}.doomed", *values]
        process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
        if await _line(process) != "serving":
            raise RuntimeError("the receiver did not start")
        receiver = WebhookReceiver(secret=SECRET)
        base = f"http://127.0.0.1:{self.port}/hooks"
        await self.client.webhook_subscriptions.ensure({each: receiver.callback_url(base, each) for each in EventType})
        return process

    async def killed(self, point: str, n: int) -> bool:
        """Start a receiver and see it die."""
        process = await self.started(point, n)
        return await process.wait() < 0

    async def end_traffic(self) -> None:
        """End the traffic once there were enough deliveries."""
        while _sent(self.sandbox) < self.deliveries:  # noqa: ASYNC110 - a sandbox sends no event
            await asyncio.sleep(0.05)
        self.sandbox.change_traffic(None)

    async def play(self, seed: int) -> tuple[int, int]:
        """All of it; how many kills there were, and how many records had to be read back."""
        chance = random.Random(seed)
        begun = datetime.now(UTC)
        kills = 0
        for point in POINTS:  # an eighth each: what is acknowledged without doubles is enough for all of them
            kills += await self.killed(point, round(self.deliveries / 8 * (0.75 + chance.random() / 2)))
        last = await self.started("nowhere")
        await self.end_traffic()  # not before: no receiver dies of deliveries that do not come
        await self.sandbox.drain()
        since = begun - timedelta(minutes=1)
        answer, _ = await last.communicate(f"{self.sandbox.url} {self.sandbox.api_key} {since.isoformat()}\n".encode())
        return kills, int(answer)


async def _line(process: Process) -> str:
    return (await process.stdout.readline()).decode().strip() if process.stdout else ""


async def run(deliveries: int, *, concurrency: int, seed: int = SEED) -> Result:
    """Play it through and judge it."""
    traffic = Traffic(calls_per_second=CALLS_PER_SECOND, seed=seed)
    sandbox = Sandbox(seed=seed, events=0, now=datetime.now(UTC), misfortune=MISFORTUNE, traffic=traffic)
    with tempfile.TemporaryDirectory() as folder:
        async with sandbox, VoxloudClient(sandbox.api_key, base_url=sandbox.url) as client:
            stage = Stage(sandbox, client, free_port(), Path(folder), concurrency, deliveries)
            kills, back_filled = await stage.play(seed)
        with open(f"{folder}/handled", encoding="utf-8") as book:  # noqa: ASYNC230, PTH123 - all is over
            runs = Counter(map(str.strip, book))
    return judged(sandbox, runs, concurrency=concurrency, kills=kills, back_filled=back_filled)


def judged(sandbox: Sandbox, runs: Counter[str], *, concurrency: int, kills: int, back_filled: int) -> Result:
    """Compare what was handled with the sandbox's own record of what it sent and of its calls."""
    acknowledged = [_identity(each.body) for each in sandbox.deliveries if each.outcome == "delivered"]
    records = {f"record {each}" for each in sandbox.state.events.ids}
    return Result(
        concurrency=concurrency,
        deliveries=_sent(sandbox),
        acknowledged=len(acknowledged),
        doubled=len(acknowledged) - len({*acknowledged}),
        records=len(records),
        kills=kills,
        back_filled=back_filled,
        handled=len(runs),
        extra_runs=runs.total() - len(runs),
        most_extra_of_one=max(runs.values()) - 1,
        lost=len(({*acknowledged} | records) - runs.keys()),
    )


def _identity(body: bytes) -> str:
    """As the handlers write it, read without the SDK."""
    event: dict[str, Any] = json.loads(body)["data"]
    if "id" in event:
        return f"record {event['id']}"
    return f"{event['type']} {event['callId']} {event['userExtension']} {event['timestamp']}"


def _sent(sandbox: Sandbox) -> int:
    return sum(each.sent is not None for each in sandbox.deliveries)


def main(concurrencies: Iterable[int] = (1, 16), deliveries: int = DELIVERIES) -> list[Result]:
    """Run it with one handler at a time, and with several."""
    results = []
    for concurrency in concurrencies:
        results.append(asyncio.run(run(deliveries, concurrency=concurrency)))
        print(results[-1], flush=True)
    return results


if __name__ == "__main__":
    sys.exit(not all(result.is_good for result in main(deliveries=int(sys.argv[1]) if sys.argv[1:] else DELIVERIES)))
