"""The receiver in processes of uvicorn and granian, as users start them, and in their access logs."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from fastapi import FastAPI

from benchmarks import free_port
from tests.webhooks.application import receiver as served
from tests.webhooks.deliveries import incoming, receiver
from tests.webhooks.serving import MOUNT, Wire, aiohttp_server, running_at, uvicorn_server
from voxloud_async.webhooks.parse import MAX_BODY

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

COMMANDS = {
    "uvicorn": ["uvicorn", "--port", "{port}", "tests.webhooks.application:app"],
    "hypercorn": ["hypercorn", "--access-logfile", "-", "--bind", "127.0.0.1:{port}", "tests.webhooks.application:app"],
    "granian": ["granian", "--interface", "asgi", "--access-log", "--port", "{port}", "tests.webhooks.application:app"],
}
JSON = {"Content-Type": "application/json"}
VARIANTS: list[Callable[[str], str]] = [
    lambda token: f"{token}x",
    lambda token: token[:-1],
    lambda token: f"x{token}",
    lambda token: token.replace("-", "%252D"),
    lambda token: f"{token}/more",
    lambda token: f"{token}%20",
    lambda token: f"{token[:-30]}!{token[-30:]}",
    str.lower,
]
"""Paths that are no token, and that a log must not show either."""
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
        for odd in VARIANTS:
            assert (await wire.ask(f"{MOUNT}/{odd(served.token('CALL_HANGUP'))}", incoming("b"))).status == 404
        assert (await wire.ask(f"{wire.path()}/", incoming("a"), headers=JSON)).status == 200
        encoded = wire.path().replace("-", "%2D").replace("G", "%47")
        assert (await wire.ask(encoded, incoming("a"), headers=JSON)).status == 200
        assert (await wire.ask(wire.path(), method="GET")).status == 405
        with_cap = await wire.say(wire.head("Content-Length: 600000"))
        assert with_cap.status == 413
    text = log.read_text()
    assert text.count("handled a") == 1
    assert "handled b" not in text
    assert "left" in text
    assert f"{MOUNT}/***" in text
    assert not any(served.token(kind)[-20:-10] in text for kind in ("CALL_INCOMING", "CALL_HANGUP"))


async def test_the_access_log_of_aiohttp(caplog: pytest.LogCaptureFixture) -> None:
    application = web.Application()
    application.add_routes(receiver().aiohttp_routes(MOUNT))
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    with caplog.at_level(logging.INFO, "aiohttp.access"):
        wire = Wire(runner.addresses[0][1], receiver())
        assert (await wire.post(incoming())).status == 200
        assert (await wire.ask(f"{wire.path()}/", incoming(), headers=JSON)).status == 200
        encoded = wire.path().replace("-", "%2D").replace("G", "%47")
        assert (await wire.ask(encoded, incoming(), headers=JSON)).status == 200
        for odd in VARIANTS:
            assert (await wire.ask(f"{MOUNT}/{odd(wire.receiver.token('CALL_HANGUP'))}", incoming())).status == 404
        await runner.cleanup()
    assert f'"POST {MOUNT}/*** HTTP/1.1" 200' in caplog.text
    logged = str([vars(entry) for entry in caplog.records])
    assert not any(wire.receiver.token(kind)[-20:-10] in logged for kind in ("CALL_INCOMING", "CALL_HANGUP"))


@pytest.mark.parametrize("middleware", ["none", "reads"])
async def test_w4_a_middleware_may_read_the_body(middleware: str) -> None:
    bodies: list[bytes] = []

    @web.middleware
    async def reading(request: web.Request, handler: Any) -> web.StreamResponse:
        if middleware == "reads":
            bodies.append(await request.read())
        response: web.StreamResponse = await handler(request)
        return response

    served, application = receiver(), web.Application(middlewares=[reading])
    application.add_routes(served.aiohttp_routes(MOUNT))
    async with aiohttp_server(application) as port:
        wire = Wire(port, served)
        assert (await wire.post(incoming())).status == 200
        chunks = wire.head("Transfer-Encoding: chunked")
        body = incoming("chunked")
        assert (await wire.say(chunks, b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))).status == 200
        with_length = wire.head(f"Content-Length: {MAX_BODY + 1}")
        assert (await wire.say(with_length, b"x" * (MAX_BODY + 1))).status == 413
    assert served.stats.accepted == 2
    assert bodies.count(incoming()) == (middleware == "reads")


async def test_w12_a_body_that_the_server_lost_has_its_own_reason(caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("httptools")
    served, application = receiver(), FastAPI()
    application.mount(MOUNT, served.asgi())
    async with uvicorn_server(application, http="httptools") as port:
        wire = Wire(port, served)
        offer = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABkAAQAAP__"}
        assert (await wire.ask(wire.path(), incoming(), headers=JSON | offer)).status == 400
        assert (await wire.ask(wire.path(), b"", headers=JSON)).status == 400
        assert (await wire.ask(wire.path(), b"", headers=JSON | {"Upgrade": "h2c"})).status == 400
    assert served.stats.refused == {"h2c": 1, "empty": 2}
    assert "the server has lost its body" in caplog.text
