"""Telephony events in a process of their own: made as they are asked for, each page after the same latency."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from multiprocessing.connection import Connection

from aiohttp import web

START = 1_767_225_600_000
"""Milliseconds since 1970 of the first row; each next one is a second later."""

ROW = json.dumps(
    {
        "id": 0,
        "type": "PHONE_CALL",
        "accountId": "faffd4879c2b686fe9c5fb1673ce2800",
        "direction": "INBOUND",
        "timestamp": 1,
        "originatorName": "Emanuele De Amicis",
        "originatorNumber": "0697631539",
        "destinationName": "3907761790162",
        "destinationNumber": "3907761790162",
        "maskCallerNumber": False,
        "lastEvent": "CALL_ANSWERED",
        "duration": 71,
        "ringTime": 7,
        "archived": False,
        "callId": "125113c1cca012369ea306f6192f6ec4",
        "recorded": True,
        "voicemail": False,
        "answererName": "Giulia Conti",
        "answererNumber": "104",
        "userEmail": "giulia.conti@example.com",
        "labels": ["sales", "callback"],
        "transcription": "Buongiorno, la chiamo per la fattura di giugno. " * 4,
        "summary": "The caller asks about an invoice and is called back.",
        "sentiment_score": 64,
    },
    separators=(",", ":"),
)
_HEAD, _, _TAIL = ROW.partition('"timestamp":1')
_HEAD = _HEAD.replace('"id":0', '"id":%d')
_ROW = f'{_HEAD}"timestamp":%d{_TAIL}'.encode()


@contextmanager
def service(rows: int, latency: float) -> Iterator[str]:
    """Run it until the block ends; gives its URL."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(rows, latency, theirs), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        ours.send("stop")
        process.join()


def _serve(rows: int, latency: float, control: Connection) -> None:
    import asyncio  # noqa: PLC0415 - the child's

    asyncio.run(_main(rows, latency, control))


async def _main(rows: int, latency: float, control: Connection) -> None:
    import asyncio  # noqa: PLC0415

    async def answer(request: web.BaseRequest) -> web.Response:
        body = json.loads(await request.read() or b"{}")
        await asyncio.sleep(latency)
        query = request.rel_url.query
        return web.Response(
            body=_page(rows, _first(body), int(query["size"]), int(query.get("page", "0"))),
            content_type="application/json",
        )

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    control.send(runner.addresses[0][1])
    await asyncio.to_thread(control.recv)
    await runner.cleanup()


def _first(body: dict[str, str]) -> int:
    """The number of the first row of an interval."""
    if "date_time_from" not in body:
        return 0
    since = datetime.fromisoformat(body["date_time_from"]).timestamp() * 1000
    return max(0, -int((START - since) // 1000))


def _page(rows: int, first: int, size: int, number: int) -> bytes:
    start = first + number * size
    end = min(start + size, rows)
    total = rows - first
    content = b",".join(_ROW % (row, START + row * 1000) for row in range(start, end))
    envelope = {"last": end >= rows, "totalElements": total, "size": size, "number": number}
    return b'{"content":[' + content + b"]," + json.dumps(envelope).encode()[1:]
