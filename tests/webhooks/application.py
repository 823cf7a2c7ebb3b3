"""A FastAPI application with a receiver mounted in it, for servers that are processes of their own.

It prints what it handled, and that it left its lifespan.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import FastAPI

from voxloud_async.webhooks import WebhookReceiver

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from voxloud_async.models import CallEvent

receiver = WebhookReceiver(secret="a-secret-of-the-tests-that-is-long-enough")


@receiver.on("CALL_INCOMING")
async def handle(event: CallEvent) -> None:
    """Print it."""
    print("handled", event.call_id, flush=True)  # noqa: T201 - the test reads it


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """Start and stop the receiver with the application."""
    async with receiver:
        yield
    print("left", flush=True)  # noqa: T201 - the same


app = FastAPI(lifespan=lifespan)
app.mount("/hooks/voxloud", receiver.asgi())
