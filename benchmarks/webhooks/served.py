"""What the load goes to, in a process of its own: `python -m benchmarks.webhooks.served NAME PORT INBOX SLOWNESS`."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import uvicorn
from aiohttp import web
from fastapi import FastAPI, Request, Response

from voxloud_async.webhooks import WebhookReceiver

from . import SECRET

PATH = "/hooks"


def receiver(inbox: str, slowness: float) -> WebhookReceiver:
    """One whose handlers take their time."""
    made = WebhookReceiver(secret=SECRET, inbox=inbox)

    @made.on()
    async def handle(_event: object) -> None:
        await asyncio.sleep(slowness)

    return made


def mounted(hooks: WebhookReceiver) -> FastAPI:
    """The receiver in FastAPI, as the documentation has it."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with hooks:
            yield

    app = FastAPI(lifespan=lifespan)
    app.mount(PATH, hooks.asgi())
    return app


def bare() -> FastAPI:
    """An endpoint that parses and answers, and stores nothing."""
    app = FastAPI()

    @app.post(f"{PATH}/{{token}}")
    async def take(request: Request) -> Response:
        await request.json()
        return Response()

    return app


async def by_uvicorn(app: FastAPI, port: int) -> None:
    """Serve until ended."""
    config = uvicorn.Config(app, port=port, access_log=False, log_level="error", timeout_graceful_shutdown=1)
    await uvicorn.Server(config).serve()


async def by_aiohttp(hooks: WebhookReceiver, port: int) -> None:
    """Serve until ended."""
    application = web.Application()
    application.add_routes(hooks.aiohttp_routes(PATH))
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    async with hooks:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        await asyncio.Event().wait()


_WAYS: Mapping[str, Callable[[str, float, int], Awaitable[None]]] = {
    "voxloud_async, FastAPI": lambda inbox, slowness, port: by_uvicorn(mounted(receiver(inbox, slowness)), port),
    "voxloud_async, aiohttp": lambda inbox, slowness, port: by_aiohttp(receiver(inbox, slowness), port),
    "FastAPI, parses alone": lambda _inbox, _slowness, port: by_uvicorn(bare(), port),
}
CONTENDERS = (*_WAYS,)


async def main(name: str, port: str, inbox: str, slowness: str) -> None:
    """Serve one of them."""
    await _WAYS[name](inbox, float(slowness), int(port))


if __name__ == "__main__":
    logging.disable()
    gc.freeze()  # a full collection goes through all that was imported, which takes some 60 ms with FastAPI
    asyncio.run(main(*sys.argv[1:]))
