"""Content codings, without a network: where a coded body ends, and how much work a step may be."""

from __future__ import annotations

import gzip
import zlib
from itertools import pairwise

import pytest
from hypothesis import given, settings, strategies as st

from voxloud_async.errors import ProtocolError, ResponseLostError, ResponseTooLargeError
from voxloud_async.wire.coding import PIECE, Decoder

TEXT = b'{"data": ["abc", "def", "ghi"]}'
CODED = {"gzip": gzip.compress(TEXT), "deflate": zlib.compress(TEXT)}
PADDING = {
    "zeros": bytes(16),
    "a block of zeros": bytes(100_000),
    "line break": b"\r\n",
    "text": b"<!-- served by proxy -->",
    "half a magic number": b"\x1f\x00",
    "magic number of another format": b"\x1f\x9d\x90 compress",
    "unknown method": b"\x1f\x8b\x07",
    "zeros and text": b"\0\0\0end",
}


def decoded(coding: str, *parts: bytes, limit: float = 10**9) -> bytes:
    decoder = Decoder(coding, limit)
    pieces = [piece for part in parts for piece in decoder.feed(part)]
    decoder.finish()
    return b"".join(pieces)


def split(body: bytes, places: list[int]) -> list[bytes]:
    return [body[start:end] for start, end in pairwise([0, *sorted(places), len(body)])]


@pytest.mark.parametrize("padding", PADDING.values(), ids=PADDING)
@pytest.mark.parametrize("coding", CODED)
@pytest.mark.parametrize("size", [1, 7, 10**6])
def test_bytes_behind_the_end_are_left_out(coding: str, padding: bytes, size: int) -> None:
    body = CODED[coding] + padding
    assert decoded(coding, *(body[place : place + size] for place in range(0, len(body), size))) == TEXT


@pytest.mark.parametrize("between", [b"", b"\0", bytes(1000)], ids=["nothing", "zero", "zeros"])
def test_a_further_member_is_read_also_behind_zeros(between: bytes) -> None:
    assert decoded("gzip", CODED["gzip"] + between + CODED["gzip"] + b"\n") == TEXT * 2


def test_what_looks_like_a_member_behind_other_bytes_is_left_out() -> None:
    assert decoded("gzip", CODED["gzip"] + b"\n", CODED["gzip"]) == TEXT


@pytest.mark.parametrize("place", range(1, 2 * len(CODED["gzip"])))
def test_a_body_cut_anywhere_but_between_two_members_is_an_error(place: int) -> None:
    body = (CODED["gzip"] * 2)[:place]
    if place == len(CODED["gzip"]):
        assert decoded("gzip", body) == TEXT
    else:
        with pytest.raises(ResponseLostError, match="the coded body was cut short") as caught:
            decoded("gzip", body)
        assert type(caught.value) is ResponseLostError


@pytest.mark.parametrize("place", range(1, len(CODED["deflate"])))
def test_a_deflate_stream_cut_anywhere_is_an_error(place: int) -> None:
    with pytest.raises(ResponseLostError, match="cut short"):
        decoded("deflate", CODED["deflate"][:place])


def test_what_is_damaged_is_an_error() -> None:
    damaged = bytearray(CODED["gzip"])
    damaged[-6] ^= 1  # of the checksum
    with pytest.raises(ProtocolError, match="does not match"):
        decoded("gzip", bytes(damaged))
    with pytest.raises(ProtocolError, match="does not match"):
        decoded("gzip", bytes(8) + CODED["gzip"])


@given(
    texts=st.lists(st.binary(max_size=200), min_size=1, max_size=4),
    zeros=st.integers(0, 5),
    rest=st.binary(max_size=20).filter(lambda rest: rest.lstrip(b"\0")[:1] != b"\x1f"),
    places=st.lists(st.integers(0, 2000), max_size=6),
)
@settings(max_examples=200, deadline=None)
def test_members_read_as_one_however_they_come(texts: list[bytes], zeros: int, rest: bytes, places: list[int]) -> None:
    body = b"".join(gzip.compress(text) + bytes(zeros) for text in texts) + rest
    assert decoded("gzip", *split(body, [min(place, len(body)) for place in places])) == b"".join(texts)


BOMB = gzip.compress(bytes(3_000_000), 9)
STEPPED = {
    "gzip": ("gzip", BOMB),
    "gzip in gzip": ("gzip, gzip", gzip.compress(BOMB)),
    "deflate in gzip": ("deflate, gzip", gzip.compress(zlib.compress(bytes(3_000_000)))),
    "empty members": ("gzip", gzip.compress(b"") * 1000),
    "empty members in gzip": ("gzip, gzip", gzip.compress(gzip.compress(b"") * 10_000)),
    "padding in gzip": ("gzip, gzip", gzip.compress(CODED["gzip"] + bytes(3_000_000))),
}


@pytest.mark.parametrize(("coding", "body"), STEPPED.values(), ids=STEPPED)
def test_each_step_is_a_bounded_piece_of_work(coding: str, body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    work: list[int] = []
    made = zlib.decompressobj

    class Counted:
        """A stream that notes what each call inflates to."""

        def __init__(self, wbits: int) -> None:
            self._stream = made(wbits)

        def decompress(self, data: bytes, most: int) -> bytes:
            piece = self._stream.decompress(data, most)
            work.append(len(piece))
            return piece

        def __getattr__(self, name: str) -> object:
            return getattr(self._stream, name)

    monkeypatch.setattr(zlib, "decompressobj", Counted)
    decoder, done = Decoder(coding), 0
    for _ in decoder.feed(body):
        assert len(work) - done <= 2  # one for each coding
        assert max(work[done:], default=0) <= PIECE
        done = len(work)
    decoder.finish()


@pytest.mark.parametrize("coding", ["gzip, gzip", "gzip, gzip, gzip"])
def test_no_coding_inflates_beyond_the_limit(coding: str) -> None:
    body = gzip.compress(b"") * 100_000  # which come to nothing, but only after two megabytes of their own
    for _ in range(coding.count(",")):
        body = gzip.compress(body, 9)
    assert len(body) < 20_000
    with pytest.raises(ResponseTooLargeError, match="larger than 1000000 bytes"):
        decoded(coding, body, limit=1_000_000)
