"""A page that shows live calls. `python app.py --sandbox` needs nothing else; see docs/live-calls.md."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_urlsafe
from types import FrameType

import uvicorn
from fastapi import FastAPI
from fastapi.responses import FileResponse, StreamingResponse

from voxloud_async import VoxloudClient
from voxloud_async.sandbox import Sandbox, Traffic, in_background
from voxloud_async.webhooks import Call, CallBook, TokenFilter, WebhookReceiver

PORT = int(os.environ.get("PORT", "8000"))
PUBLIC_URL = os.environ.get("PUBLIC_URL", f"http://127.0.0.1:{PORT}")
SECRET = os.environ.get("VOXLOUD_WEBHOOK_SECRET") or token_urlsafe(32)
EVENTS = ("CALL_STARTED", "CALL_INCOMING", "CALL_ANSWERED", "CALL_HANGUP", "PHONE_CALL")
PAGE = Path(__file__).with_name("page.html")
QUIET = 15.0  # seconds after which a stream says that it is still there, lest a proxy cuts it

receiver = WebhookReceiver(secret=SECRET)
book = CallBook(keep=120.0)
logging.getLogger("uvicorn.access").addFilter(TokenFilter())


class Browser:
    """What one browser has not been told yet: of each call the latest, so that a slow one costs little."""

    def __init__(self) -> None:
        self.news = asyncio.Event()
        self.untold: dict[str, Call] = {}

    def tell(self, call: Call) -> None:
        """Tell it of a call, soon."""
        self.untold[call.call_id] = call
        self.news.set()

    async def stream(self) -> AsyncIterator[str]:
        """Server-sent events: all calls at first, and then those that change."""
        browsers.add(self)
        try:
            yield message("snapshot", list(book))
            while not app.state.stopping:
                yield await self.next_message()
        finally:
            browsers.discard(self)

    async def next_message(self) -> str:
        """The next changes, or a sign of life."""
        try:
            async with asyncio.timeout(QUIET):
                await self.news.wait()
        except TimeoutError:
            return ": still here\n\n"
        self.news.clear()
        calls, self.untold = [*self.untold.values()], {}
        return message("changes", calls)


browsers: set[Browser] = set()


def message(name: str, calls: list[Call]) -> str:
    """One event of the stream. JSON has no line breaks in it, and the page takes every text as text."""
    return f"event: {name}\ndata: {json.dumps({'now': time.time(), 'calls': [*map(row, calls)]})}\n\n"


def row(call: Call) -> dict[str, object]:
    """What the page shows of a call; times are seconds since 1970."""
    return {
        "id": call.call_id,
        "state": call.state,
        "direction": call.direction,
        "from": [call.originator_name, call.originator_number],
        "to": [call.destination_name, call.destination_number],
        "who": str(call.answered_by.extension) if call.answered_by else None,
        "began": call.began_at and call.began_at.timestamp(),
        "answered": call.answered_at and call.answered_at.timestamp(),
        "ring": call.ring_time,
        "talk": call.talk_time,
    }


async def follow() -> None:
    """Tell every browser of every call that changes."""
    async for call in receiver.calls(book=book):
        for browser in browsers:
            browser.tell(call)


def say_goodbye() -> None:
    """End all streams: a server that stops waits for them."""
    app.state.stopping = True
    for browser in browsers:
        browser.news.set()


@contextmanager
def on_shutdown(callback: Callable[[], None]) -> Iterator[None]:
    """Call back when the server is told to stop: its lifespan ends only after the last stream."""
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def stop(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(callback)
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    for number in before:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Listen, and be subscribed, for as long as the server runs."""
    app.state.stopping = False
    async with asyncio.TaskGroup() as group, VoxloudClient() as client, receiver:
        group.create_task(follow())  # it ends with the receiver
        await client.webhook_subscriptions.ensure(
            {event: receiver.callback_url(f"{PUBLIC_URL}/voxloud", event) for event in EVENTS}
        )
        with on_shutdown(say_goodbye):
            yield


app = FastAPI(lifespan=lifespan)
app.mount("/voxloud", receiver.asgi())


@app.get("/")
async def page() -> FileResponse:
    """The page."""
    return FileResponse(PAGE)


@app.get("/calls")
async def calls() -> StreamingResponse:
    """The stream that the page listens to."""
    return StreamingResponse(Browser().stream(), media_type="text/event-stream", headers={"Cache-Control": "no-cache"})


def main() -> None:
    """Serve it on this machine, with `--sandbox` beside a Voxloud of its own in which phones ring."""
    with ExitStack() as stack:
        if "--sandbox" in sys.argv:
            traffic = Traffic(calls_per_second=0.3, seed=7)
            sandbox = stack.enter_context(in_background(Sandbox(now=datetime.now(UTC), traffic=traffic, pace=1.0)))
            os.environ.update(VOXLOUD_BASE_URL=sandbox.url, VOXLOUD_API_KEY=sandbox.api_key)
        uvicorn.run(app, port=PORT)


if __name__ == "__main__":
    main()
