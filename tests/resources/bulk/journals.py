"""Runs with a journal that are interrupted, and what stands in it."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from voxloud_async import VoxloudClient
from voxloud_async.models import Contact
from voxloud_async.sandbox import Fault, Sandbox, Weather

from .samples import contacts

JOHN: Any = {"first_name": "John", "primary_phone": "+390312345678", "company_name": "John&Associates"}
LOST = Fault(cut="inside_headers", executed=True)
UNSENT = Fault(cut="inside_headers")


def read(journal: Path) -> bytes:
    return journal.read_bytes()


def write(journal: Path, content: bytes) -> None:
    journal.write_bytes(content)


def mode(journal: Path) -> int:
    return stat.S_IMODE(journal.stat().st_mode)


def entries(journal: Path) -> list[Any]:
    return [json.loads(line) for line in read(journal).splitlines()][1:]


async def many_elsewhere(sandbox: Sandbox) -> None:
    """Another client creates more contacts than fit a page."""
    async with VoxloudClient(sandbox.api_key, base_url=sandbox.url, rate=None) as client:
        assert (await client.contacts.create_many(contacts(101)).finish()).done == 101


async def interrupted(client: VoxloudClient, sandbox: Sandbox, items: Sequence[Any], journal: Path) -> None:
    """Run until every item was carried out, and end before one of the responses arrives."""
    expected = sandbox.count("POST") + len(items)
    sandbox.change_weather(Weather())
    sandbox.fail_next(Fault(delay=5.0, executed=True), n=len(items), match="POST")
    task = asyncio.create_task(client.contacts.create_many(items, concurrency=99, journal=journal).finish())
    while sandbox.count("POST") < expected:  # noqa: ASYNC110 - the same
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    sandbox.change_weather(Weather())


async def elsewhere(sandbox: Sandbox, fields: Any = JOHN) -> Contact:
    """Another client creates a contact."""
    async with VoxloudClient(sandbox.api_key, base_url=sandbox.url, rate=None) as client:
        return await client.contacts.create(**fields)
