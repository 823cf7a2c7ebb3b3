"""Ways to create many contacts: with this client, and as one would by hand with aiohttp."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

import aiohttp

from voxloud_async import VoxloudClient

from .items import contacts
from .service import Service

CONCURRENCY = 32

Run = Callable[[Service, int], Coroutine[Any, Any, None]]


async def bulk(service: Service, count: int) -> None:
    """`create_many`."""
    await _bulk(service, count, None)


async def journaled(service: Service, count: int) -> None:
    """The same with a journal, which is synced to the disk before anything is sent."""
    with tempfile.TemporaryDirectory() as folder:
        await _bulk(service, count, Path(folder) / "journal")


async def gathered(service: Service, count: int) -> None:
    """All at once behind a semaphore, all in memory; the first error ends it."""
    await _gathered(service, count, fresh=False)


async def gathered_fresh(service: Service, count: int) -> None:
    """The same with a new connection for each request, as a create of this client has it."""
    await _gathered(service, count, fresh=True)


async def _gathered(service: Service, count: int, *, fresh: bool) -> None:
    room = asyncio.Semaphore(CONCURRENCY)
    async with _session(service, CONCURRENCY, fresh=fresh) as session:

        async def create(item: Mapping[str, Any]) -> Any:
            async with room:
                return await _create(session, item)

        await asyncio.gather(*map(create, contacts(count)))


async def one_by_one(service: Service, count: int) -> None:
    """A loop."""
    async with _session(service, 1) as session:
        for item in contacts(count):
            await _create(session, item)


CONTENDERS: dict[str, Run] = {
    "voxloud_async, create_many": bulk,
    "voxloud_async, with a journal": journaled,
    "aiohttp, gather, new connections": gathered_fresh,
    "aiohttp, gather": gathered,
    "aiohttp, one by one": one_by_one,
}


async def _bulk(service: Service, count: int, journal: Path | None) -> None:
    async with VoxloudClient(service.key, base_url=service.url, rate=None) as client:
        run = client.contacts.create_many(contacts(count), concurrency=CONCURRENCY, journal=journal)
        summary = await run.finish()
    if summary.done != count:
        raise RuntimeError(f"{summary}")


def _session(service: Service, connections: int, *, fresh: bool = False) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=connections, force_close=fresh)
    return aiohttp.ClientSession(service.url, headers={"Voverc-Auth": service.key}, connector=connector)


async def _create(session: aiohttp.ClientSession, item: Mapping[str, Any]) -> Any:
    async with session.post("/api/v1/contacts", json=item, raise_for_status=True) as response:
        return await response.json()
