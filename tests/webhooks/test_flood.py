"""W6: a flood is answered soon, a full inbox says so, and memory stays flat whoever sends what."""

from __future__ import annotations

import asyncio
import gc
import logging
import tracemalloc
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tests.webhooks.deliveries import incoming, receiver
from tests.webhooks.serving import MOUNT, Wire, serving
from tests.wire.raw_server import until
from voxloud_async.webhooks.inbox.memory import MemoryInbox
from voxloud_async.webhooks.notices import Notice, Refused
from voxloud_async.webhooks.telling import LogWriter

if TYPE_CHECKING:
    from collections.abc import Iterable


async def flood(wire: Wire, bodies: Iterable[bytes], path: str, *, senders: int = 20) -> list[int]:
    """Send all of them over connections that stay open; the statuses."""
    waiting, statuses = iter(bodies), []

    async def send() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
        for body in waiting:
            lines = [
                f"POST {path} HTTP/1.1",
                "Host: x",
                "Content-Type: application/json",
                f"Content-Length: {len(body)}",
            ]
            writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
            head = await reader.readuntil(b"\r\n\r\n")
            statuses.append(int(head.split()[1]))
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.partition(b":")[2]))
            if b"connection: close" in head.lower():
                writer.close()
                reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
        writer.close()

    await asyncio.gather(*(send() for _ in range(senders)))
    return statuses


async def test_w6_only_a_full_inbox_refuses_and_what_it_took_is_handled(server: str) -> None:
    told: list[Notice] = []
    served = receiver(inbox=MemoryInbox(limit=300), subscribers=[told.append])
    go, seen = asyncio.Event(), []

    @served.on()
    async def slow(event: object) -> None:
        await go.wait()
        seen.append(event)

    async with serving(server, served) as wire, served:
        statuses = await flood(wire, (incoming(f"c{n}") for n in range(1000)), wire.path())
        assert (statuses.count(200), statuses.count(503)) == (300, 700)
        assert told.count(Refused("inbox_full", 503)) == 700
        go.set()
        await until(lambda: len(seen) == 300)
        assert (await wire.post(incoming("once more"))).status == 200
    assert served.stats.refused == {"inbox_full": 700}
    assert served.stats.handled == 301


async def test_w6_a_slow_handler_holds_up_no_acknowledgement(server: str) -> None:
    served = receiver()
    go = asyncio.Event()

    @served.on()
    async def hang(_event: object) -> None:
        await go.wait()

    async with serving(server, served) as wire, served:
        assert await flood(wire, (incoming(f"c{n}") for n in range(500)), wire.path()) == [200] * 500
        assert served.stats.handled == 0
        go.set()
        await until(lambda: served.stats.handled == 500)


async def test_memory_stays_flat_under_forged_oversized_malformed_and_doubled_deliveries(
    server: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "voxloud_async.webhooks")  # pytest keeps what is logged
    served = receiver()

    @served.on()
    async def handle(_event: object) -> None: ...

    async def each_kind(wire: Wire, count: int) -> None:
        large = b" " * 600_000
        await flood(wire, (incoming() for _ in range(count)), wire.path())
        await flood(wire, (b"{" for _ in range(count)), wire.path())
        await flood(wire, (incoming(f"c{n}") for n in range(count)), f"{MOUNT}/CALL_INCOMING-{'A' * 43}")
        for _ in range(count // 20):
            with suppress(ConnectionError):  # closed with the body unread, which is a reset
                await wire.say(wire.head(f"Content-Length: {len(large)}"), large)

    async with serving(server, served) as wire, served:
        await each_kind(wire, 100)
        tracemalloc.start()
        await each_kind(wire, 20)
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        await each_kind(wire, 400)
        gc.collect()
        after, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert served.stats.refused == {"malformed": 520, "token": 520, "too_large": 26}
    assert after - before < 500_000
    assert most - before < 16_000_000
    assert (served.stats.accepted, served.stats.handled) == (1, 1)


async def test_w13_a_flood_writes_a_bounded_log(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    log = LogWriter(lambda: now)
    with caplog.at_level(logging.INFO, "voxloud_async.webhooks"):
        for _ in range(10_000):
            log.note(Refused("malformed", 400))
            log.note(Refused("token", 404))
            now += 0.001
        assert len(caplog.records) == 10
        log.note(Refused("wrong_pbx", 403))
        now = 61.0
        log.note(Refused("malformed", 400))
    assert [entry.getMessage() for entry in caplog.records[10:]] == [
        "a request was refused: wrong_pbx (403)",
        "9990 more lines of this kind were left out",
        "a request was refused: malformed (400)",
    ]
