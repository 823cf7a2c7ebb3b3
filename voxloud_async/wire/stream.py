"""A body that is read chunk by chunk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from ..errors import ResponseLostError
from .coding import Decoder
from .library import Answer, Library, Progress, bounded

if TYPE_CHECKING:
    from collections.abc import Iterator


class BodyStream:
    """An open body, decoded; the wait for each chunk is bounded by `timeout` seconds.

    An early end, by an error or by `aclose`, never passes for the end of the body: going on raises `ResponseLostError`.
    """

    def __init__(self, answer: Answer, library: Library, timeout: float) -> None:
        self._answer = answer
        self._library = library
        self._timeout = timeout
        self._decoder = Decoder(answer.content_encoding)
        self._pieces: Iterator[bytes] = iter(())
        self._complete = False
        self._closed = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        while not self._complete:
            if self._closed:
                raise ResponseLostError("the stream is closed", phase="body")
            try:
                for piece in self._pieces:
                    return piece
                await self._read_on()
            except BaseException:
                await self.aclose()
                raise
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Give the connection back."""
        self._closed = True
        await self._answer.aclose()

    async def _read_on(self) -> None:
        data = await bounded(self._answer.read(), self._library, Progress("body"), self._timeout)
        if data:
            self._pieces = iter(self._decoder.feed(data))
            return
        self._decoder.finish()
        self._complete = True
        await self.aclose()
