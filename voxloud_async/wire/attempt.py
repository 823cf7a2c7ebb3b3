"""One exchange over an HTTP library: the same phases, cap and errors whatever the library."""

from __future__ import annotations

import asyncio

from ..errors import ResponseTooLargeError
from .coding import STEPS, Decoder
from .library import Answer, Library, Progress, bounded
from .message import Headers, Request, Response
from .stream import BodyStream

_LARGE = 4 * 1024 * 1024
"""Bytes from which joining a body would hold up the event loop: a millisecond or two for each of its megabytes."""


async def attempt(library: Library, request: Request, timeout: float) -> Response:  # noqa: ASYNC109 - the contract's clock
    """Send one request and read its answer, as `Transport.send` promises."""
    progress = Progress(request)
    if request.stream:
        answer = await bounded(library.open(request, progress), library, progress, timeout)
        return await _streamed(answer, library, request, timeout)
    return await bounded(_buffered(library, request, progress), library, progress, timeout)


async def _buffered(library: Library, request: Request, progress: Progress) -> Response:
    answer = await library.open(request, progress)
    progress.phase = "body"
    try:
        body = await _whole(answer, request.max_body)
    finally:
        await answer.aclose()
    return Response(status=answer.status, headers=Headers(answer.headers), body=body)


async def _streamed(answer: Answer, library: Library, request: Request, timeout: float) -> Response:  # noqa: ASYNC109 - the contract's clock
    try:
        stream = BodyStream(answer, library, request, timeout)
    except BaseException:
        await answer.aclose()
        raise
    return Response(status=answer.status, headers=Headers(answer.headers), stream=stream)


async def _whole(answer: Answer, max_body: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    decoder = Decoder(answer.content_encoding, max_body) if answer.content_encoding else None
    while data := await answer.read():
        if decoder is None:
            pieces.append(data)
            size += len(data)
        else:
            size += await _decode(decoder, data, pieces)
        if size > max_body:
            raise ResponseTooLargeError(limit=max_body)
    if decoder is not None:
        decoder.finish()
    # bytes.join holds the GIL for short bodies alone
    return b"".join(pieces) if size < _LARGE else await asyncio.to_thread(b"".join, pieces)


async def _decode(decoder: Decoder, data: bytes, pieces: list[bytes]) -> int:
    """Add what these bytes decode to, and let the event loop run meanwhile; returns how many bytes came of it."""
    size = 0
    for step, piece in enumerate(decoder.feed(data), 1):
        if piece:
            size += len(piece)
            pieces.append(piece)
        if not step % STEPS:
            await asyncio.sleep(0)
    return size
