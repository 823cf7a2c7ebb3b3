"""A sandbox in a thread of its own, for code without an event loop, or with one that it blocks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from .server import Sandbox


@contextmanager
def in_background(sandbox: Sandbox) -> Iterator[Sandbox]:
    """Run a sandbox until the block ends.

    It serves from its own thread: read `requests` and `state` between calls, and leave them alone during one.
    """
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, name="voxloud-sandbox", daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(sandbox.start(), loop).result()
        try:
            yield sandbox
        finally:
            asyncio.run_coroutine_threadsafe(sandbox.stop(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
