"""Content codings, undone in pieces of bounded size however far a few bytes inflate."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from ..errors import ProtocolError, ResponseLostError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

ACCEPT_ENCODING = "gzip, deflate"

PIECE = 64 * 1024
"""Most bytes that one step may inflate to."""

_MAX_CODINGS = 3  # each one multiplies the work a hostile body can make
_GZIP = 16 + zlib.MAX_WBITS
_ZLIB = zlib.MAX_WBITS
_RAW_DEFLATE = -zlib.MAX_WBITS
_COMPRESSION_METHOD = 0x0F  # of the first byte of a zlib stream: RFC 1950, section 2.2
_DEFLATED = 8


class Decoder:
    """Undoes the codings a `Content-Encoding` field names, the last one first."""

    def __init__(self, content_encoding: str) -> None:
        names = content_encoding.lower().replace(" ", "").split(",")
        codings = [name for name in names if name not in {"", "identity"}]
        if len(codings) > _MAX_CODINGS:
            raise ProtocolError("the body has too many content codings", phase="body")
        self._stages = [_stage(name) for name in reversed(codings)]

    def feed(self, data: bytes) -> Iterable[bytes]:
        """What these bytes decode to, piece by piece."""
        return self._undo(data) if self._stages else (data,)

    def _undo(self, data: bytes) -> Iterator[bytes]:
        try:
            yield from _through(self._stages, data)
        except zlib.error:
            pass
        else:
            return
        raise ProtocolError("the body does not match its content coding", phase="body")

    def finish(self) -> None:
        """Tell that the body has ended.

        Raises:
            ResponseLostError: in the midst of a coding.
        """
        if any(stage.unfinished for stage in self._stages):
            raise ResponseLostError("the coded body was cut short", phase="body")


class _Inflate:
    """One gzip or deflate stage; streams that follow one another (RFC 1952, section 2.2) read as one."""

    def __init__(self, wbits: int | None) -> None:
        self._wbits = wbits
        self._stream: zlib._Decompress | None = None

    @property
    def unfinished(self) -> bool:
        return self._stream is not None

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data:
            stream = self._stream = self._stream or zlib.decompressobj(self._wbits or _deflate_kind(data))
            while piece := stream.decompress(data, PIECE):
                yield piece
                data = stream.unconsumed_tail
            data = stream.unused_data
            if stream.eof:
                self._stream = None


def _stage(name: str) -> _Inflate:
    match name:
        case "gzip" | "x-gzip":
            return _Inflate(_GZIP)
        case "deflate":
            return _Inflate(None)
        case _:
            raise ProtocolError("the body has an unknown content coding", phase="body")


def _deflate_kind(data: bytes) -> int:
    """Some servers send raw deflate where RFC 9110, section 8.4.1.2, asks for the zlib format."""
    return _ZLIB if data[0] & _COMPRESSION_METHOD == _DEFLATED else _RAW_DEFLATE


def _through(stages: Sequence[_Inflate], data: bytes) -> Iterator[bytes]:
    if not stages:
        yield data
        return
    first, *rest = stages
    for piece in first.feed(data):
        yield from _through(rest, piece)
