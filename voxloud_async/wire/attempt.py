"""One exchange over an HTTP library: the same phases, cap and errors whatever the library."""

from __future__ import annotations

from ..errors import ResponseTooLargeError
from .coding import Decoder
from .library import Answer, Library, Progress, bounded
from .message import Headers, Request, Response
from .stream import BodyStream


async def attempt(library: Library, request: Request, timeout: float) -> Response:  # noqa: ASYNC109 - the contract's clock
    """Send one request and read its answer, as `Transport.send` promises."""
    progress = Progress()
    if request.stream:
        answer = await bounded(library.open(request, progress), library, progress, timeout)
        return await _streamed(answer, library, timeout)
    return await bounded(_buffered(library, request, progress), library, progress, timeout)


async def _buffered(library: Library, request: Request, progress: Progress) -> Response:
    answer = await library.open(request, progress)
    progress.phase = "body"
    try:
        body = await _whole(answer, request.max_body)
    finally:
        await answer.aclose()
    return Response(status=answer.status, headers=Headers(answer.headers), body=body)


async def _streamed(answer: Answer, library: Library, timeout: float) -> Response:  # noqa: ASYNC109 - the contract's clock
    try:
        stream = BodyStream(answer, library, timeout)
    except BaseException:
        await answer.aclose()
        raise
    return Response(status=answer.status, headers=Headers(answer.headers), stream=stream)


async def _whole(answer: Answer, max_body: int) -> bytes:
    decoder = Decoder(answer.content_encoding) if answer.content_encoding else None
    pieces: list[bytes] = []
    size = 0
    while data := await answer.read():
        for piece in (data,) if decoder is None else decoder.feed(data):
            size += len(piece)
            if size > max_body:
                raise ResponseTooLargeError(limit=max_body)
            pieces.append(piece)
    if decoder is not None:
        decoder.finish()
    return b"".join(pieces)
