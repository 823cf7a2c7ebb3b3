"""Content codings, undone in steps of bounded size however far a few bytes inflate."""

from __future__ import annotations

import math
import zlib
from typing import TYPE_CHECKING

from ..errors import ProtocolError, ResponseLostError, ResponseTooLargeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ACCEPT_ENCODING = "gzip, deflate"

PIECE = 64 * 1024
"""Most bytes that one step may inflate to."""

STEPS = 8
"""Steps after which the event loop should run: some 5 ms."""

_MAX_CODINGS = 3  # each one multiplies the work a hostile body can make
_GZIP = 16 + zlib.MAX_WBITS
_ZLIB = zlib.MAX_WBITS
_RAW_DEFLATE = -zlib.MAX_WBITS
_COMPRESSION_METHOD = 0x0F  # of the first byte of a zlib stream: RFC 1950, section 2.2
_DEFLATED = 8
_MEMBER = b"\x1f\x8b\x08"
"""How a gzip member begins: RFC 1952, section 2.3.1."""


class Decoder:
    """Undoes the codings a `Content-Encoding` field names, the last one first.

    `limit` is the most bytes that each of them may inflate to.
    """

    def __init__(self, content_encoding: str, limit: float = math.inf) -> None:
        names = content_encoding.lower().replace(" ", "").split(",")
        codings = [name for name in names if name not in {"", "identity"}]
        if len(codings) > _MAX_CODINGS:
            raise ProtocolError("the body has too many content codings", phase="body")
        self._stages = [_stage(name, limit) for name in reversed(codings)]

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Decode these bytes step by step. A step is a bounded piece of work; what it yields may be empty.

        Raises:
            ProtocolError: the body does not match its coding.
            ResponseTooLargeError: a coding inflates beyond its limit.
        """
        try:
            yield from _through(self._stages, data)
        except zlib.error:
            pass
        else:
            return
        raise ProtocolError("the body does not match its content coding", phase="body")

    def finish(self) -> None:
        """Check that the body has ended where its codings have.

        Raises:
            ResponseLostError: in the midst of a coding.
        """
        if any(stage.unfinished for stage in self._stages):
            raise ResponseLostError("the coded body was cut short", phase="body")


class _Deflate:
    """One stage. What follows its stream is left out."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._size = 0
        self._stream: zlib._Decompress | None = None
        self._ended = False

    @property
    def unfinished(self) -> bool:
        return self._stream is not None

    def feed(self, data: bytes) -> Iterator[bytes]:
        while not self._ended and (data or self._stream is not None):
            stream = self._stream
            if stream is None:
                data = self._to_start(data)
                if not data:
                    break
                stream = self._stream = zlib.decompressobj(self._wbits(data))
            piece = stream.decompress(data, PIECE)
            self._count(piece)
            yield piece
            data = stream.unconsumed_tail
            if stream.eof:
                self._stream, data = None, stream.unused_data
                self._end()
            elif not data and len(piece) < PIECE:
                return
        yield b""

    def _count(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._limit:
            raise ResponseTooLargeError(limit=int(self._limit))

    def _wbits(self, data: bytes) -> int:
        """Some servers send raw deflate where RFC 9110, section 8.4.1.2, asks for the zlib format."""
        return _ZLIB if data[0] & _COMPRESSION_METHOD == _DEFLATED else _RAW_DEFLATE

    def _to_start(self, data: bytes) -> bytes:
        """The bytes from where the stream starts on; none if that is still to come."""
        return data

    def _end(self) -> None:
        """A stream has ended."""
        self._ended = True


class _Gzip(_Deflate):
    """Members that follow one another read as one (RFC 1952, section 2.2).

    Bytes behind a member that begin no other one are left out, as by gzip itself and by HTTP clients at large: servers
    and balancers append zeros and line breaks. A member that is cut in its first bytes counts as cut.
    """

    def __init__(self, limit: float) -> None:
        super().__init__(limit)
        self._is_first = True
        self._held = b""

    @property
    def unfinished(self) -> bool:
        return super().unfinished or bool(self._held)

    def _wbits(self, data: bytes) -> int:  # noqa: ARG002 - each coding looks at what it needs
        return _GZIP

    def _to_start(self, data: bytes) -> bytes:
        if self._is_first:
            return data
        data, self._held = (self._held + data).lstrip(b"\0"), b""
        if data.startswith(_MEMBER):
            return data
        if _MEMBER.startswith(data):
            self._held = data
        else:
            self._ended = True
        return b""

    def _end(self) -> None:
        self._is_first = False


def _stage(name: str, limit: float) -> _Deflate:
    match name:
        case "gzip" | "x-gzip":
            return _Gzip(limit)
        case "deflate":
            return _Deflate(limit)
        case _:
            raise ProtocolError("the body has an unknown content coding", phase="body")


def _through(stages: Sequence[_Deflate], data: bytes) -> Iterator[bytes]:
    if not stages:
        yield data
        return
    first, *rest = stages
    for piece in first.feed(data):
        if piece:
            yield from _through(rest, piece)
        else:
            yield piece
