"""A resource that belongs to one event loop at a time: opened on first use there, closed when that loop shuts down."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Generic, TypeVar

from ..errors import ClientClosedError, UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

T = TypeVar("T")


class LoopBound(Generic[T]):
    """Holds what `lifespan` yields, anew for each event loop.

    `lifespan` is an async generator that opens the resource, yields it once and closes it. A running loop keeps track
    of the generators started in it, and `asyncio.run` ends them (`loop.shutdown_asyncgens`), so that the resource is
    closed inside its own loop also where nobody calls `aclose`:
    https://docs.python.org/3/library/asyncio-eventloop.html#asyncio.loop.shutdown_asyncgens
    """

    def __init__(self, lifespan: Callable[[], AsyncGenerator[T, None]]) -> None:
        self._lifespan = lifespan
        self._generator: AsyncGenerator[T, None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._process = 0
        self._closed = False

    @property
    def is_open(self) -> bool:
        """Return True if this process opened the resource, and neither `aclose` nor the end of its loop closed it."""
        is_running = getattr(self._generator, "ag_frame", None) is not None
        return is_running and self._process == os.getpid()

    async def get(self) -> T:
        """The resource of the running loop.

        Raises:
            ClientClosedError: after `aclose`.
            UsageError: another loop that still runs has it, or it was opened before a fork.
        """
        if self._closed:
            raise ClientClosedError("the client is closed", sent=False)
        if self._loop is not asyncio.get_running_loop() or self._process != os.getpid():
            await self._open()
        return self._resource

    async def aclose(self) -> None:
        """Close the resource for good; harmless when called twice or where it was never opened.

        Raises:
            UsageError: another loop that still runs has it.
        """
        self._closed = True
        generator = self._generator
        if generator is None or self._process != os.getpid():
            return  # after a fork the sockets are the parent's to close
        if self._loop is asyncio.get_running_loop():
            self._generator = None
            await generator.aclose()
        else:
            self._leave_loop()

    async def _open(self) -> None:
        self._leave_loop()
        generator = self._lifespan()
        self._resource = await anext(generator)
        self._generator = generator
        self._loop = asyncio.get_running_loop()
        self._process = os.getpid()

    def _leave_loop(self) -> None:
        if self._generator is None or self._loop is None:
            return
        if self._process != os.getpid():
            fault = "the client was used before this process was forked: make one client per process"
            raise UsageError(fault, sent=False)
        if self._loop.is_running():
            fault = "the client is in use in another running event loop: make one client per loop"
            raise UsageError(fault, sent=False)
        self._generator = None
