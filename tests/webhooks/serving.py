"""Receivers behind real servers on loopback, and requests byte by byte."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import uvicorn
from aiohttp import web
from attrs import define
from fastapi import FastAPI

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from voxloud_async.webhooks import WebhookReceiver

SERVERS = ("aiohttp", "uvicorn")
MOUNT = "/hooks/voxloud"


@define
class Reply:
    """What a server answered."""

    status: int
    headers: dict[str, str]
    body: bytes


@define
class Wire:
    """A way to a served receiver."""

    port: int
    receiver: WebhookReceiver

    def path(self, event_type: str = "CALL_INCOMING") -> str:
        """The path of a subscription's URL."""
        return f"{MOUNT}/{self.receiver.token(event_type)}"

    def head(self, framing: str, path: str = "") -> bytes:
        """The head of a delivery, whose body comes after it."""
        lines = [
            f"POST {path or self.path()} HTTP/1.1",
            "Host: receiver.test",
            "Content-Type: application/json",
            framing,
        ]
        return "\r\n".join(lines).encode() + b"\r\n\r\n"

    async def post(self, body: bytes, event_type: str = "CALL_INCOMING", **headers: str) -> Reply:
        """Deliver a body."""
        given = {"Content-Type": "application/json", **{name.replace("_", "-"): text for name, text in headers.items()}}
        return await self.ask(self.path(event_type), body, headers=given)

    async def ask(
        self, path: str, body: bytes = b"", *, method: str = "POST", headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Send a whole request."""
        lines = [f"{method} {path} HTTP/1.1", "Host: receiver.test", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {text}" for name, text in (headers or {}).items()]
        return await self.say("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)

    async def say(self, *parts: bytes, pause: float = 0.0) -> Reply:
        """Send bytes, a part after the other, and read one answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            for part in parts:
                writer.write(part)
                await asyncio.sleep(pause)
            return await read(reader)
        finally:
            writer.close()


async def read(reader: asyncio.StreamReader) -> Reply:
    """Read one answer."""
    head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)).decode("latin-1")
    first, *lines = head.split("\r\n")
    headers = {name.lower(): text.strip() for name, _, text in (line.partition(":") for line in lines if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Reply(int(first.split()[1]), headers, body)


@asynccontextmanager
async def serving(server: str, receiver: WebhookReceiver) -> AsyncIterator[Wire]:
    """The receiver below MOUNT: in an aiohttp application, or mounted in FastAPI under uvicorn."""
    if server == "aiohttp":
        application = web.Application()
        application.add_routes(receiver.aiohttp_routes(MOUNT))
        async with aiohttp_server(application) as port:
            yield Wire(port, receiver)
    else:
        api = FastAPI()
        api.mount(MOUNT, receiver.asgi())
        async with uvicorn_server(api) as port:
            yield Wire(port, receiver)


@asynccontextmanager
async def aiohttp_server(application: web.Application) -> AsyncIterator[int]:
    """Serve an aiohttp application on a free port."""
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@asynccontextmanager
async def uvicorn_server(application: Any, **options: Any) -> AsyncIterator[int]:
    """Serve an ASGI application on a free port."""
    settings = {"log_config": None, "access_log": False, "timeout_graceful_shutdown": 1, **options}
    server = uvicorn.Server(uvicorn.Config(application, port=0, **settings))
    task = asyncio.create_task(server.serve())
    try:
        while not server.started:
            assert not task.done(), "uvicorn did not start"
            await asyncio.sleep(0.01)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task


async def running_at(port: int) -> None:
    """Wait until somebody listens there."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            await asyncio.sleep(0.05)
            continue
        writer.close()
        return
