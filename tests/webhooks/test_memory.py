"""What strangers send reaches no handler and stays in no memory: measured at processes of their own."""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from attrs import frozen

from benchmarks import free_port
from tests.webhooks.deliveries import incoming, receiver
from tests.webhooks.serving import MOUNT, Wire, running_at
from tests.webhooks.test_flood import flood

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HERE = Path(__file__).parent
COMMANDS = {
    "aiohttp": [str(HERE / "doomed.py"), "{port}", "{folder}/inbox.db", "{folder}/journal", "nowhere"],
    "uvicorn": ["-m", "uvicorn", "--no-access-log", "--port", "{port}", "tests.webhooks.application:app"],
}
LARGE = b" " * 600_000

linux = pytest.mark.skipif(sys.platform != "linux", reason="the size of another process is read from /proc")


@frozen
class Served:
    wire: Wire
    mount: str
    pid: int
    folder: Path

    @property
    def path(self) -> str:
        return f"{self.mount}/{self.wire.receiver.token('CALL_INCOMING')}"

    @property
    def resident(self) -> int:
        """Bytes in memory."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * 4096

    @property
    def handled(self) -> str:
        return "".join(each.read_text() for each in (self.folder / "log", self.folder / "journal") if each.exists())


@asynccontextmanager
async def process_of(server: str, folder: Path) -> AsyncIterator[Served]:
    port = free_port()
    command = [word.format(port=port, folder=folder) for word in COMMANDS[server]]
    with (folder / "log").open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *command, cwd=HERE.parents[1], stdout=output, stderr=asyncio.subprocess.STDOUT
        )
    try:
        await running_at(port)
        yield Served(Wire(port, receiver()), "/hooks" if server == "aiohttp" else MOUNT, process.pid, folder)
    finally:
        process.kill()
        await process.wait()


async def strangers(served: Served, count: int) -> None:
    """Forged, malformed, oversized and slow requests."""
    wire, path = served.wire, served.path
    forged = await flood(wire, (incoming(f"c{n}") for n in range(count)), f"{served.mount}/CALL_INCOMING-{'A' * 43}")
    malformed = await flood(wire, (b"{" * (n % 100) for n in range(count)), path)
    assert ({*forged}, {*malformed}) == ({404}, {400})
    for framing in (f"Content-Length: {len(LARGE)}", "Transfer-Encoding: chunked"):
        for _ in range(count // 20):
            with suppress(ConnectionError, asyncio.IncompleteReadError):  # closed with the body unread
                head = wire.head(framing, path)
                assert (await wire.say(head, b"92800\r\n" + LARGE if "chunked" in framing else LARGE)).status == 413
    async with AsyncExitStack() as stack:
        for _ in range(count // 10):
            _, writer = await asyncio.open_connection("127.0.0.1", wire.port)
            stack.callback(writer.close)
            writer.write(wire.head("Content-Length: 500000", path) + b" " * 1000)


@linux
@pytest.mark.acceptance
async def test_strangers_reach_no_handler_and_leave_nothing_in_memory(server: str, tmp_path: Path) -> None:
    async with asyncio.timeout(120), process_of(server, tmp_path) as served:
        await strangers(served, 400)
        before = served.resident
        for _ in range(3):
            await strangers(served, 400)
        grown = served.resident - before
        assert grown < 8 * 2**20, f"{grown / 2**20:.1f} MiB more than {before / 2**20:.1f}"
        assert "handled" not in served.handled
        assert await flood(served.wire, [incoming("honest")], served.path) == [200]
        async with asyncio.timeout(5):
            while "handled honest" not in served.handled:  # noqa: ASYNC110 - the other process sends no event
                await asyncio.sleep(0.02)
