"""W7: a process killed with SIGKILL at each of five points. Nothing acknowledged is lost; one extra run at the most."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks import free_port
from tests.webhooks.deliveries import incoming, receiver
from tests.webhooks.doomed import POINTS
from tests.webhooks.serving import Wire, running_at
from tests.wire.raw_server import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PROGRAM = Path(__file__).with_name("doomed.py")
RUNS = {"while handling": 2, "before marking": 2}


@asynccontextmanager
async def running(port: int, folder: Path, point: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The program, until it is killed here."""
    arguments = [str(port), str(folder / "inbox.db"), str(folder / "journal"), point]
    process = await asyncio.create_subprocess_exec(sys.executable, str(PROGRAM), *arguments)
    try:
        await running_at(port)
        yield process
    finally:
        process.kill()
        await process.wait()


def lines(folder: Path) -> list[str]:
    journal = folder / "journal"
    return journal.read_text().splitlines() if journal.exists() else []


def runs(folder: Path, name: str) -> list[str]:
    return [line for line in lines(folder) if line.startswith(f"handled {name} ")]


@pytest.mark.parametrize("point", POINTS)
async def test_w7_killed_it_loses_nothing_it_acknowledged(tmp_path: Path, point: str) -> None:
    port = free_port()
    wire = Wire(port, receiver())
    wanted = RUNS.get(point, 1)
    path = f"/hooks/{wire.receiver.token('CALL_INCOMING')}"
    async with asyncio.timeout(60):
        async with running(port, tmp_path, point):
            delivered = asyncio.create_task(wire.ask(path, incoming("a")))
            await until(lambda: f"at {point}" in lines(tmp_path))
            acknowledged = delivered.done() or point not in POINTS[:2]
            if acknowledged:
                assert (await delivered).status == 200
        if not acknowledged:
            with pytest.raises(asyncio.IncompleteReadError):
                await delivered
        async with running(port, tmp_path, "nowhere"):
            if not acknowledged:  # the sender's own second try
                assert (await wire.ask(path, incoming("a"))).status == 200
            await until(lambda: len(runs(tmp_path, "a")) == wanted)
            assert (await wire.ask(path, incoming("b"))).status == 200
            await until(lambda: len(runs(tmp_path, "b")) == 1)
    assert len(runs(tmp_path, "a")) == wanted
