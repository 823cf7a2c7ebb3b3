"""Recordings to listen to: seconds of silence in MP3, whose bytes are those of one recording all the same."""

from __future__ import annotations

from itertools import cycle, islice

MP3 = "audio/mpeg"

_FRAME = bytes.fromhex("fff318c0")
"""Head of a frame: MPEG-2 layer III, without checksum, 8 kbit/s, 16 kHz, no padding, one channel (ISO/IEC 13818-3)."""

_SIDE = bytes(9)
"""Its side information: no bits of main data, which is silence."""

_FRAME_BYTES = 36
_FRAMES_A_SECOND = 16_000 / 576
_ROOM = _FRAME_BYTES - len(_FRAME) - len(_SIDE)

_LONGEST = 60
"""Seconds: nobody waits for the silence of an hour."""


def silence(name: str, seconds: int) -> bytes:
    """So many seconds, but at most a minute. The name fills what a player skips in each frame."""
    letters = cycle(f"{name} ".encode())
    count = max(1, round(min(seconds, _LONGEST) * _FRAMES_A_SECOND))
    return b"".join(_FRAME + _SIDE + bytes(islice(letters, _ROOM)) for _ in range(count))
