"""A receiver for as long as a command lasts: served, subscribed, shown, and taken back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import datetime
from urllib.parse import urlsplit

from aiohttp import web
from attrs import frozen

from ..client import VoxloudClient
from ..webhooks import EventStream, WebhookReceiver
from ..webhooks.inbox import Inbox
from .board import Board, Lines, Screen, Tally
from .callbacks import OF_CALLS, callback_urls, own_secret
from .failure import DONE, NOT_ALL
from .inbox import opened
from .service import Service
from .speech import remark
from .subscribing import Subscribing

_BUFFER = 10_000
_SHUTDOWN = 1.0
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - read, not listened at


@frozen(kw_only=True)
class Ear:
    """What is listened to, where and for how long; without `url` at `host` itself, without `events` to all of calls."""

    url: str | None
    host: str
    port: int
    events: Sequence[str] | None
    inbox: str | None
    since: datetime | None
    seconds: float | None
    as_table: bool

    async def listen(self, service: Service) -> int:
        """Listen until the time is over, or until cancelled; the exit code."""
        tally = Tally()
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(service.client(busy=True))
            inbox = await self._inbox(stack)
            receiver = WebhookReceiver(secret=own_secret(), inbox=inbox, subscribers=[tally.note])
            await stack.enter_async_context(receiver)
            base = await stack.enter_async_context(self._served(receiver))
            title = f"Listening at {base} (Ctrl-C ends)"
            board = Screen(title, tally, lambda: receiver.stats) if self.as_table else Lines()
            return await self._subscribed(client, receiver, base, board)

    async def _inbox(self, stack: AsyncExitStack) -> Inbox | None:
        if self.inbox is None:
            return None
        inbox = await stack.enter_async_context(opened(self.inbox, new=True))
        await inbox.counts()  # whether it can be used at all is told before anything is subscribed
        return inbox

    @asynccontextmanager
    async def _served(self, receiver: WebhookReceiver) -> AsyncIterator[str]:
        """Serve the receiver; the address that the service shall post to."""
        app = web.Application()
        app.add_routes(receiver.aiohttp_routes(urlsplit(self.url or "").path or "/"))
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN)
        await runner.setup()
        try:
            await web.TCPSite(runner, self.host, self.port).start()
            yield self.url or f"http://{_within_a_url(self.host)}:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()

    async def _subscribed(self, client: VoxloudClient, receiver: WebhookReceiver, base: str, board: Board) -> int:
        wanted = callback_urls(receiver, base, self.events or OF_CALLS)
        subscribing = Subscribing(client, wanted, named=bool(self.events))
        all_gone = False
        try:
            events = receiver.events(buffer=_BUFFER)
            await subscribing.begin()
            await self._shown(client, receiver, board, events)
        finally:
            all_gone = await subscribing.end()
        return DONE if all_gone else NOT_ALL

    async def _shown(self, client: VoxloudClient, receiver: WebhookReceiver, board: Board, events: EventStream) -> None:
        if self.since is not None:
            found = await receiver.backfill(client, since=self.since)
            remark(f"{found.added} records since {found.since.astimezone():%Y-%m-%d %H:%M}")
        with suppress(TimeoutError):
            async with asyncio.timeout(self.seconds):
                await board.follow(events)


def _within_a_url(host: str) -> str:
    """How this machine reaches what listens at an address."""
    here = _ANY.get(host, host)
    return f"[{here}]" if ":" in here else here
