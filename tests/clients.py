"""Clients of a script, and of a service that says nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from voxloud_async import VoxloudClient
from voxloud_async.testing import FakeClock, FakeTransport, answer

if TYPE_CHECKING:
    from tests.wire.raw_server import Conversation

KEY = "k3y-0f-the-PBX"
BASE = "https://api.example"
ACCOUNT = answer({"name": "Rossi", "email": "admin@example.com"})
CONTACT = answer({"id": "54db"})
TRANSPORTS: list[Any] = ["aiohttp", "httpx2"]


def scripted(*script: Any, **options: Any) -> tuple[VoxloudClient, FakeTransport]:
    transport = FakeTransport(*script)
    return VoxloudClient(KEY, base_url=BASE, transport=transport, clock=FakeClock(), **options), transport


async def silent(conversation: Conversation) -> None:
    """Hear the request and answer nothing."""
    await conversation.hear()
    await conversation.hold()
