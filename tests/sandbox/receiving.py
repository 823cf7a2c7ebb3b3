"""A receiver of webhooks on a real socket, which keeps what it got and answers as it is told."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiohttp import web
from attrs import define, field

from voxloud_async.sandbox import Subscription

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from voxloud_async.sandbox import Sandbox

LIVE = ("CALL_INCOMING", "CALL_STARTED", "CALL_ANSWERED", "CALL_HANGUP")
RECORDS = ("PHONE_CALL", "CLICK_TO_CALL", "FAX_CALL")
EVERYTHING = (*LIVE, *RECORDS)


@define
class Receiver:
    url: str = ""
    status: int = 204
    statuses: list[int] = field(factory=list)
    """Answers to give before `status`."""
    hang: float = 0.0
    headers: dict[str, str] = field(factory=dict)
    on_request: Callable[[], object] = lambda: None
    requests: list[web.BaseRequest] = field(factory=list)
    bodies: list[bytes] = field(factory=list)

    @property
    def events(self) -> list[Any]:
        return [json.loads(each) for each in self.bodies]

    @property
    def told(self) -> list[tuple[str, int | None]]:
        """Event types and extensions, in the order they came."""
        return [(each["type"], each["data"].get("userExtension")) for each in self.events]

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.requests.append(request)
        self.bodies.append(await request.read())
        self.on_request()
        if self.hang:
            await asyncio.sleep(self.hang)
        return web.Response(status=self.statuses.pop(0) if self.statuses else self.status, headers=self.headers)

    def subscribe(self, sandbox: Sandbox, *event_types: str) -> list[str]:
        """Subscribe to these types, or to all; the ids."""
        for each in event_types or EVERYTHING:
            subscription = Subscription(id=f"to-{each}", event_type=each, callback_url=f"{self.url}/{each}")
            sandbox.state.subscriptions[subscription.id] = subscription
        return [f"to-{each}" for each in event_types or EVERYTHING]


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    runner = web.ServerRunner(web.Server(receiver.handle), shutdown_timeout=0.02)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield receiver
    finally:
        await runner.cleanup()


async def until(reached: Callable[[], bool]) -> None:
    """Wait until it is so, for ten seconds at most."""
    async with asyncio.timeout(10):
        while not reached():  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.001)
