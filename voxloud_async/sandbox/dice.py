"""Chance as a pure function of its seed: the same words always throw the same dice, on every Python."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

Item = TypeVar("Item")

_LOW_POOL = 1 << 64


class Dice:
    """A stream of draws that depends on nothing but the words it is made with."""

    __slots__ = ("_digest", "_pool")

    def __init__(self, *words: str | int) -> None:
        self._digest = blake2b(repr(words).encode()).digest()
        self._pool = int.from_bytes(self._digest)

    def below(self, stop: int) -> int:
        """A number from 0 up to, not including, `stop`."""
        if self._pool < _LOW_POOL:
            self._digest = blake2b(self._digest).digest()
            self._pool = int.from_bytes(self._digest)
        self._pool, drawn = divmod(self._pool, stop)
        return drawn

    def between(self, low: int, high: int) -> int:
        """A number from `low` to `high`, both included."""
        return low + self.below(high - low + 1)

    def chance(self, percent: int) -> bool:
        """True in `percent` of a hundred throws."""
        return self.below(100) < percent

    def choose(self, items: Sequence[Item]) -> Item:
        """One of the items, each as likely."""
        return items[self.below(len(items))]

    def digits(self, count: int) -> str:
        """So many decimal digits."""
        return f"{self.below(10**count):0{count}}"

    def hex(self, count: int) -> str:
        """So many hexadecimal digits."""
        return "".join(f"{self.below(1 << 32):08x}" for _ in range(-(-count // 8)))[:count]

    def uuid(self) -> str:
        """An identifier in the spelling of a UUID."""
        digits = self.hex(32)
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
