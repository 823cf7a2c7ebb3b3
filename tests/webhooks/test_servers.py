"""The receiver in processes of uvicorn and granian, as users start them, and in their access logs."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from benchmarks import free_port
from tests.webhooks.application import receiver as served
from tests.webhooks.deliveries import incoming, receiver
from tests.webhooks.serving import MOUNT, Wire, running_at
from voxloud_async.webhooks import TokenFilter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

COMMANDS = {
    "uvicorn": ["uvicorn", "--port", "{port}", "tests.webhooks.application:app"],
    "granian": ["granian", "--interface", "asgi", "--access-log", "--port", "{port}", "tests.webhooks.application:app"],
}
ROOT = Path(__file__).parent.parent.parent


@asynccontextmanager
async def process_of(command: list[str], log: Path) -> AsyncIterator[Wire]:
    """A server as a process, ended with SIGTERM."""
    port = free_port()
    words = [word.format(port=port) for word in command]
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *words, cwd=ROOT, stdout=output, stderr=asyncio.subprocess.STDOUT
        )
    try:
        await running_at(port)
        yield Wire(port, served)
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 20)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
async def test_fastapi_under_a_real_server(command: list[str], tmp_path: Path) -> None:
    log = tmp_path / "log"
    async with asyncio.timeout(60), process_of(command, log) as wire:
        assert (await wire.post(incoming("a"))).status == 200
        assert (await wire.post(incoming("a"))).status == 200
        assert (await wire.post(b"[]")).status == 400
        assert (await wire.post(incoming("b"), Content_Encoding="gzip")).status == 415
        assert (await wire.ask(f"{MOUNT}/{served.token('CALL_HANGUP')}x", incoming("b"))).status == 404
        assert (await wire.ask(wire.path(), method="GET")).status == 405
        with_cap = await wire.say(wire.head("Content-Length: 600000"))
        assert with_cap.status == 413
    text = log.read_text()
    assert text.count("handled a") == 1
    assert "handled b" not in text
    assert "left" in text
    assert f"{MOUNT}/***" in text
    assert served.token("CALL_INCOMING") not in text


async def test_the_access_log_of_aiohttp(caplog: pytest.LogCaptureFixture) -> None:
    application = web.Application()
    application.add_routes(receiver().aiohttp_routes(MOUNT))
    redacting = TokenFilter()
    runner = web.AppRunner(application)
    await runner.setup()
    logging.getLogger("aiohttp.access").addFilter(redacting)
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        with caplog.at_level(logging.INFO, "aiohttp.access"):
            wire = Wire(runner.addresses[0][1], receiver())
            assert (await wire.post(incoming())).status == 200
            await runner.cleanup()
    finally:
        logging.getLogger("aiohttp.access").removeFilter(redacting)
    assert f'"POST {MOUNT}/*** HTTP/1.1" 200' in caplog.text
    assert wire.receiver.token("CALL_INCOMING") not in str([vars(entry) for entry in caplog.records])
