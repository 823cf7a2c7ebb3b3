"""`python -m benchmarks.webhooks.shapes`: every documented shape, each also with one odd field, to two processes.

The processes have different handlers and share an inbox. One of them is killed at each of five moments, and started
again. At the end every delivery that was acknowledged was handled where a handler for it exists, and else is a dead
letter. It ends with exit code 1 where one is missing, or where the numbers do not add up.

`python -m benchmarks.webhooks.shapes serve PORT INBOX JOURNAL TYPE...` is such a process.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import tempfile
import time
from asyncio.subprocess import DEVNULL, Process
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from attrs import define, field, frozen

from voxloud_async.models import UnknownEvent
from voxloud_async.webhooks import Received, WebhookReceiver, parse_webhook
from voxloud_async.webhooks.identity import delivery_key
from voxloud_async.webhooks.inbox import open_inbox
from voxloud_async.webhooks.intake import type_of

from .. import free_port
from . import SECRET

DELIVERIES, SEED, KILLS = 50_000, 0, 5
ROLES: tuple[tuple[str, ...], ...] = (
    ("CALL_STARTED", "CALL_INCOMING", "CALL_ANSWERED", "CALL_HANGUP"),
    ("PHONE_CALL", "CLICK_TO_CALL"),
)
"""What the handlers of each process take: no process handles faxes."""

ODD: tuple[Any, ...] = ("text", "", "8395", 0, 1, -1.5, True, None, [None], [1, "a"], {}, {"a": 1}, 1e300)
_NOON = 1767362400000
_SENDERS = 32
_WAIT = 5.0
_LEFT_OUT = 0.3
_CALL = {
    "originatorNumber": "+390312345678",
    "originatorName": "Maria Rosi",
    "destinationNumber": "102",
    "destinationName": "Office",
}
_RECORD = _CALL | {"direction": "INBOUND", "duration": 30, "ringTime": 5, "archived": False, "recorded": False}


@frozen(kw_only=True)
class Result:
    """What a run came to. Of `sent` deliveries so many were acknowledged, of which so many were different events."""

    sent: int
    refused: int
    acknowledged: int
    events: int
    handled: int
    dead: int
    unread_fields: int
    kills: int
    missing: int
    mishandled: int
    seconds: float

    @property
    def is_good(self) -> bool:
        """Whether nothing is missing, and the numbers add up."""
        return (
            self.missing == self.mishandled == 0
            and self.sent == self.refused + self.acknowledged
            and self.events == self.handled + self.dead
        )


def rows(number: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """An event of each documented shape, with its type."""
    at, call = _NOON + number * 1000, f"call-{number}"
    user = {"userEmail": "ada@example.com", "userExtension": 102, "sipUsername": "sip102"}
    for phase in ("STARTED", "INCOMING", "ANSWERED", "HANGUP"):
        yield f"CALL_{phase}", {"timestamp": at, "callId": call, "type": phase} | _CALL | user
    record = {"timestamp": at, "callId": call, "accountId": "4af2"} | _RECORD
    phone = {"type": "PHONE_CALL", "lastEvent": "CALL_TERMINATED", "voicemail": False, "labels": ["sales"]}
    yield "PHONE_CALL", {"id": number} | record | phone
    yield "PHONE_CALL", record | phone | {"callId": f"table-{number}"}
    click = {"type": "CLICK_TO_CALL", "clickToCallType": "CONTACT", "queueCallId": None}
    yield "CLICK_TO_CALL", {"id": number} | record | click | {"callId": f"{call}-clicktocall"}
    yield "FAX_CALL", {"id": number, "type": "FAX_CALL"} | record
    fax = {"sender": "39123456789", "recipient": "39987654321", "attachment_url": "https://s3/1", "total_pages": 2}
    yield "FAX_CALL", {"id": number + 10**9, "timestamp": at, "direction": "inbound"} | fax


def deliveries(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Event types and bodies: of three events one is as documented, and two have an odd or missing field."""
    rng, made, number = random.Random(seed), 0, 0
    while True:
        number += 1
        for kind, row in rows(number):
            if made == count:
                return
            made += 1
            delivery = {"timestamp": row["timestamp"], "type": kind, "pbx_id": 117, "data": row}
            changed = rng.choice(["nothing", "event", "event", "envelope", "bare", "bare event"])
            if "bare" in changed:
                delivery = row
            if "event" in changed:
                _spoil(row, rng)
            elif changed == "envelope":
                _spoil(delivery, rng, but="data")
            yield kind, json.dumps(delivery).encode()


def _spoil(value: dict[str, Any], rng: random.Random, but: str = "") -> None:
    name = rng.choice([each for each in value if each != but])
    if rng.random() < _LEFT_OUT:
        del value[name]
    else:
        value[name] = rng.choice(ODD)


@define
class _Fleet:
    """The processes, and what they are sent."""

    folder: Path
    ports: list[int] = field(factory=lambda: [free_port() for _ in ROLES])
    processes: list[Process] = field(factory=list)

    async def start(self, place: int) -> Process:
        arguments = [str(self.ports[place]), str(self.folder / "inbox.db"), str(self.folder / f"journal-{place}")]
        command = [sys.executable, "-m", "benchmarks.webhooks.shapes", "serve", *arguments, *ROLES[place]]
        process = await asyncio.create_subprocess_exec(*command, stderr=DEVNULL)
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.ports[place])
            except OSError:
                assert process.returncode is None, "a process does not start"  # noqa: S101 - the benchmark's own
                await asyncio.sleep(0.05)
                continue
            writer.close()
            return process

    async def kill(self, place: int) -> None:
        self.processes[place].kill()
        await self.processes[place].wait()
        self.processes[place] = await self.start(place)

    async def stop(self) -> None:
        for each in self.processes:
            with suppress(ProcessLookupError):
                each.send_signal(signal.SIGTERM)
        for each in self.processes:
            await each.wait()

    def journal(self) -> list[tuple[str, str]]:
        """Key and type of each run of a handler."""
        lines: list[str] = []
        for place in range(len(ROLES)):
            path = self.folder / f"journal-{place}"
            lines += path.read_text().splitlines() if path.exists() else []
        return [(key, kind) for key, _, kind in (line.partition(" ") for line in lines)]


async def run(count: int = DELIVERIES, seed: int = SEED, kills: int = KILLS) -> Result:
    """Send them, kill, and judge."""
    started = time.perf_counter()
    tokens = WebhookReceiver(secret=SECRET)
    with tempfile.TemporaryDirectory() as folder:
        fleet = _Fleet(Path(folder))
        try:
            fleet.processes = [await fleet.start(place) for place in range(len(ROLES))]
            accepted, refused = await _send_all(fleet, tokens, deliveries(count, seed), count // (kills + 1), kills)
            dead = await _drained(fleet)
        finally:
            await fleet.stop()
        return _judged(fleet, count, accepted, refused, dead, kills, time.perf_counter() - started)


async def _send_all(
    fleet: _Fleet, tokens: WebhookReceiver, coming: Iterator[tuple[str, bytes]], every: int, kills: int
) -> tuple[list[bytes], int]:
    accepted: list[bytes] = []
    refused = sent = 0
    left = kills
    killing: set[asyncio.Task[None]] = set()

    async def send(session: aiohttp.ClientSession) -> None:
        nonlocal refused, sent, left
        for kind, body in coming:
            sent += 1
            if left and sent % every == 0:
                left -= 1
                killing.add(asyncio.create_task(fleet.kill(left % len(ROLES))))
            status = await _delivered(session, fleet, tokens.token(kind), body, sent)
            if status == 200:  # noqa: PLR2004 - the one status of an acknowledgement
                accepted.append(body)
            else:
                refused += 1

    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(send(session) for _ in range(_SENDERS)))
    await asyncio.gather(*killing)
    return accepted, refused


async def _delivered(session: aiohttp.ClientSession, fleet: _Fleet, token: str, body: bytes, turn: int) -> int:
    """Post it to one process after the other until one answers: a process that is down or full takes nothing."""
    while True:
        turn += 1
        url = f"http://127.0.0.1:{fleet.ports[turn % len(ROLES)]}/{token}"
        try:
            async with session.post(url, data=body, headers={"Content-Type": "application/json"}) as answer:
                if answer.status < 500:  # noqa: PLR2004 - a server's own trouble
                    return answer.status
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(0.05)


async def _drained(fleet: _Fleet) -> set[str]:
    """Wait until nothing is left to handle; the keys of the dead letters."""
    inbox = open_inbox(fleet.folder / "inbox.db")
    while (await inbox.counts()).waiting:  # noqa: ASYNC110 - an inbox sends no event
        await asyncio.sleep(0.2)
    letters = await inbox.dead_letters(limit=10**9)
    await inbox.aclose()
    return {each.delivery.key for each in letters}


def _judged(  # noqa: PLR0917 - the facts of a run
    fleet: _Fleet, count: int, accepted: Sequence[bytes], refused: int, dead: set[str], kills: int, seconds: float
) -> Result:
    runs = fleet.journal()
    handled = {key for key, _ in runs}
    events = {delivery_key(webhook): webhook for webhook in map(parse_webhook, accepted)}
    wanted = {
        key
        for key, webhook in events.items()
        if any(type_of(webhook) in role for role in ROLES) and not isinstance(webhook.data, UnknownEvent)
    }
    return Result(
        sent=count,
        refused=refused,
        acknowledged=len(accepted),
        events=len(events),
        handled=len(handled & events.keys()),
        dead=len(dead & events.keys()),
        unread_fields=Counter(bool(each.data.extra) for each in events.values())[True],
        kills=kills,
        missing=len(events.keys() - handled - dead),
        mishandled=len(wanted - handled) + len(handled - wanted) + len(wanted & dead),
        seconds=seconds,
    )


async def serve(port: str, inbox: str, journal: str, *types: str) -> None:
    """Be one of the processes, until it is killed or told to end."""
    receiver = WebhookReceiver(secret=SECRET, inbox=inbox, lease=3.0, unhandled_wait=_WAIT)
    out = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    @receiver.on(types[0], *types[1:])
    async def note(_event: object, received: Received) -> None:
        os.write(out, f"{received.key} {received.webhook.type}\n".encode())

    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    application = web.Application()
    application.add_routes(receiver.aiohttp_routes("/"))
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    async with receiver:
        await web.TCPSite(runner, "127.0.0.1", int(port)).start()
        await ended.wait()
        await runner.cleanup()


def main() -> int:
    """Run it, print what it came to; 1 where something is wrong."""
    result = asyncio.run(run())
    sys.stdout.write(f"{result}\n")
    return 0 if result.is_good else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        asyncio.run(serve(*sys.argv[2:]))
    else:
        sys.exit(main())
