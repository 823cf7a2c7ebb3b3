"""A body that is read chunk by chunk."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

from ..errors import ResponseLostError
from .coding import STEPS, Decoder
from .library import Answer, Library, Progress, bounded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .message import Request


class BodyStream:
    """An open body, decoded; the wait for each chunk is bounded by `timeout` seconds.

    An early end, by an error or by `aclose`, never passes for the end of the body: going on raises `ResponseLostError`.
    """

    def __init__(self, answer: Answer, library: Library, request: Request, timeout: float) -> None:
        self._answer = answer
        self._library = library
        self._progress = Progress(request, "body")
        self._timeout = timeout
        self._decoder = Decoder(answer.content_encoding)
        self._pieces: Iterator[bytes] = iter(())
        self._steps = 0
        self._complete = False
        self._closed = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        while not self._complete:
            if self._closed:
                raise ResponseLostError("the stream is closed", phase="body")
            self._steps += 1
            try:
                if not self._steps % STEPS:
                    await asyncio.sleep(0)
                piece = next(self._pieces, None)
                if piece is None:
                    await self._read_on()
                elif piece:
                    return piece
            except BaseException:
                await self.aclose()
                raise
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Give the connection back."""
        self._closed = True
        await self._answer.aclose()

    async def _read_on(self) -> None:
        data = await bounded(self._answer.read(), self._library, self._progress, self._timeout)
        if data:
            self._pieces = self._decoder.feed(data)
            return
        self._decoder.finish()
        self._complete = True
        await self.aclose()
